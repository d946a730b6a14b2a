"""Two panes in a frame: side by side, or one above the other where there is no room beside it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static, TextArea

from aircher.tui.widgets.diff import DiffView

STACKED = 100
"""Below this many columns the message stands above the diff."""


class DeskLayout(ModalScreen[str]):
    """The frame with the diff, the message, and the fields to change it in."""

    DEFAULT_CSS = """
    DeskLayout { align: center middle; background: $background 70%; }
    DeskLayout #desk {
        width: 96%; height: 94%; border: round $primary; border-title-color: $primary;
        border-title-style: bold; border-subtitle-color: $muted; background: $surface; padding: 0 1;
    }
    DeskLayout #sides { layout: grid; grid-size: 2 1; grid-columns: 11fr 10fr; height: 1fr; }
    DeskLayout.-stacked #sides { grid-size: 1 2; grid-rows: 10fr 9fr; grid-columns: 1fr; }
    DeskLayout .pane {
        border: round $primary 40%; border-title-color: $foreground; border-title-style: bold;
        border-subtitle-color: $muted; padding: 0 1; height: 1fr;
    }
    DeskLayout .pane:focus-within, DeskLayout .pane:focus { border: round $primary; }
    DeskLayout #diff-pane { scrollbar-size-vertical: 1; }
    DeskLayout.-stacked #diff-pane { row-span: 1; }
    DeskLayout #words { height: 1fr; scrollbar-size-vertical: 1; }
    DeskLayout #message { height: auto; width: 1fr; }
    DeskLayout #facts { height: auto; max-height: 6; width: 1fr; }
    DeskLayout #editor { height: 1fr; border: none; padding: 0; background: $surface; display: none; }
    DeskLayout #wish { height: 1; border: none; padding: 0; background: $panel; display: none; }
    DeskLayout.-editing #editor { display: block; }
    DeskLayout.-editing #words { display: none; }
    DeskLayout.-changing #wish { display: block; }
    """
    AUTO_FOCUS = ""  # letters are keys here, until a field is opened
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll(-1)", "Up", show=False),
        Binding("down,j", "scroll(1)", "Down", show=False),
        Binding("pageup", "scroll(-12)", "Page up", show=False),
        Binding("pagedown,space", "scroll(12)", "Page down", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Diff and message; below it what can be done."""
        with Vertical(id="desk"), Container(id="sides"):
            with VerticalScroll(id="diff-pane", classes="pane", can_focus=False):
                yield DiffView(id="diff")
            with Vertical(id="message-pane", classes="pane"):
                with VerticalScroll(id="words", can_focus=False):
                    yield Static(id="message")
                yield TextArea(id="editor", soft_wrap=True, highlight_cursor_line=False)
                yield Input(id="wish", placeholder="what should be different?")
                yield Static(id="facts")

    def on_mount(self) -> None:
        """Names the frames."""
        self.query_one("#desk").border_title = "Commit"
        self.query_one("#diff-pane").border_title = "Staged"
        self.query_one("#message-pane").border_title = "Message"
        self.on_resize()

    def on_resize(self) -> None:
        """The message comes first where it stands above."""
        stacked = self.app.size.width < STACKED
        if stacked == self.has_class("-stacked"):
            return
        self.set_class(stacked, "-stacked")
        diff, message = self.query_one("#diff-pane"), self.query_one("#message-pane")
        first, second = (message, diff) if stacked else (diff, message)
        self.query_one("#sides").move_child(first, before=second)

    def action_scroll(self, by: int) -> None:
        """Scrolls the diff."""
        self.query_one("#diff-pane").scroll_relative(y=by, animate=False)
