"""Cuts Markdown into blocks line by line, so that no line is parsed twice.

What is open at any time is small: one paragraph, one list item's text, a window of a code
fence, the sample rows of a table.  A piece is closed by the first line that cannot belong to
it.  Where pieces are cut depends on the lines alone, never on when they come.

Two liberties against CommonMark, both for the answers models write: a fence inside a list item
ends only at its closing fence, however its lines are indented, and an item is as tight as the
source around it, not as its whole list.
"""

from __future__ import annotations

import re
from dataclasses import field, replace
from typing import Any

from aircher.domain.classes import dataclass
from aircher.tui.widgets.transcript.blocks import Block, Fence, Span
from aircher.tui.widgets.transcript.highlight import LineHighlighter, lexer_for
from aircher.tui.widgets.transcript.markdown import (
    LONGEST_LINE,
    SAMPLE_ROWS,
    Margin,
    bullet,
    flow_blocks,
    inline,
    language_of,
    long_text,
    table_blocks,
)
from aircher.tui.widgets.transcript.pieces import (
    DELIMITERS,
    FENCE,
    HEADING,
    MARKER,
    RULE,
    SETEXT,
    Code,
    Flow,
    Item,
    Rows,
    split_cells,
    starts_block,
)

LONGEST_PIECE = 6_000
"""Characters of one paragraph that may be parsed together; a longer one is cut at a line end."""


