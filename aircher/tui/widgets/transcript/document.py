"""A text that grows: what is settled becomes blocks once, only the open tail again."""

from __future__ import annotations

from aircher.tui.widgets.transcript.blocks import Block
from aircher.tui.widgets.transcript.cutter import Cutter


class Document:
    """A growing text and its blocks.  Chunks of any size end in the same blocks.

    ``verbatim`` text (a user's own, a model's reasoning) keeps its lines and knows no markup
    but code fences; ``style`` is laid under all of it.
    """

    def __init__(self, *, verbatim: bool = False, style: str = "") -> None:
        self._lines: list[str] = []
        self._partial = ""
        self._finished = False
        self._verbatim = verbatim
        self._style = style
        self._cutter = Cutter(verbatim, style)

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

    @property
    def is_empty(self) -> bool:
        """True until the first character."""
        return not self._lines and not self._partial

    def feed(self, text: str) -> None:
        """Add text; ``blocks`` grows by what is settled now."""
        if self._finished:  # a straggler: begin anew with all of it
            text = self.text + text
            self._finished = False
            self._lines.clear()
            self._partial = ""
            self._cutter = Cutter(self._verbatim, self._style)
        *lines, self._partial = (self._partial + text).split("\n")
        for line in lines:
            self._lines.append(line)
            self._cutter.line(line)

    def tail(self) -> list[Block]:
        """What is still open, as it looks if nothing more comes; changes nothing."""
        if self._finished:
            return []
        look = self._cutter.fork()
        if self._partial:
            look.line(self._partial, shared=True)
        look.settle()
        return look.blocks

    def finish(self) -> None:
        """The text is whole: settle everything.

        Links may be defined below where they are used, so a text that defines any is cut once
        more with all definitions known.
        """
        if self._finished:
            return
        self._finished = True
        if self._partial:
            self._cutter.line(self._partial)
        self._cutter.settle()
        if self._cutter.env.get("references"):
            self._cutter = Cutter(self._verbatim, self._style, self._cutter.env)
            for line in self.lines:
                self._cutter.line(line)
            self._cutter.settle()
