"""How many terminal cells text takes, and where a line may end."""

from __future__ import annotations

from rich.cells import cell_len as _cell_len
from rich.cells import split_graphemes

from aircher.domain.regexes import regex

_COMPLEX = regex(
    "[^\\x20-\\x7e\xa1-\xac\xae-\u02ff\u0370-\u0482\u048a-\u0500"
    "\u2010-\u2027\u2030-\u205e\u2190-\u2199\u2500-\u257f]"
)
"""Any character that may take other than one cell."""


def cell_len(text: str) -> int:
    """The cells ``text`` takes in a terminal."""
    return _cell_len(text) if _COMPLEX.search(text) else len(text)


def wrap(text: str, width: int) -> list[tuple[int, int]]:
    """Where to cut ``text`` (without newlines) into lines of at most ``width`` cells.

    Ranges of characters; the blank that a line ends at belongs to none.  Lines end at blanks
    where they can, wide characters may be parted anywhere, and a grapheme is never cut.
    """
    width = max(1, width)
    if not _COMPLEX.search(text):
        return _wrap_simple(text, width)
    return _wrap_graphemes(text, width)


def _wrap_simple(text: str, width: int) -> list[tuple[int, int]]:
    lines: list[tuple[int, int]] = []
    start, end = 0, len(text)
    while end - start > width:
        space = text.rfind(" ", start + 1, start + width + 1)
        cut = space if space > start and text[start:space].strip() else start + width
        lines.append((start, cut))
        start = cut
        while start < end and text[start] == " ":
            start += 1
    if start < end or not lines:
        lines.append((start, end))
    return lines


def _wrap_graphemes(text: str, width: int) -> list[tuple[int, int]]:
    graphemes, _ = split_graphemes(text)
    lines: list[tuple[int, int]] = []
    start = used = 0
    break_at: tuple[int, int, int] | None = None  # (end of line, start of next, cells up to there)
    for first, last, cells in graphemes:
        blank = text[first:last] == " "
        while used and used + cells > width and not blank:
            if break_at is None:
                break_at = (first, first, used)
            lines.append((start, break_at[0]))
            start, used = break_at[1], used - break_at[2]
            break_at = None
        used += cells
        if blank:
            break_at = (break_at[0] if break_at and break_at[1] == first else first, last, used)
        elif cells == 2:
            break_at = (last, last, used)
    lines.append((start, len(text)))
    return lines
