"""What a text must hold for a regular expression to match: a cheap look before a dear one."""

from __future__ import annotations

import importlib
from typing import Any

_PARSER: Any = importlib.import_module("re._parser")
_MOST = 40
"""A longer list of texts is no cheaper than the expression itself."""


def needed(pattern: str) -> tuple[str, ...]:
    """Lower-case texts of which one is in whatever the pattern matches; () where none are known."""
    found = _of_sequence(list(_PARSER.parse(pattern)))
    if not found or len(found) > _MOST or min(map(len, found)) < 2:
        return tuple(sorted(found)) if found and not min(found, key=len).isascii() else ()
    return tuple(sorted(found))


def _of_sequence(items: list[Any]) -> set[str]:
    """The best of what the parts of a sequence need: the longest shortest text."""
    options: list[set[str]] = []
    run = ""
    for operator, value in [*items, ("END", None)]:
        if str(operator) == "LITERAL":
            run += chr(value).lower()
            continue
        if run:
            options.append({run})
            run = ""
        if found := _of_part(str(operator), value):
            options.append(found)
    return max(options, key=lambda one: (min(map(len, one)), -len(one)), default=set())


def _of_part(operator: str, value: Any) -> set[str]:
    match operator:
        case "SUBPATTERN":
            return _of_sequence(list(value[-1]))
        case "BRANCH":
            found = [_of_sequence(list(one)) for one in value[1]]
            return set().union(*found) if all(found) else set()
        case "MAX_REPEAT" | "MIN_REPEAT" if value[0] > 0:
            return _of_sequence(list(value[2]))
        case _:
            return set()
