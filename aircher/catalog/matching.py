"""Which row of the price data a model's name belongs to.

A row says how to recognise its names by a small tree of clauses, kept as JSON lists:
``["starts", "gpt-5"]``, ``["ends", x]``, ``["has", x]``, ``["is", x]``, ``["regex", x]``,
``["or", clause, ...]``, ``["and", clause, ...]``.  All but regular expressions are lower-case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from aircher.domain.regexes import regex

Clause = Sequence[Any]

_TESTS: dict[str, Callable[[str, str], bool]] = {
    "starts": str.startswith,
    "ends": str.endswith,
    "has": str.__contains__,
    "is": str.__eq__,
    "regex": lambda text, pattern: re.search(pattern, text) is not None,
}


def matches(clause: Clause, name: str) -> bool:
    """True if the clause recognises ``name`` (lower-case)."""
    kind = clause[0]
    if kind == "or":
        return any(matches(inner, name) for inner in clause[1:])
    if kind == "and":
        return all(matches(inner, name) for inner in clause[1:])
    return _TESTS[kind](name, clause[1])


_RESOURCE = regex(r"^(?:publishers/[^/]+/)?models/|^projects/.*/models/")
"""How Gemini ("models/x") and Vertex ("publishers/google/models/x") write a model's name."""

_COMPACT_DATE = regex(r"-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")
_SUFFIX = regex(
    r"(?:-(?:latest|preview|exp|v\d|\d{2}-\d{2}|20\d{2}-?\d{2}-?\d{2})|@\d{8}|@default)$"
)


def plain_name(model: str) -> str:
    """The bare model name, lower-case, without a resource path before it."""
    return _RESOURCE.sub("", model.strip().lower())


def dashed_dates(name: str) -> str:
    """``gpt-5.2-20251211`` -> ``gpt-5.2-2025-12-11``, as the price data writes dates."""

    def dashed(found: re.Match[str]) -> str:
        try:
            return f"-{date(*map(int, found.groups())).isoformat()}"
        except ValueError:
            return found.group()

    return _COMPACT_DATE.sub(dashed, name)


def shorter_names(name: str) -> Iterator[str]:
    """``name``, then without its suffixes one by one (-latest, -preview, a date)."""
    while name:
        yield name
        shorter = _SUFFIX.sub("", name)
        if shorter == name:
            return
        name = shorter
