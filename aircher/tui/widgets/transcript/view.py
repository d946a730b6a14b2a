"""The view of a conversation: what is laid out and drawn, and when.

Nothing here parses or wraps: messages do, when they come near the screen.  The view knows
where each message begins, which lines are visible, and when to draw again.
"""

from __future__ import annotations

import time

from rich.style import Style
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message as TextualMessage
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer

from aircher.tui.widgets.transcript.blocks import Target
from aircher.tui.widgets.transcript.budget import Budget
from aircher.tui.widgets.transcript.column import Column
from aircher.tui.widgets.transcript.drawing import address, strip_of
from aircher.tui.widgets.transcript.layout import Line
from aircher.tui.widgets.transcript.palette import Palette, component_layer

CATCH_UP = 1 / 100
"""Seconds between two slices of work on a long text that came all at once."""
FASTEST = 1 / 20
SLOWEST = 1 / 4
SHARE = 3
"""While text streams in, a frame after which the thread worked for t seconds (parsing, painting,
everything), or that came t seconds late, is followed by the next no sooner than ``SHARE`` t
later, within these bounds (seconds): a slow or busy machine shows fewer frames and stays quick
to answer a key."""


class View(ScrollView):
    """Lines of a ``Column``, cached as strips.

    The view follows the end while it is there; once the user scrolls up it stays, and
    ``new_below`` counts the lines that have come since.
    """

    ALLOW_SELECT = True

    new_below: var[int] = var(0)
    """Lines that came below the view since it left the end; 0 while it follows."""

    class NewBelow(TextualMessage, namespace="transcript"):
        """``count`` lines have come below the view (0: it is at the end again)."""

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self._column = Column()
        self._dirty: set[int] = set()
        self._frame: Timer | None = None
        self._cost = 0.0
        self._worked = time.thread_time()
        self._due = self._late = 0.0
        self._following = True
        self._placing = False
        self._seen = 0
        self._palette: Palette | None = None
        self._shown: tuple[int, list[Line | None]] = (-1, [])
        self._strips: LRUCache[int, tuple[Line, Strip]] = LRUCache(256)
        self._target: Target | None = None

    @property
    def following(self) -> bool:
        """True while the view stays at the end by itself."""
        return self._following

    def source(self, key: int) -> str:
        """A message's text as it came (control characters removed)."""
        return self._column[key].source

    # Frames

    def _touch(self, key: int) -> None:
        """Draw ``key`` with the next frame."""
        self._dirty.add(key)
        self._draw_in(min(SLOWEST, max(FASTEST, SHARE * max(self._cost, self._late))))

    def _draw_in(self, seconds: float) -> None:
        if self._frame is None and self.is_mounted:
            self._due = time.monotonic() + seconds
            self._frame = self.set_timer(seconds, self._on_time)

    def _on_time(self) -> None:
        late = time.monotonic() - self._due
        self._late = 0.7 * self._late + 0.3 * min(late, SLOWEST)
        self._draw()

    def _draw(self) -> None:
        """Lay out what changed and show it; a long text slice by slice."""
        if self._frame is not None:
            self._frame.stop()
            self._frame = None
        if not self._width:
            return  # drawn when the first size arrives
        now = time.thread_time()
        self._cost = 0.7 * self._cost + 0.3 * min(now - self._worked, SLOWEST)
        self._worked = now
        budget = Budget()
        top = self._column.update(self._dirty, budget, self.scroll_offset.y)
        self._dirty.clear()
        self._place(top, budget)

    # Geometry

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width if self.size else 0

    def _place(self, top: int | None = None, budget: Budget | None = None) -> None:
        """Make the visible messages real, then give the view its size and position (``top``)."""
        if not self._width or self._placing:
            return
        column = self._column
        self._placing = True
        try:
            height = self.scrollable_content_region.height
            top = column.realise(
                self.scroll_offset.y if top is None else top,
                height,
                budget or Budget(),
                at_end=self._following,
            )
            self._set_height(column.height)
            if top != round(self.scroll_y):
                self.scroll_target_y = self.scroll_y = top
        finally:
            self._placing = False
        self._set_new_below(0 if self._following else max(0, column.height - self._seen))
        self._repaint(top, height)
        if column.behind:
            self._draw_in(CATCH_UP)

    def _set_height(self, height: int) -> None:
        """The height of everything, for the scroll bar.

        Textual would lay out the whole screen again for it.  Our own size never depends on it,
        so only the scroll bar is told, as Textual does in ``Widget._size_updated``.
        """
        size = Size(self._width, height)
        if size != self.virtual_size:
            self.set_reactive(ScrollView.virtual_size, size)
            self._scroll_update(size)

    def _repaint(self, top: int, height: int) -> None:
        """Draw the lines again that differ from those on the screen; a scroll draws all anyway."""
        shown = [
            found.line if (found := self._column.find(top + y)) else None for y in range(height)
        ]
        before, self._shown = self._shown, (top, shown)
        if before[0] != top or len(before[1]) != height:
            self.refresh()
            return
        changed = [y for y in range(height) if not _same(before[1][y], shown[y])]
        if changed:
            self.refresh(Region(0, changed[0], self._width, changed[-1] - changed[0] + 1))

    def _set_new_below(self, count: int) -> None:
        if count != self.new_below:
            self.new_below = count
            self.post_message(self.NewBelow(count))

    def on_resize(self) -> None:
        """Wrap again: what is visible now, the rest when it is scrolled to."""
        if self._width and self._width != self._column.width:
            self._strips.clear()
            self._column.resize(self._width)
        self._draw()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """The user scrolled (or we did): follow again at the end, and realise what came up."""
        super().watch_scroll_y(old_value, new_value)
        if self._placing or round(old_value) == round(new_value):
            return
        was_following = self._following
        self._following = round(new_value) >= self.max_scroll_y
        if was_following and not self._following:
            self._seen = self._column.height
        self._place()

    def follow(self) -> None:
        """Go to the end and stay there."""
        self._following = True
        self._place()

    def action_scroll_end(self) -> None:
        """Go to the end and stay there."""
        self.follow()

    # Drawing

    def notify_style_update(self) -> None:
        """A new theme: the same lines in other colours."""
        super().notify_style_update()
        self._palette = None
        self._strips.clear()

    @property
    def palette(self) -> Palette:
        """The theme's styles by name."""
        if self._palette is None:
            behind = self.background_colors[1]

            def layer(name: str) -> Style:
                return component_layer(self.get_component_styles(f"transcript--{name}"), behind)

            self._palette = Palette(self.rich_style, layer)
        return self._palette

    def render_line(self, y: int) -> Strip:
        """One visible line."""
        width = self._column.width
        found = self._column.find(self.scroll_offset.y + y)
        if found is None:
            return Strip.blank(width, self.rich_style)
        row = address(found.message.key, found.number)
        selection = self.text_selection
        selected = selection.get_span(row) if selection is not None else None
        if selected is None and (kept := self._strips.get(row)) and _same(kept[0], found.line):
            return kept[1]
        highlight = self.screen.get_component_rich_style("screen--selection") if selected else None
        strip = strip_of(
            found.line,
            row,
            width,
            self.palette,
            target=self._target,
            selected=selected,
            highlight=highlight,
        )
        if selected is None:
            self._strips[row] = (found.line, strip)
        return strip


def _same(line: Line | None, other: Line | None) -> bool:
    """True if two lines look the same."""
    if line is None or other is None:
        return line is other
    return line is other or (line.spans == other.spans and line.fill == other.fill)
