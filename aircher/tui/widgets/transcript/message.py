"""One message of the conversation: its source, and its lines at the present width."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from aircher.domain.classes import dataclass
from aircher.domain.inert import inert
from aircher.tui.widgets.transcript.blocks import Block, Fence, Fold, Span
from aircher.tui.widgets.transcript.budget import ENDLESS, LEAST_BLOCKS, Budget
from aircher.tui.widgets.transcript.cells import cell_len, wrap
from aircher.tui.widgets.transcript.document import Document
from aircher.tui.widgets.transcript.layout import BLANK, READABLE, Line, lay_out

Role = Literal["user", "assistant", "seam", "notice", "error"]
State = Literal["streaming", "ok", "stopped", "failed"]

GUTTER = 2
"""Cells left of all text, where a user's message has its bar."""
_MARGIN = Span(" " * GUTTER)
_BARS = {"user": Span("▌ ", "user-bar")}
_FIRST = {
    "seam": Span("⇢ ", "seam"),
    "notice": Span("· ", "notice"),
    "error": Span("✗ ", "error"),
}
_STYLES = {"user": "user", "seam": "seam", "notice": "notice", "error": "error"}
_MARKS = {"stopped": ("■", "stopped"), "failed": ("✗", "failed")}


@dataclass(frozen=True, slots=True)
class Entry:
    """A finished message, as it is loaded from a stored conversation."""

    role: Role
    text: str
    title: str = ""
    thinking: str = ""
    footer: str = ""
    state: State = "ok"


class Section:
    """A document's lines: those of settled blocks are kept, the open tail is laid out anew.

    Where all of it has to be laid out again (a new width, links that were defined at the end),
    the old lines stay until the new ones are as many or complete.
    """

    def __init__(self, document: Document, bar: Span, mark: Span | None = None) -> None:
        self.document = document
        self._bar = bar
        self._mark = mark or bar
        self.lines: list[Line] = []
        self.blocks: list[Block] = []
        self._draft = self.lines
        self._blocks = 0
        self._lines = 0
        self._shape = (0, 0)

    @property
    def is_behind(self) -> bool:
        """True while ``lines`` lack something, because a budget was spent."""
        return self.document.is_behind or self._blocks < len(self.document.blocks)

    def update(self, width: int, budget: Budget) -> None:
        """Bring ``lines`` up to date, as far as the budget goes."""
        self.document.work(budget)
        settled = self.document.blocks
        if self._shape != (shape := (width, self.document.version)):
            self._shape, self._blocks, self._lines = shape, 0, 0
            self._draft = []
        del self._draft[self._lines :]
        self._lay_out_settled(settled, width, budget)
        whole = self._blocks == len(settled)
        tail = self.document.tail() if whole else []
        self._add(lay_out(tail, width, settled[-1] if settled else None))
        if whole or len(self._draft) >= len(self.lines):
            self.lines = self._draft
            self.blocks = [*settled, *tail] if tail else settled

    def _lay_out_settled(self, settled: list[Block], width: int, budget: Budget) -> None:
        while self._blocks < len(settled):
            before = settled[self._blocks - 1] if self._blocks else None
            some = settled[self._blocks : self._blocks + LEAST_BLOCKS]
            self._add(lay_out(some, width, before))
            self._blocks += len(some)
            self._lines = len(self._draft)
            if budget.spent:
                return

    def _add(self, lines: list[Line]) -> None:
        """``lines`` behind the bar; the very first one behind the mark."""
        for line in lines:
            self._draft.append(_behind(line, self._bar if self._draft else self._mark))


