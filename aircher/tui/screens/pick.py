"""Choosing one thing from a list that is searched while typing: chats, models, tasks, themes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from aircher.domain.classes import dataclass
from aircher.tui.words import clip


@dataclass(frozen=True, slots=True)
class Row:
    """One line to choose: its value, its name, and what is told on the right and below."""

    value: str
    name: str
    right: str = ""
    below: str = ""


Source = Callable[[str], Sequence[Row]]
"""What is listed for a search text; quick, since it runs at each key."""


class PickScreen(ModalScreen[str | None]):
    """Ends with the chosen row's value, or None."""

    DEFAULT_CSS = """
    PickScreen { align: center middle; background: $background 70%; }
    PickScreen #dialog {
        width: 84; max-width: 96%; height: auto; max-height: 80%; padding: 0 1;
        border: round $primary; border-title-color: $primary; border-title-style: bold;
        background: $surface;
    }
    PickScreen #search {
        border: none; height: 1; padding: 0; margin: 0 0 1 0; background: $panel;
    }
    PickScreen #rows {
        height: auto; max-height: 100%; border: none; background: $surface; padding: 0;
        scrollbar-size-vertical: 1;
    }
    PickScreen #rows > .option-list--option-highlighted {
        background: $primary 25%; color: $foreground; text-style: none;
    }
    PickScreen #hint { height: 1; margin: 1 0 0 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", show=False),
        Binding("ctrl+c", "close", "Close", show=False, priority=True),
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("pageup", "move(-8)", "Page up", show=False),
        Binding("pagedown", "move(8)", "Page down", show=False),
    ]

    MORE_KEYS: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Keys that a subclass adds, for the hint line."""

    def __init__(self, title: str, source: Source, *, search: str = "", empty: str = "") -> None:
        super().__init__()
        self._title = title
        self._source = source
        self._search = search
        self._empty = empty or "Nothing matches."
        self._rows: tuple[Row, ...] = ()

    def compose(self) -> ComposeResult:
        """A search line over the list."""
        with Vertical(id="dialog"):
            yield Input(self._search, placeholder="Type to search", id="search")
            yield OptionList(id="rows", markup=False)
            keys = (("↑↓", "move"), ("Enter", "choose"), *self.MORE_KEYS, ("Esc", "close"))
            yield Static(
                Content("   ").join(
                    Content.assemble((key, "bold $accent"), (f" {word}", "$muted"))
                    for key, word in keys
                ),
                id="hint",
            )

    def on_mount(self) -> None:
        """Lists everything."""
        self.query_one("#dialog").border_title = self._title
        self.query_one(OptionList).can_focus = False
        self.query_one(Input).focus()
        self._fit()
        self.call_after_refresh(self._list)

    def on_resize(self) -> None:
        """Lays the rows out anew for the new width and height."""
        self._fit()
        self.call_after_refresh(self.refresh_rows)

    def _fit(self) -> None:
        """Leaves room for the frame, the search line and the hint on any height."""
        room = int(self.app.size.height * 0.8) - 6
        self.query_one(OptionList).styles.max_height = max(3, room)

    def refresh_rows(self) -> None:
        """Lists again; what stands behind the rows has changed."""
        options = self.query_one(OptionList)
        place = options.highlighted
        self._rows = ()
        self._list()
        if place is not None and self.highlighted_value() is not None:
            options.highlighted = min(place, options.option_count - 1)

    @property
    def outdated(self) -> bool:
        """True where the source would list something else by now."""
        return tuple(self._source(self.query_one(Input).value.strip())) != self._rows

    def highlighted_value(self) -> str | None:
        """The value of the highlighted row."""
        index = self.query_one(OptionList).highlighted
        return self._rows[index].value if self._rows and index is not None else None

    @on(Input.Changed)
    def _list(self) -> None:
        rows = tuple(self._source(self.query_one(Input).value.strip()))
        options = self.query_one(OptionList)
        if rows == self._rows and rows:
            return
        self._rows = rows
        options.clear_options()
        width = max(20, options.scrollable_content_region.width - 2)
        options.add_options(Option(self._line(row, width)) for row in rows)
        if rows:
            options.highlighted = 0
        else:
            options.add_option(Option(Content.styled(self._empty, "$muted"), disabled=True))

    @staticmethod
    def _line(row: Row, width: int) -> Content:
        name = clip(row.name, max(8, width - len(row.right) - 2))
        gap = max(1, width - len(name) - len(row.right))
        parts: list[str | tuple[str, str]] = [name, " " * gap, (row.right, "$muted")]
        if row.below:
            parts += ["\n", (f"  {clip(row.below, width - 2)}", "$muted")]
        return Content.assemble(*parts)

    def action_move(self, by: int) -> None:
        """Moves the highlight; the search line keeps the focus."""
        options = self.query_one(OptionList)
        if self._rows:
            options.highlighted = max(0, min(len(self._rows) - 1, (options.highlighted or 0) + by))

    @on(Input.Submitted)
    def _choose(self) -> None:
        value = self.highlighted_value()
        if value is not None:
            self.dismiss(value)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._rows[event.option_index].value)

    def action_close(self) -> None:
        """Chooses nothing."""
        self.dismiss(None)
