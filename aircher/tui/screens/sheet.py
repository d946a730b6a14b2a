"""A sheet to read: help, costs, configuration, context."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Static

from aircher.domain.classes import dataclass
from aircher.domain.inert import inert
from aircher.tui.messages import MoreKey

_ROOMY = 80
"""From this many columns on, all that can be done is said on the frame."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading over rows of cells.  The first column is bold, the last takes the rest."""

    heading: str
    rows: tuple[tuple[str, ...], ...]
    right_align: bool = False
    """Numbers: every column but the first is aligned on the right."""


def _line(row: tuple[str, ...], widths: Sequence[int], section: Section, room: int) -> Content:
    """One row in columns; a last cell that is too long goes on below itself."""
    cells: list[tuple[str, str]] = []
    left = 2
    for index, cell in enumerate(map(inert, row)):
        style = "bold" if index == 0 else ""
        last = index == len(row) - 1
        if section.right_align and index:
            text = cell.rjust(widths[index])
        elif last:
            text = ("\n" + " " * left).join(wrap(cell, max(16, room - left)) or [""])
        else:
            text = cell.ljust(widths[index])
        cells.append((text + ("" if last else "   "), style))
        left += widths[index] + 3
    return Content.assemble("  ", *cells)


def _in_column(row: tuple[str, ...], index: int, section: Section) -> bool:
    """True where the cell makes its column wider; a last cell takes what is left of its line."""
    return index < len(row) - (0 if section.right_align else len(row) > 1)


def layout(sections: Sequence[Section], room: int = 96) -> Content:
    """All sections as text in columns, at most ``room`` cells wide where that can be done."""
    blocks: list[Content] = []
    for section in sections:
        columns = max((len(row) for row in section.rows), default=0)
        widths = [
            max(
                (len(row[index]) for row in section.rows if _in_column(row, index, section)),
                default=0,
            )
            for index in range(columns)
        ]
        lines = [Content.styled(section.heading, "bold $accent")]
        lines += [_line(row, widths, section, room) for row in section.rows]
        blocks.append(Content("\n").join(lines))
    return Content("\n\n").join(blocks)


class SheetScreen(ModalScreen[None]):
    """Scrolls with the usual keys; any of Esc, q and Enter closes it."""

    DEFAULT_CSS = """
    SheetScreen { align: center middle; background: $background 70%; }
    SheetScreen #dialog {
        width: auto; max-width: 96%; height: auto; max-height: 92%; padding: 1 2;
        border: round $primary; border-title-color: $primary; border-title-style: bold;
        border-subtitle-color: $muted; background: $surface; scrollbar-size-vertical: 1;
    }
    SheetScreen #sheet { width: auto; height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,f1,f5,f9", "close", "Close", show=False),
        Binding("ctrl+c", "copy_or_close", "Copy the selection, or close", show=False),
        Binding("up,k", "scroll(-1)", "Up", show=False),
        Binding("down,j", "scroll(1)", "Down", show=False),
        Binding("pageup", "scroll(-10)", "Page up", show=False),
        Binding("pagedown,space", "scroll(10)", "Page down", show=False),
    ]

    def __init__(
        self, title: str, sections: Sequence[Section], more: Sequence[MoreKey] = ()
    ) -> None:
        super().__init__()
        self._title = title
        self._more = tuple(more)
        self.sections = tuple(sections)

    def compose(self) -> ComposeResult:
        """The text, and how to leave."""
        with VerticalScroll(id="dialog"):
            yield Static(layout(self.sections, self.app.size.width - 12), id="sheet")

    def on_mount(self) -> None:
        """Names the frame."""
        dialog = self.query_one("#dialog")
        dialog.border_title = self._title
        offers = [f"{one.shown} {one.word}" for one in self._more]
        scroll = ["↑↓ scroll"] if self.app.size.width >= _ROOMY else []
        dialog.border_subtitle = " · ".join([*offers, "Esc closes", *scroll])
        dialog.focus()

    def on_resize(self) -> None:
        """Lays the text out anew for the new width."""
        self.query_one("#sheet", Static).update(layout(self.sections, self.app.size.width - 12))

    def on_key(self, event: Key) -> None:
        """The keys that this sheet offers for going on from here."""
        for one in self._more:
            if event.key == one.key:
                event.stop()
                self.dismiss()
                self.app.call_later(self.app.run_action, one.action)
                return

    def action_scroll(self, by: int) -> None:
        """Scrolls by lines."""
        self.query_one("#dialog").scroll_relative(y=by, animate=False)

    def action_copy_or_close(self) -> None:
        """Ctrl+C here does not reach the chat below."""
        selected = self.get_selected_text()
        if selected:
            self.app.copy_to_clipboard(selected)
        else:
            self.dismiss(None)

    def action_close(self) -> None:
        """Back to the chat."""
        self.dismiss(None)
