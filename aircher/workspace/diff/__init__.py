"""Changes read from git: one plumbing call that no setting bends, and its parser."""
