"""What can be open between two lines of Markdown, and how a line says what it begins."""

from __future__ import annotations

from dataclasses import field, replace

from aircher.domain.classes import dataclass
from aircher.domain.regexes import regex
from aircher.tui.widgets.transcript.blocks import Fence, Span, Table
from aircher.tui.widgets.transcript.highlight import LineHighlighter

FENCE = regex(r"(`{3,}|~{3,})(.*)")
MARKER = regex(r"(?:([-*+])|(\d{1,9})([.)]))(?=\s|$)")
RULE = regex(r"(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$")
HEADING = regex(r"#{1,6}(?:\s|$)")
SETEXT = regex(r"(?:=+|-+)\s*$")
DELIMITERS = regex(r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_CELL_BAR = regex(r"(?<!\\)\|")


@dataclass(slots=True)
class Item:
    """An open list item: its text starts at column ``content``; ``mark`` names its list."""

    content: int
    mark: str
    ordinal: int
    rest: tuple[Span, ...]


@dataclass(slots=True)
class Flow:
    """Open text for markdown-it: a paragraph, a quote, a heading, HTML, indented code."""

    start: int
    lines: list[str]
    size: int = 0

    @property
    def is_quote(self) -> bool:
        """True for a quotation."""
        return self.lines[0].lstrip().startswith(">")

    def clone(self) -> Flow:
        """A copy that can grow apart."""
        return replace(self, lines=list(self.lines))


@dataclass(slots=True)
class Code:
    """An open fence."""

    fence: Fence
    marker: str
    indent: int
    colors: LineHighlighter
    next_line: int

    def clone(self) -> Code:
        """A copy that can grow apart; the source lines stay shared."""
        return replace(self, colors=self.colors.clone())


@dataclass(slots=True)
class Rows:
    """An open table; ``settled`` once its column widths are."""

    start: int
    header: tuple[tuple[Span, ...], ...]
    aligns: tuple[str, ...]
    rows: list[tuple[tuple[Span, ...], ...]] = field(default_factory=list)
    settled: Table | None = None

    def clone(self) -> Rows:
        """A copy that can grow apart."""
        return replace(self, rows=list(self.rows))


def split_cells(row: str) -> list[str]:
    """The cells of a table's row; an escaped bar does not part cells."""
    row = row.strip().removeprefix("|")
    if row.endswith("|") and not row.endswith("\\|"):
        row = row[:-1]
    return [cell.strip().replace("\\|", "|") for cell in _CELL_BAR.split(row)]


def starts_block(body: str) -> bool:
    """True for a line that ends a paragraph without a blank line."""
    return bool(
        body[0] in "#>`~-*+_0123456789"
        and (
            HEADING.match(body)
            or body[0] == ">"
            or FENCE.match(body)
            or RULE.match(body)
            or MARKER.match(body)
        )
    )
