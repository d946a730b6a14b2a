"""Commit messages, decided: what of a diff is shown, in which style, under which contract."""
