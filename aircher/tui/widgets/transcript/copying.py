"""What a selection copies: the source, without wraps, gutters and bullets of our making.

A block that is selected whole gives its Markdown as written; a part of one gives the words
shown; inside a code block only code counts, unless the selection reaches beyond it, which
takes the fence along.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from aircher.tui.widgets.transcript.blocks import Block
from aircher.tui.widgets.transcript.layout import Line
from aircher.tui.widgets.transcript.message import Message


class Place(NamedTuple):
    """A character on a visual line of a message."""

    line: int
    column: int


def copied(message: Message, start: Place | None, end: Place | None) -> str:
    """The text between two places (None: from the beginning, to the end), end excluded."""
    lines = message.lines
    low = start or Place(0, 0)
    high = end or Place(len(lines), 0)
    if start is None and end is None:
        return message.source
    shown = [
        (number, line)
        for number, line in enumerate(lines)
        if low.line <= number <= high.line and line.block is not None
    ]
    if not shown:
        return ""
    (first_at, first), (last_at, last) = shown[0], shown[-1]
    begin = _offset(first, low.column) if first_at == low.line else first.start
    stop = _offset(last, high.column) if last_at == high.line else last.end
    assert first.block is not None
    assert last.block is not None
    blocks = message.blocks_between(first.block, last.block)
    return _joined(message, blocks, begin, stop)


def _offset(line: Line, column: int) -> int:
    """A column to a position in the line's block."""
    return min(max(line.start, line.start + column - line.indent), line.end)


def _joined(message: Message, blocks: Sequence[Block], begin: int, stop: int) -> str:
    if not blocks:
        return ""
    if len(blocks) == 1:
        return _part(message, blocks[0], begin, stop)
    one_fence = blocks[0].fence is not None and all(b.fence is blocks[0].fence for b in blocks)
    if one_fence:
        # The selection began on the label: the code is meant, not the fence.
        blocks = [block for block in blocks if block.kind == "code"]
    text = ""
    before: Block | None = None
    for block in blocks:
        low = begin if block is blocks[0] else 0
        high = stop if block is blocks[-1] else len(block.plain)
        if before is not None and not _goes_on(before, block):
            text += "\n\n" if block.start > before.end else "\n"
        text += _part(message, block, low, high)
        before = block
    return text


def _goes_on(before: Block, block: Block) -> bool:
    """True for two pieces of one endless line."""
    return before.kind == block.kind == "piece" and before.start == block.start


def _part(message: Message, block: Block, begin: int, stop: int) -> str:
    if begin > 0 or stop < len(block.plain) or block.kind == "piece":
        return block.plain[begin:stop]
    if block.fence is not None and block.kind == "code":
        return block.fence.lines[_row(message, block)]
    return "\n".join(message.source_lines(block))


def _row(message: Message, block: Block) -> int:
    """Which line of its fence a block of code is."""
    rows = [b for b in message.body.blocks if b.fence is block.fence and b.kind == "code"]
    return next((i for i, b in enumerate(rows) if b is block), 0)
