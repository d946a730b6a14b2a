"""The fault suite: what a user sees, and keeps, when something breaks (docs/reliability.md)."""
