"""Reading JSON of which nothing is certain: a value of the wrong type counts as absent."""

from __future__ import annotations

from typing import Any


def obj(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def arr(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """The value if it is a string, else ""."""
    return value if isinstance(value, str) else ""


def count(value: Any) -> int | None:
    """The value if it is a whole number that counts something, else None."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return value


def first_count(*values: Any) -> int | None:
    """The first of the values that counts something."""
    return next((n for value in values if (n := count(value)) is not None), None)
