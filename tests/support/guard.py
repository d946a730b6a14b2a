"""The guard's rules as the program loads them, and secrets made on the spot."""

from __future__ import annotations

from functools import cache

from aircher.bootstrap.guarding import load_guard_rules
from aircher.policy.guard import Rules


@cache
def guard_rules() -> Rules:
    """The shipped rules, read once."""
    return load_guard_rules()
