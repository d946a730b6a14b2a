"""The outbound guard's data: the shipped rules, read when first needed."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from aircher.policy import guard
from aircher.policy.guard import Rules, rules_from

_FILES = ("vendors.toml", "own.toml", "lookalikes.toml")


@cache
def load_guard_rules() -> Rules:
    """The shipped rules; some 10 ms the first time."""
    folder = Path(guard.__file__).parent
    texts = ((folder / name).read_text(encoding="utf-8") for name in _FILES)
    return rules_from(*(tomllib.loads(text) for text in texts))
