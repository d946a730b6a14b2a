"""Markdown to blocks, by markdown-it: whole short texts, never the growing document."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import field
from functools import lru_cache
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from aircher.domain.classes import dataclass
from aircher.domain.inert import inert
from aircher.domain.regexes import regex
from aircher.tui.widgets.transcript.blocks import Block, Fence, Link, Span, Table, plain
from aircher.tui.widgets.transcript.cells import cell_len
from aircher.tui.widgets.transcript.highlight import LineHighlighter, lexer_for

BULLETS = "•◦▪"
SAMPLE_ROWS = 24
"""A table's columns are as wide as its header and first rows need; later cells wrap in them.
So a row that arrives never moves those above it."""

LONGEST_LINE = 8_000
"""Characters; a longer line (data, an endless loop of a model) is shown without its markup: the
time that brackets and stars take to match may grow with the square."""

_ACTIVE = regex(r"[\\`*_~\[\]<>&!\n]|://|www\.|@")
_BREAK = regex(r"<br\s*/?>", re.IGNORECASE)
_STYLE_OF = {"strong": "strong", "em": "em", "s": "strike", "link": "link"}
_TASKS = {"[ ] ": Span("☐ ", "bullet"), "[x] ": Span("☑ ", "bullet"), "[X] ": Span("☑ ", "bullet")}

Environment = MutableMapping[str, Any]


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"linkify": True}).enable(["table", "strikethrough", "linkify"])


def inline(text: str, env: Environment, style: str = "") -> tuple[Span, ...]:
    """The spans of one paragraph's text."""
    if len(text) > LONGEST_LINE or not _ACTIVE.search(text):
        return (Span(text, style),) if text else ()
    [token] = _parser().parseInline(text, env)
    return tuple(_spans(token.children or [], style))


def _spans(tokens: Sequence[Token], base: str) -> Iterator[Span]:
    styles = [base] if base else []
    url = ""
    for token in tokens:
        name = token.type.partition("_")[0]
        if token.nesting and name in _STYLE_OF:
            if token.nesting > 0:
                styles.append(_STYLE_OF[name])
                url = str(token.attrs.get("href", "")) if name == "link" else url
            else:
                styles.remove(_STYLE_OF[name])
                url = "" if name == "link" else url
            continue
        text, extra = _leaf(token)
        if text:
            # An entity such as &#x202e; becomes a character here, behind the boundary's back.
            text = inert(text)
            target = Link(inert(url), text) if url else None
            yield Span(text, " ".join([*styles, *extra]), target)


def _leaf(token: Token) -> tuple[str, tuple[str, ...]]:
    """Text and extra styles of a token that stands for itself."""
    match token.type:
        case "code_inline":
            return token.content, ("inline-code",)
        case "softbreak":
            return " ", ()
        case "hardbreak":
            return "\n", ()
        case "html_inline" if _BREAK.fullmatch(token.content):
            return "\n", ()
        case "image":
            return f"[image: {token.content or token.attrs.get('src', '')}]", ("link",)
        case _:
            return token.content, ()


@dataclass
class Margin:
    """What stands left of the text: once before the first line, then before the others."""

    first: tuple[Span, ...] = ()
    rest: tuple[Span, ...] = ()

    def take(self) -> tuple[Span, ...]:
        """The prefix of the next first line; bullets are used up."""
        taken, self.first = self.first, self.rest
        return taken

    def inside(self, marker: Span, after: Span) -> Margin:
        """A margin one level deeper."""
        return Margin((*self.take(), marker), (*self.rest, after))


def bullet(depth: int) -> str:
    """The bullet of a list ``depth`` levels deep."""
    return f"{BULLETS[depth % len(BULLETS)]} "


def code_blocks(fence: Fence, margin: Margin, start: int) -> Iterator[Block]:
    """The blocks of a whole code block whose first line of code is source line ``start``."""
    highlighter = LineHighlighter(lexer_for(fence.language))
    done = [spans for line in fence.lines for spans in highlighter.feed(line.expandtabs(4))]
    for number, spans in enumerate([*done, *highlighter.finish()], start):
        yield Block("code", spans, number, number + 1, margin.rest, margin.rest, fence=fence)


def table_blocks(
    header: Sequence[tuple[Span, ...]],
    rows: Sequence[tuple[tuple[Span, ...], ...]],
    aligns: tuple[str, ...],
    margin: Margin,
    start: int,
) -> Iterator[Block]:
    """The header and rows of a table that begins at source line ``start``."""
    sample = [tuple(header), *rows[:SAMPLE_ROWS]]
    widths = tuple(
        max(
            max((cell_len(part) for part in plain(row[i]).split("\n")), default=0) for row in sample
        )
        for i in range(len(header))
    )
    table = Table(widths, aligns)
    first = margin.take()
    yield Block(
        "header", (), start, start + 2, first, margin.rest, table=table, cells=tuple(header)
    )
    for number, row in enumerate(rows, start + 2):
        yield Block("row", (), number, number + 1, margin.rest, margin.rest, table=table, cells=row)


