"""The last edge before the terminal: whatever a widget draws, no control character gets out."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from aircher.domain.inert import inert


class Wall(LineFilter):
    """Makes each drawn piece inert and takes its link away.

    Foreign text is made inert where it comes in; this is the second wall, for what was
    forgotten.  A terminal's own hyperlinks would open without asking, so none is written.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same pieces, harmless.  Nearly all are: they are passed on as they are."""
        del background
        return [segment if _harmless(segment) else _made_inert(segment) for segment in segments]


def _harmless(segment: Segment) -> bool:
    text, style, _ = segment
    # Controls, invisible and unassigned characters are not printable, and asking is quick.
    return text.isprintable() and (style is None or not style.link)


def _made_inert(segment: Segment) -> Segment:
    text, style, control = segment
    plain = inert(text).replace("\n", " ").replace("\t", " ")
    return Segment(plain, style.update_link(None) if style and style.link else style, control)
