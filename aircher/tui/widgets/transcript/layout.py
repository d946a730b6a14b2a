"""Blocks and a width to visual lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from aircher.tui.widgets.transcript.blocks import Block, Span, plain
from aircher.tui.widgets.transcript.cells import cell_len, wrap

READABLE = 100
"""Prose is not set wider than this many cells, however wide the terminal."""
_SPACED = {"heading", "code_head", "header", "rule"}
_JOINED = {"code", "code_foot", "row"}


class Line(NamedTuple):
    """One visual line.

    ``start`` and ``end`` are the range of the block's text that it shows, after ``indent``
    characters that are not text; ``fill`` is the style of the cells right of it.
    """

    spans: tuple[Span, ...] = ()
    block: Block | None = None
    start: int = 0
    end: int = 0
    indent: int = 0
    fill: str = ""

    @property
    def plain(self) -> str:
        """What the line shows."""
        return plain(self.spans)


BLANK = Line()


def lay_out(blocks: Iterable[Block], width: int, before: Block | None = None) -> list[Line]:
    """The lines of ``blocks`` at ``width`` cells; ``before`` is the block above them."""
    lines: list[Line] = []
    for block in blocks:
        if before is not None and _apart(before, block):
            lines.append(_blank(before, block))
        lines.extend(_LAYOUTS.get(block.kind, _text)(block, width))
        before = block
    return lines


def _blank(before: Block, block: Block) -> Line:
    """A blank line; the bars of a quotation that goes on run through it."""
    bars = []
    for one, other in zip(before.rest, block.rest, strict=False):
        if one != other:
            break
        bars.append(one)
    return Line(tuple(bars)) if any(bar.style == "quote-bar" for bar in bars) else BLANK


def _apart(before: Block, block: Block) -> bool:
    """True if a blank line belongs between two blocks."""
    if block.kind in _JOINED:
        return False
    if block.gap or block.kind in _SPACED:
        return True
    return before.kind in _SPACED or before.kind in _JOINED


def slices(spans: Sequence[Span], ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[Span, ...]]:
    """``spans`` cut to ascending ranges of characters."""
    at = index = 0
    for start, end in ranges:
        line: list[Span] = []
        while index < len(spans) and at + len(spans[index].text) <= start:
            at += len(spans[index].text)
            index += 1
        seek, here = index, at
        while seek < len(spans) and here < end:
            span = spans[seek]
            stop = here + len(span.text)
            if here >= start and stop <= end:
                line.append(span)
            else:
                text = span.text[max(start - here, 0) : end - here]
                line.append(Span(text, span.style, span.target))
            here = stop
            seek += 1
        yield tuple(line)


def wrapped(spans: Sequence[Span], width: int) -> Iterator[tuple[int, int, tuple[Span, ...]]]:
    """Lines of at most ``width`` cells, with the range of characters each shows."""
    text = plain(spans)
    ranges: list[tuple[int, int]] = []
    at = 0
    for part in text.split("\n"):
        ranges.extend((at + start, at + end) for start, end in wrap(part, width))
        at += len(part) + 1
    for (start, end), line in zip(ranges, slices(spans, ranges), strict=True):
        yield start, end, line


def _prefixes(block: Block) -> Iterator[tuple[Span, ...]]:
    yield block.first
    while True:
        yield block.rest


def _text(block: Block, width: int) -> Iterator[Line]:
    first = plain(block.first)
    room = min(width, READABLE) - cell_len(first)
    prefixes = _prefixes(block)
    for start, end, spans in wrapped(block.spans, max(room, 8)):
        prefix = next(prefixes)
        yield Line((*prefix, *spans), block, start, end, len(plain(prefix)))


def _rule(block: Block, width: int) -> Iterator[Line]:
    room = max(1, min(width, READABLE) - cell_len(plain(block.first)))
    yield Line((*block.first, Span("─" * room, "rule")), block)


def _code_head(block: Block, _width: int) -> Iterator[Line]:
    label = (block.fence.language if block.fence else "") or "text"
    spans = (Span("  ", "code"), Span(label, "code-label", block.fence))
    yield Line((*block.first, *spans), block, fill="code")


def _code_foot(_block: Block, _width: int) -> Iterator[Line]:
    return iter(())


def _code(block: Block, width: int) -> Iterator[Line]:
    gutter = (*block.rest, Span("  ", "code"))
    indent = len(plain(gutter))
    room = max(8, width - cell_len(plain(block.rest)) - 3)
    text = block.plain
    if not text:
        yield Line(gutter, block, indent=indent, fill="code")
        return
    ranges = code_cuts(text, room)
    for (start, end), spans in zip(ranges, slices(block.spans, ranges), strict=True):
        yield Line((*gutter, *spans), block, start, end, indent, fill="code")


def code_cuts(text: str, width: int) -> list[tuple[int, int]]:
    """Code is cut where the line is full and loses no blank."""
    if cell_len(text) <= width:
        return [(0, len(text))]
    cuts: list[int] = [0]
    used = 0
    if text.isascii():
        cuts = list(range(0, len(text), width))
    else:
        for at, character in enumerate(text):
            cells = cell_len(character)
            if used + cells > width:
                cuts.append(at)
                used = 0
            used += cells
    return list(zip(cuts, [*cuts[1:], len(text)], strict=True))


def column_widths(natural: Sequence[int], width: int) -> list[int]:
    """Fit columns into ``width`` cells: the narrow ones whole, the wide ones share what is left."""
    widths = [max(1, cells) for cells in natural]
    room = width - 3 * (len(widths) - 1) - 2
    if sum(widths) <= room:
        return widths
    fair: dict[int, int] = {}
    for left, (cells, column) in zip(
        range(len(widths), 0, -1), sorted((w, i) for i, w in enumerate(widths)), strict=True
    ):
        fair[column] = min(cells, max(1, room // left))
        room -= fair[column]
    return [fair[column] for column in range(len(widths))]


def _aligned(spans: tuple[Span, ...], width: int, align: str) -> tuple[Span, ...]:
    free = max(0, width - cell_len(plain(spans)))
    left = {"right": free, "center": free // 2}.get(align, 0)
    before = (Span(" " * left),) if left else ()
    after = (Span(" " * (free - left)),) if free - left else ()
    return (*before, *spans, *after)


def _row(block: Block, width: int) -> Iterator[Line]:
    assert block.table is not None
    room = width - cell_len(plain(block.rest))
    widths = column_widths(block.table.widths, room)
    columns = [
        [spans for _, _, spans in wrapped(cell, size)]
        for cell, size in zip(block.cells, widths, strict=True)
    ]
    prefixes = _prefixes(block)
    for number in range(max(len(column) for column in columns)):
        line: list[Span] = list(next(prefixes))
        for index, (column, size) in enumerate(zip(columns, widths, strict=True)):
            cell = column[number] if number < len(column) else ()
            line.append(Span(" │ " if index else " ", "rule"))
            line.extend(_aligned(cell, size, block.table.aligns[index]))
        yield Line(tuple(line), block)


def _header(block: Block, width: int) -> Iterator[Line]:
    assert block.table is not None
    yield from _row(block, width)
    widths = column_widths(block.table.widths, width - cell_len(plain(block.rest)))
    rule = "┼".join("─" * (size + 2) for size in widths)
    yield Line((*block.rest, Span(rule, "rule")), block)


_LAYOUTS = {
    "rule": _rule,
    "code_head": _code_head,
    "code": _code,
    "code_foot": _code_foot,
    "header": _header,
    "row": _row,
}
