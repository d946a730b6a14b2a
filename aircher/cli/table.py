"""Rows as aligned plain text."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()
) -> str:
    """The rows under their head, columns two spaces apart; columns in ``right`` end flush."""
    lines = [head, *rows]
    widths = [max(cells(line[column]) for line in lines) for column in range(len(head))]

    def padded(cell: str, column: int) -> str:
        gap = " " * (widths[column] - cells(cell))
        return gap + cell if column in right else cell + gap

    return "\n".join(
        "  ".join(padded(cell, column) for column, cell in enumerate(line)).rstrip()
        for line in lines
    )


def cells(text: str) -> int:
    """How many columns a terminal shows it in: none for accents, two for Chinese and emoji."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
