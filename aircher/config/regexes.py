"""Regular expressions in the configuration: checked when it is read, so that none can hang a turn.

Python's engine backtracks.  What makes that exponential is a repeat within a repeat ("(a+)+");
what makes it slow beyond use is a chain of unbounded wildcards.  Both are refused; the text that
a pattern is given is short besides (policy/detect/features.py).
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any

from aircher.config.values import Kind, WrongType

LONGEST = 500
MOST_WILD = 3
"""Unbounded repeats in one pattern."""

_BOUND = 64
"""A repeat of more than so many counts as unbounded."""

_PARSER: Any = importlib.import_module("re._parser")


def _regexes(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise WrongType
    for pattern in value:
        check(pattern)
    return tuple(value)


def check(pattern: str) -> None:
    """Raises ``ValueError`` with a sentence for a pattern that is wrong or could take for ever."""
    if not pattern or len(pattern) > LONGEST:
        raise ValueError(f"holds an empty pattern or one of more than {LONGEST} characters")
    try:
        re.compile(pattern)
        depths = list(_repeats(_PARSER.parse(pattern), 0))
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"holds {pattern!r}, which is no regular expression: {error}") from None
    if any(depth > 0 for depth in depths):
        raise ValueError(f"holds {pattern!r}: a repeat within a repeat may take for ever")
    if len(depths) > MOST_WILD:
        raise ValueError(
            f"holds {pattern!r}: more than {MOST_WILD} unbounded repeats; bound them, as in .{{0,40}}"
        )


def _repeats(parsed: Any, depth: int) -> Iterator[int]:
    """For each unbounded repeat, in how many others it stands."""
    for item in parsed:
        if isinstance(item, tuple) and len(item) == 2 and "REPEAT" in str(item[0]):
            _, most, inner = item[1]
            wild = int(most) > _BOUND
            if wild:
                yield depth
            yield from _repeats(inner, depth + wild)
        elif isinstance(item, tuple | list) or hasattr(item, "data"):
            yield from _repeats(item, depth)


REGEXES = Kind(
    "patterns",
    'a list of regular expressions such as ["plan failed"]',
    _regexes,
    lambda text: [text.strip().strip("\"'")],
    list,
    {"type": "array", "items": {"type": "string"}},
)


def _phrases(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise WrongType
    if any(not item.strip() or not item.isprintable() for item in value):
        raise ValueError("must hold words or phrases, without control characters")
    return tuple(value)


PHRASES = Kind(
    "list",
    'a list such as ["a", "two words"]',
    _phrases,
    lambda text: [word.strip().strip("\"'") for word in text.strip("[] ").split(",")],
    list,
    {"type": "array", "items": {"type": "string"}},
)
