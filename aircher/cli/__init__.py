"""Thin commands: stdout is data, stderr is narration.  One module a command."""
