"""Lines to strips: styles, the selection's highlight, and the addresses selections use."""

from __future__ import annotations

from itertools import pairwise

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset
from textual.strip import Strip

from aircher.tui.widgets.transcript.blocks import Span, Target
from aircher.tui.widgets.transcript.copying import Place
from aircher.tui.widgets.transcript.layout import Line
from aircher.tui.widgets.transcript.palette import Palette

LINES_PER_MESSAGE = 1 << 20
"""A selection addresses a line as its message's key x this + the line's number in it, so that a
selection stays on its text whatever happens to the messages above."""

_EMPTY = (Span(" "),)
"""A blank line has one cell, so that a selection can begin on it."""

Columns = tuple[int, int]
"""Selected characters of a line: from, to (-1: to its end)."""


def address(key: int, number: int) -> int:
    """The row by which selections know line ``number`` of message ``key``."""
    return key * LINES_PER_MESSAGE + number


def place_of(offset: Offset | None) -> tuple[int, Place] | None:
    """A selection's end as message key and place in it."""
    if offset is None:
        return None
    key, line = divmod(offset.y, LINES_PER_MESSAGE)
    return key, Place(line, offset.x)


def strip_of(
    line: Line,
    row: int,
    width: int,
    palette: Palette,
    *,
    target: Target | None = None,
    selected: Columns | None = None,
    highlight: Style | None = None,
) -> Strip:
    """``line`` as a strip of ``width`` cells, its characters addressed by ``row``.

    The focused ``target`` is marked, and the ``selected`` columns in ``highlight``.
    """
    segments: list[Segment] = []
    at = 0
    for text, names, own in line.spans or _EMPTY:
        style = palette[names]
        if own is not None and own is target:
            style += palette["target"]
        for low, high in _parts(at, at + len(text), selected):
            run = style
            if selected is not None and highlight is not None and _inside(low, selected):
                run += highlight
            run += Style.from_meta({"offset": (low, row)})
            segments.append(Segment(text[low - at : high - at], run))
        at += len(text)
    return Strip(segments).adjust_cell_length(width, palette[line.fill])


def _inside(at: int, selected: Columns) -> bool:
    return selected[0] <= at and (selected[1] < 0 or at < selected[1])


def _parts(low: int, high: int, selected: Columns | None) -> list[Columns]:
    """The range cut where the selection begins and ends."""
    cuts = [low, *(cut for cut in selected or () if low < cut < high), high]
    return list(pairwise(cuts))
