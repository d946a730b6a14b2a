"""The width-independent pieces of a rendered text.

A text is parsed once into blocks; only their layout depends on the width.  Styles are names
(space separated) that the palette turns into colours at the very last moment, so neither a
resize nor a new theme parses anything again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import Literal, NamedTuple

from aircher.domain.classes import dataclass


class Link(NamedTuple):
    """Where a link points and what it says."""

    url: str
    label: str


@dataclass(eq=False, slots=True)
class Fence:
    """One code block; ``lines`` are its source lines without the fence's own indentation."""

    language: str
    lines: list[str] = field(default_factory=list)

    @property
    def code(self) -> str:
        """The code as written, one newline at the end of each line."""
        return "".join(f"{line}\n" for line in self.lines)


@dataclass(frozen=True, slots=True)
class Fold:
    """The heading that opens and closes a message's thinking."""

    key: int


Target = Link | Fence | Fold
"""What a click or Enter can act on."""


class Span(NamedTuple):
    """A run of text in one style (names, space separated)."""

    text: str
    style: str = ""
    target: Target | None = None


Kind = Literal[
    "text", "piece", "heading", "literal", "rule", "code_head", "code", "code_foot", "header", "row"
]


@dataclass(eq=False, slots=True)
class Table:
    """What the rows of one table share: natural column widths in cells, and alignment."""

    widths: tuple[int, ...]
    aligns: tuple[str, ...]


@dataclass(eq=False, slots=True)
class Block:
    """One paragraph, heading, line of code or table row.

    ``start`` and ``end`` are source lines (end excluded); ``first`` stands before the first
    visual line, ``rest`` before the others; ``gap`` says that the source left a line blank
    before it.
    """

    kind: Kind
    spans: tuple[Span, ...] = ()
    start: int = 0
    end: int = 0
    first: tuple[Span, ...] = ()
    rest: tuple[Span, ...] = ()
    gap: bool = False
    fence: Fence | None = None
    table: Table | None = None
    cells: tuple[tuple[Span, ...], ...] = ()

    @property
    def plain(self) -> str:
        """The visible text, unwrapped."""
        return plain(self.spans)


def plain(spans: Iterable[Span]) -> str:
    """The text of ``spans`` without styles."""
    return "".join(span.text for span in spans)