@dataclass
class _Walk:
    """A pass over markdown-it's block tokens."""

    env: Environment
    margins: list[Margin]
    offset: int
    styles: list[str] = field(default_factory=list)
    counters: list[int | None] = field(default_factory=list)

    def blocks(self, tokens: Sequence[Token]) -> Iterator[Block]:
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if token.type == "table_open":
                close = next(i for i in range(at, len(tokens)) if tokens[i].type == "table_close")
                yield from self._table(tokens[at : close + 1])
                at = close
            elif token.nesting:
                self._enter(token) if token.nesting > 0 else self._leave(token)
            else:
                yield from self._leaf(token, tokens[at - 1] if at else token)
            at += 1

    def _enter(self, token: Token) -> None:
        margin = self.margins[-1]
        match token.type:
            case "blockquote_open":
                self.margins.append(margin.inside(Span("▏ ", "quote-bar"), Span("▏ ", "quote-bar")))
                self.styles.append("quote")
            case "bullet_list_open":
                self.counters.append(None)
            case "ordered_list_open":
                self.counters.append(int(token.attrs.get("start", 1)))
            case "list_item_open":
                number = self.counters[-1]
                text = bullet(len(self.counters) - 1) if number is None else f"{number}. "
                if number is not None:
                    self.counters[-1] = number + 1
                marker = Span(text, "bullet")
                self.margins.append(margin.inside(marker, Span(" " * len(text))))
            case _:
                pass

    def _leave(self, token: Token) -> None:
        if token.type in {"blockquote_close", "list_item_close"}:
            self.margins.pop()
        if token.type == "blockquote_close":
            self.styles.pop()
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            self.counters.pop()

    def _lines(self, token: Token) -> tuple[int, int]:
        start, end = token.map or [0, 0]
        return self.offset + start, self.offset + end

    def _leaf(self, token: Token, opener: Token) -> Iterator[Block]:
        margin = self.margins[-1]
        start, end = self._lines(token)
        style = " ".join(self.styles)
        match token.type:
            case "inline" if opener.type == "heading_open":
                name = f"heading heading-{opener.tag[1:]}"
                spans = tuple(_spans(token.children or [], f"{style} {name}".strip()))
                yield Block(
                    "heading", spans, start, self._lines(opener)[1], margin.take(), margin.rest
                )
            case "inline":
                spans = tuple(_spans(token.children or [], style))
                yield Block("text", spans, start, end, margin.take(), margin.rest)
            case "hr":
                yield Block("rule", (), start, end, margin.take(), margin.rest)
            case "fence" | "code_block":
                fenced = token.type == "fence"
                fence = Fence(language_of(token.info), token.content.removesuffix("\n").split("\n"))
                first = margin.take()
                if fenced:
                    yield Block("code_head", (), start, start + 1, first, margin.rest, fence=fence)
                yield from code_blocks(fence, margin, start + fenced)
                if fenced:
                    yield Block("code_foot", (), end - 1, end, fence=fence)
            case "html_block":
                for number, line in enumerate(token.content.removesuffix("\n").split("\n"), start):
                    spans = (Span(inert(line), style),)
                    yield Block("literal", spans, number, number + 1, margin.take(), margin.rest)
            case _:
                pass

    def _table(self, tokens: Sequence[Token]) -> Iterator[Block]:
        rows: list[list[tuple[Span, ...]]] = []
        aligns: list[str] = []
        for token in tokens:
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "th_open":
                aligns.append(str(token.attrs.get("style", "")).removeprefix("text-align:"))
            elif token.type == "inline":
                rows[-1].append(tuple(_spans(token.children or [], " ".join(self.styles))))
        start, _ = self._lines(tokens[0])
        body = [tuple(row) for row in rows[1:]]
        yield from table_blocks(rows[0], body, tuple(aligns), self.margins[-1], start)


def language_of(info: str) -> str:
    """The language of a fence's info string: ``python title="x"`` and ``{.python}`` are both Python."""
    words = info.strip().strip("{}.").replace(",", " ").split()
    return words[0].lower() if words else ""


def long_text(text: str, style: str, start: int, end: int, margin: Margin) -> Iterator[Block]:
    """An endless line in pieces, so that no more than one has to be laid out at a stretch.

    A piece ends behind a blank where there is one.
    """
    at = 0
    while at < len(text):
        stop = at + LONGEST_LINE
        if stop < len(text):
            stop = text.rfind(" ", at + LONGEST_LINE // 2, stop) + 1 or stop
        spans = (Span(text[at:stop], style),)
        yield Block("piece", spans, start, end, margin.take(), margin.rest)
        at = stop


def flow_blocks(lines: Sequence[str], start: int, margin: Margin, env: Environment) -> list[Block]:
    """The blocks of a piece of Markdown whose first line is source line ``start``."""
    lines = list(lines)
    if margin.first != margin.rest and (task := _TASKS.get(lines[0][:4])):
        margin.first = (*margin.first[:-1], task)
        lines[0] = lines[0][4:]
    if any(len(line) > LONGEST_LINE for line in lines):
        return list(long_text("\n".join(lines), "", start, start + len(lines), margin))
    if len(lines) == 1 and not _ACTIVE.search(lines[0]) and lines[0][:1].isalpha():
        return [
            Block("text", (Span(lines[0].rstrip()),), start, start + 1, margin.take(), margin.rest)
        ]
    tokens = _parser().parse("\n".join(lines), env)
    blocks = list(_Walk(env, [margin], start).blocks(tokens))
    for before, block in pairwise(blocks):
        block.gap = block.start > before.end
    return blocks
