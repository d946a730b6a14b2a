"""Patterns of model names, as quirks hold them."""

from __future__ import annotations

import re

from aircher.providers.jsonish import arr


def matches(patterns: object, model: str) -> bool:
    """True when one of the patterns of a quirk is found in the model's name."""
    return any(re.search(pattern, model) for pattern in arr(patterns))