@dataclass(slots=True)
class Cutter:
    """The state between two lines.

    ``blocks`` are settled: no later line changes them.  ``marker`` is a list marker whose text
    has not come yet; ``env`` holds the link definitions met so far.
    """

    verbatim: bool = False
    style: str = ""
    env: dict[str, Any] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    open: Flow | Code | Rows | None = None
    gap: bool = False
    marker: tuple[Span, ...] | None = None
    number: int = 0
    is_preview: bool = False

    def fork(self) -> Cutter:
        """A cutter that goes on from here without blocks, leaving this one as it is."""
        return replace(
            self,
            is_preview=True,
            blocks=[],
            items=list(self.items),
            open=self.open.clone() if self.open else None,
            env={"references": dict(self.env.get("references", {}))},
        )

    def line(self, line: str, *, shared: bool = False) -> None:
        """Take the next line of the source.

        ``shared``: the open fence's source belongs to another cutter too and stays as it is.
        """
        number, self.number = self.number, self.number + 1
        if isinstance(self.open, Code):
            self._code_line(self.open, line, shared=shared)
            return
        if not line.strip():
            self._close()
            self.gap = True
            return
        if self.verbatim:
            self._verbatim_line(line, number)
        else:
            self._markdown_line(line.expandtabs(4) if "\t" in line[:16] else line, number)

    def _verbatim_line(self, line: str, number: int) -> None:
        if fence := FENCE.match(line):
            self._open_fence(fence, 0, number)
            return
        line = line.expandtabs(4)
        if len(line) > LONGEST_LINE:
            self._emit(list(long_text(line, self.style, number, number + 1, Margin())))
            return
        self._emit([Block("literal", (Span(line, self.style),), number, number + 1)])

    def _markdown_line(self, line: str, number: int) -> None:
        indent = len(line) - len(line.lstrip(" "))
        body = line[indent:]
        starts = starts_block(body)
        closed: Item | None = None
        while self.items and indent < self.items[-1].content:
            if isinstance(self.open, Flow) and not starts and not self._table_at(body):
                break  # a paragraph goes on lazily
            closed = self._leave_item()
        base = self.items[-1].content if self.items else 0
        relative = indent - base
        if relative >= 4 or (relative < 0 and not starts):
            self._flow_line(line[min(indent, base) :], number)
            return
        marker = None if RULE.match(body) else MARKER.match(body)
        if marker and not self._interrupts(marker, body):
            marker = None
        if marker:
            self._open_item(marker, line, indent, number, closed)
        elif (fence := FENCE.match(body)) and not (fence[1][0] == "`" and "`" in fence[2]):
            self._close()
            self._open_fence(fence, indent, number)
        elif isinstance(self.open, Rows) and not starts:
            self._row(self.open, body, number)
        else:
            self._text_line(line[min(indent, base) :], body, number)

    def _text_line(self, line: str, body: str, number: int) -> None:
        """A line that is no list marker, fence or table row."""
        flow = self.open if isinstance(self.open, Flow) else None
        if flow and SETEXT.match(body) and not flow.is_quote:
            self._flow_line(line, number)
            self._close()
        elif RULE.match(body) or HEADING.match(body):
            self._close()
            self._flow_line(line, number)
            self._close()
        elif self._table_at(body):
            self._open_table(body, number)
        else:
            quote_after_text = flow and body[0] == ">" and not flow.is_quote
            if quote_after_text or isinstance(self.open, Rows):
                self._close()
            self._flow_line(line, number)

    def _interrupts(self, marker: re.Match[str], body: str) -> bool:
        """CommonMark: only a filled bullet or a list from 1 may cut a paragraph short."""
        if not isinstance(self.open, Flow):
            return True
        return bool(body[marker.end() :].strip()) and (marker[2] in {None, "1"} or bool(self.items))

    def _flow_line(self, line: str, number: int) -> None:
        if isinstance(self.open, Flow) and self.open.size > LONGEST_PIECE:
            self._close()
        if not isinstance(self.open, Flow):
            self._close()
            self.open = Flow(number, [])
        self.open.lines.append(line)
        self.open.size += len(line)

    # Lists

    def _open_item(
        self, marker: re.Match[str], line: str, indent: int, number: int, closed: Item | None
    ) -> None:
        self._close()
        mark = marker[1] or marker[3]
        ordinal = int(marker[2] or 0)
        if closed and closed.mark == mark:
            ordinal = closed.ordinal + 1
        depth = len(self.items)
        outer = self.items[-1].rest if self.items else ()
        text = bullet(depth) if marker[1] else f"{ordinal}. "
        self.marker = (*(outer if self.marker is None else self.marker), Span(text, "bullet"))
        after = line[indent + marker.end() :]
        blanks = len(after) - len(after.lstrip(" "))
        blanks = blanks if after.strip() and blanks <= 4 else 1
        content = indent + marker.end() + blanks
        self.items.append(Item(content, mark, ordinal, (*outer, Span(" " * len(text)))))
        if after.strip():
            self._markdown_line(" " * content + after[blanks:], number)
        else:
            self.open = None

    # Fences

    def _open_fence(self, fence: re.Match[str], indent: int, number: int) -> None:
        self._close()
        language = language_of(fence[2])
        code = Fence(language)
        margin = self._margin()
        self._emit(
            [Block("code_head", (), number, number + 1, margin.take(), margin.rest, fence=code)]
        )
        self.open = Code(code, fence[1], indent, LineHighlighter(lexer_for(language)), number + 1)

    def _code_line(self, code: Code, line: str, *, shared: bool) -> None:
        body = line.strip()
        if (
            len(body) >= len(code.marker)
            and not body.strip(code.marker[0])
            and len(line) - len(line.lstrip()) < code.indent + 4
        ):
            self._close()
            self._emit([Block("code_foot", (), self.number - 1, self.number, fence=code.fence)])
            return
        indent = min(code.indent, len(line) - len(line.lstrip(" ")))
        line = line[indent:]
        if not shared:
            code.fence.lines.append(line)
        self._emit_code(code, code.colors.feed(line.expandtabs(4)))

    def _emit_code(self, code: Code, lines: list[tuple[Span, ...]]) -> None:
        rest = self._margin().rest
        for spans in lines:
            at = code.next_line
            self.blocks.append(Block("code", spans, at, at + 1, rest, rest, fence=code.fence))
            code.next_line = at + 1

    # Tables

    def _table_at(self, body: str) -> bool:
        """True if ``body`` makes the open paragraph's last line a table's header."""
        if not isinstance(self.open, Flow) or "|" not in self.open.lines[-1]:
            return False
        if not DELIMITERS.match(body) or self.open.is_quote:
            return False
        return len(split_cells(self.open.lines[-1])) == len(split_cells(body))

    def _open_table(self, body: str, number: int) -> None:
        assert isinstance(self.open, Flow)
        header = self.open.lines.pop()
        if self.open.lines:
            self._close()
        else:
            self.open = None
        aligns = tuple(
            "center" if cell[0] == cell[-1] == ":" else "right" if cell[-1] == ":" else "left"
            for cell in split_cells(body)
        )
        cells = tuple(inline(cell, self.env, "strong") for cell in split_cells(header))
        self.open = Rows(number - 1, cells, aligns)

    def _row(self, table: Rows, body: str, number: int) -> None:
        cells = [inline(cell, self.env) for cell in split_cells(body)][: len(table.header)]
        row = (*cells, *[()] * (len(table.header) - len(cells)))
        rest = self._margin().rest
        if table.settled:
            self.blocks.append(
                Block("row", (), number, number + 1, rest, rest, table=table.settled, cells=row)
            )
            return
        table.rows.append(row)
        if len(table.rows) == SAMPLE_ROWS:
            blocks = self._table_blocks(table)
            self._emit(blocks)
            table.settled = blocks[0].table

    def _table_blocks(self, table: Rows) -> list[Block]:
        margin = self._margin()
        return list(table_blocks(table.header, table.rows, table.aligns, margin, table.start))

    # Settling

    def _margin(self) -> Margin:
        rest = self.items[-1].rest if self.items else ()
        return Margin(rest if self.marker is None else self.marker, rest)

    def _close(self) -> None:
        """Turn what is open into blocks."""
        what, self.open = self.open, None
        match what:
            case Flow():
                self._emit(flow_blocks(what.lines, what.start, self._margin(), self.env))
            case Code():
                colors = what.colors
                self._emit_code(what, colors.flush() if self.is_preview else colors.finish())
            case Rows() if what.settled is None:
                self._emit(self._table_blocks(what))
            case _:
                pass

    def _leave_item(self) -> Item:
        """Close the innermost item; one without any text still shows its marker."""
        self._close()
        if self.marker is not None:
            margin = self._margin()
            at = self.number - 1
            gap, self.gap = self.gap, False  # a blank line since then stands below it
            self._emit([Block("text", (), at, at, margin.first, margin.rest)])
            self.gap = gap
        return self.items.pop()

    def settle(self) -> None:
        """Close everything."""
        self._close()
        while self.items:
            self._leave_item()

    def _emit(self, blocks: list[Block]) -> None:
        if not blocks:
            return
        blocks[0].gap = self.gap
        self.gap = False
        self.marker = None
        self.blocks.extend(blocks)
