"""Session ids: ten characters that sort by time and can be read aloud.

Crockford's base 32 (https://www.crockford.com/base32.html), lower case: no i, l, o or u.
42 bits of milliseconds since 2024 (enough until 2163), then 8 random bits; the table's
primary key refuses the rare twin and the caller draws again.
"""

from __future__ import annotations

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 10
_RANDOM_BITS = 8
_EPOCH_2024_MS = 1_704_067_200_000
_MISREAD = str.maketrans({"i": "1", "l": "1", "o": "0"})


def new_id(now_ms: int) -> str:
    """An id for something created at that time (UTC milliseconds)."""
    age = max(0, now_ms - _EPOCH_2024_MS)
    number = (age << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
    digits = [_ALPHABET[(number >> shift) & 31] for shift in range(5 * (_LENGTH - 1), -1, -5)]
    return "".join(digits)


def as_typed(text: str) -> str:
    """What a person typed, in the form ids are stored: i and l are read as 1, o as 0."""
    return text.strip().lower().translate(_MISREAD)
