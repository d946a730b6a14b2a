"""A text that grows: what is settled becomes blocks once, only the open tail again."""

from __future__ import annotations

from aircher.tui.widgets.transcript.blocks import Block
from aircher.tui.widgets.transcript.budget import ENDLESS, LEAST_LINES, Budget
from aircher.tui.widgets.transcript.cutter import Cutter

LONGEST_TAIL = 8_000
"""Characters of an unfinished line that are shown, its newest; all of it once it has ended.  An
endless line would otherwise be wrapped anew, whole, with every frame."""


class Document:
    """A growing text and its blocks.  Chunks of any size end in the same blocks.

    ``verbatim`` text (a user's own, a model's reasoning) keeps its lines and knows no markup
    but code fences; ``style`` is laid under all of it.

    ``feed`` and ``finish`` read what they can within a budget; ``work`` goes on with the rest.
    ``version`` counts how often the blocks were replaced rather than added to.
    """

    def __init__(self, *, verbatim: bool = False, style: str = "") -> None:
        self.version = 0
        self._verbatim = verbatim
        self._style = style
        self._lines: list[str] = []
        self._partial = ""
        self._read = 0
        self._ended = False
        self._settled = False
        self._cutter = Cutter(verbatim, style)
        self._again: Cutter | None = None

    @property
    def blocks(self) -> list[Block]:
        """What is settled."""
        return self._cutter.blocks

    @property
    def text(self) -> str:
        """The source as it was fed."""
        return "\n".join(self.lines)

    @property
    def lines(self) -> list[str]:
        """The source line by line, the last one perhaps unfinished."""
        return [*self._lines, self._partial]

    def end(self, length: int) -> str:
        """The last ``length`` characters or a little more, of the last few lines."""
        return "\n".join([*self._lines[-20:], self._partial])[-length:]

    @property
    def is_empty(self) -> bool:
        """True until the first character."""
        return not self._lines and not self._partial

    @property
    def is_behind(self) -> bool:
        """True while there is text that has not been read."""
        return self._read < len(self._lines) or self._ended is not self._settled

    def feed(self, text: str, budget: Budget = ENDLESS) -> None:
        """Add text; ``blocks`` grows by what is settled now."""
        if self._ended:  # a straggler: begin anew with all of it
            self._begin_anew()
        *lines, self._partial = (self._partial + text).split("\n")
        self._lines.extend(lines)
        self.work(budget)

    def finish(self, budget: Budget = ENDLESS) -> None:
        """The text is whole: settle everything.

        Links may be defined below where they are used, so a text that defines any is cut once
        more with all definitions known.
        """
        self._ended = True
        self.work(budget)

    def work(self, budget: Budget = ENDLESS) -> None:
        """Go on reading until nothing waits, or the budget is spent."""
        while self.is_behind:
            if not self._read_on(self._again or self._cutter, budget):
                return
            if self._ended:
                self._settle(self._again or self._cutter)

    def tail(self) -> list[Block]:
        """What is still open, as it looks if nothing more comes; changes nothing."""
        if self._settled:
            return []
        look = self._cutter.fork()
        if self._partial and not self.is_behind:
            look.line(self._partial[-LONGEST_TAIL:], shared=True)
        look.settle()
        return look.blocks

    def _begin_anew(self) -> None:
        self._ended = self._settled = False
        self._cutter, self._again = Cutter(self._verbatim, self._style), None
        self._read = 0
        self.version += 1

    def _read_on(self, cutter: Cutter, budget: Budget) -> bool:
        """Cut the lines that wait; False if some are left."""
        least = self._read + LEAST_LINES
        while self._read < len(self._lines):
            if self._read >= least and budget.spent:
                return False
            cutter.line(self._lines[self._read])
            self._read += 1
        return True

    def _settle(self, cutter: Cutter) -> None:
        """The end of the text has been read, for the first time or again."""
        if self._partial:
            cutter.line(self._partial)
        cutter.settle()
        if self._again is not None:
            self._cutter, self._again = self._again, None
            self.version += 1
        elif cutter.env.get("references"):
            self._again = Cutter(self._verbatim, self._style, cutter.env)
            self._read = 0
            return
        self._settled = True


def rehearse() -> None:
    """Reads a small text with all that must be loaded for it: tables of links, a lexer.

    The first text would otherwise wait some 60 ms for them.
    """
    document = Document()
    document.feed("A [link](https://a.invalid), `code`:\n\n```python\nimport this\n```\n")
    document.finish()
