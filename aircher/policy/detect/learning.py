"""How much a correction says about another message: only as much as the two are alike."""

from __future__ import annotations

from aircher.policy.detect.features import Reading

ALIKE = 0.3
"""Messages less alike than this have nothing to do with each other."""

PULL = 9.0
"""Log-odds that a correction adds for the very same message; it overrules any model."""

_POLITE = frozenset({"=please", "=pls", "=can", "=could", "=you", "=now", "=thanks"})

_SMALL = 3
"""Words of so few letters are mostly grammar and count a quarter; Chinese and Japanese signs,
one to a word, count in full."""


def likeness(one: Reading, other: Reading) -> float:
    """0 to 1: the shared part of the words that the two asks are made of."""
    mine, theirs = _words(one), _words(other)
    shared = sum(map(_heft, mine & theirs))
    return shared / sum(map(_heft, mine | theirs)) if shared else 0.0


def weight(near: float) -> float:
    """The log-odds that a correction adds at that likeness; 0 below ``ALIKE``."""
    return PULL * max(0.0, near - ALIKE) / (1.0 - ALIKE)


def _words(reading: Reading) -> set[str]:
    return {
        name
        for name in reading.names
        if name[0] == "=" and name[1] not in "^$" and " " not in name and name not in _POLITE
    }


def _heft(word: str) -> float:
    return 0.25 if len(word) <= _SMALL + 1 and word.isascii() else 1.0