class Message:
    """Source and lines of one message.

    Nothing is parsed before ``update``: a message that was never on the screen has only an
    estimated height.
    """

    def __init__(self, key: int, role: Role, title: str = "", state: State = "streaming") -> None:
        self.key = key
        self.role: Role = role
        self.title = inert(title)
        self.footer = ""
        self.state: State = state
        self.unfolded = False
        self.thinking: Section | None = None
        self._bar = _BARS.get(role, _MARGIN)
        document = Document(verbatim=role != "assistant", style=_STYLES.get(role, ""))
        self.body = Section(document, self._bar, _FIRST.get(role))
        self.lines: list[Line] = []
        self.width = 0
        self.height = 0
        self._waiting: list[str] = []
        self._thoughts: list[str] = []
        self._words = 0
        self._last_thought = " "

    @property
    def source(self) -> str:
        """The text as it came."""
        return self.body.document.text + "".join(self._waiting)

    @property
    def is_laid_out(self) -> bool:
        """False for a message that only has an estimated height."""
        return self.width > 0

    def append(self, text: str) -> None:
        """More text; cheap: nothing is parsed yet."""
        self._waiting.append(inert(text))

    def append_thinking(self, text: str) -> None:
        """More reasoning."""
        self._thoughts.append(inert(text))

    def finish(self, footer: str, state: State) -> None:
        """The message is whole."""
        self.footer, self.state = inert(footer), state

    def _drain(self, budget: Budget) -> None:
        """Hand what came to the documents, which read it as far as the budget goes."""
        if self._waiting:
            self.body.document.feed("".join(self._waiting), budget)
            self._waiting.clear()
        if self._thoughts:
            if self.thinking is None:
                bar = Span("  │ ", "thinking-bar")
                self.thinking = Section(Document(verbatim=True, style="thinking"), bar)
            text = "".join(self._thoughts)
            self.thinking.document.feed(text, budget)
            self._words += words_added(self._last_thought, text)
            self._thoughts.clear()
            self._last_thought = text[-1:] or self._last_thought
        if self.state != "streaming":
            for section in self._sections:
                section.document.finish(budget)

    @property
    def _sections(self) -> list[Section]:
        return [self.body] if self.thinking is None else [self.thinking, self.body]

    @property
    def is_behind(self) -> bool:
        """True while ``lines`` lack something, because a budget was spent."""
        body, thinking = self.body, self.thinking
        return body.is_behind or bool(thinking and self.unfolded and thinking.is_behind)

    def estimate(self, width: int) -> int:
        """A height in lines, from lengths alone."""
        lines = 2 + bool(self.title) + bool(self.footer) + bool(self._thoughts)
        text = "".join(self._waiting)
        return lines + text.count("\n") + len(text) // max(20, min(width, READABLE))

    def update(self, width: int, budget: Budget = ENDLESS) -> None:
        """Lay out what changed, for a widget of ``width`` cells, as far as the budget goes."""
        self._drain(budget)
        room = max(8, width - GUTTER)
        self.width = width
        lines = [BLANK, *self._heading(room)]
        if self.thinking is not None:
            lines.extend(self._reasoning(self.thinking, room, budget))
        self.body.update(room, budget)
        self.lines = [*lines, *self.body.lines, *self._foot(room)]
        self.height = len(self.lines)

    def _heading(self, room: int) -> Iterator[Line]:
        if self.title:
            yield _behind(Line((Span(_cut(self.title, room), "title"),)), self._bar)

    def _reasoning(self, section: Section, room: int, budget: Budget) -> Iterator[Line]:
        busy = self.state == "streaming" and self.body.document.is_empty
        fold, name = "▾" if self.unfolded else "▸", "Thinking" if busy else "Thought"
        label = f"{fold} {name} · {self._words:,} words"
        if busy and not self.unfolded:
            free = room - cell_len(label) - 5
            preview = " ".join(section.document.end(400).split())[-free:]
            label += f" · …{preview}" if free > 12 and preview else ""
        yield _behind(Line((Span(_cut(label, room), "thinking-label", Fold(self.key)),)), self._bar)
        if self.unfolded:
            section.update(room - 2, budget)
            yield from section.lines
        yield BLANK

    def _foot(self, room: int) -> Iterator[Line]:
        mark, word = _MARKS.get(self.state, ("", ""))
        text = f"{mark} {self.footer or word}".strip()
        style = "error" if self.state == "failed" else "footer"
        for start, end in wrap(text, room) if text else ():
            yield _behind(Line((Span(text[start:end], style),)), self._bar)

    @property
    def fences(self) -> list[Fence]:
        """The code blocks, in order."""
        return [
            block.fence
            for block in self.body.blocks
            if block.kind == "code_head" and block.fence is not None
        ]

    def source_lines(self, block: Block) -> list[str]:
        """The lines of the source that ``block`` was made of."""
        for section in self._sections:
            if any(one is block for one in section.blocks):
                return section.document.lines[block.start : block.end]
        return []

    def blocks_between(self, first: Block, last: Block) -> list[Block]:
        """The blocks from ``first`` to ``last``, thinking before text."""
        unfolded = self.thinking.blocks if self.thinking is not None and self.unfolded else []
        blocks = [*unfolded, *self.body.blocks]
        ends = [i for i, block in enumerate(blocks) if block is first or block is last]
        return blocks[ends[0] : ends[-1] + 1] if ends else []


def words_added(before: str, text: str) -> int:
    """Words that begin in ``text``, which follows the character ``before``."""
    goes_on = not before.isspace() and not text[:1].isspace()
    return len(text.split()) - (goes_on and bool(text))


def _behind(line: Line, bar: Span) -> Line:
    """``line`` with ``bar`` before it."""
    return line._replace(spans=(bar, *line.spans), indent=line.indent + len(bar.text))


def _cut(text: str, width: int) -> str:
    """The beginning of ``text`` that fits ``width`` cells, with an ellipsis if cut."""
    text = text.replace("\n", " ")
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) > width - 1:
        text = text[:-1]
    return f"{text}…"
