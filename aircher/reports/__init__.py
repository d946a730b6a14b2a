"""What the ledger's rows add up to: pure functions over ``UsageRow`` sequences."""
