"""The transcript: a whole conversation in one widget that draws lines.

Nothing here parses or wraps: messages do, when they come near the screen.  The widget knows
where each message begins, which lines are visible, and when to draw again.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message as TextualMessage
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.timer import Timer

from aircher.tui.widgets.transcript.blocks import Fence, Fold, Link, Target
from aircher.tui.widgets.transcript.cells import cell_len
from aircher.tui.widgets.transcript.column import Column
from aircher.tui.widgets.transcript.copying import copied
from aircher.tui.widgets.transcript.drawing import address, place_of, strip_of
from aircher.tui.widgets.transcript.layout import Line
from aircher.tui.widgets.transcript.message import Entry, Message, Role, State
from aircher.tui.widgets.transcript.palette import CLASSES, CSS, Palette, component_layer

NOT_YET_FROZEN = 10_000
"""Objects; the modules of a running app alone are ten times as many."""
FASTEST = 1 / 20
SLOWEST = 1 / 4
SHARE = 3
"""While text streams in, a frame after which the thread worked for t seconds (parsing, painting,
everything) is followed by the next no sooner than ``SHARE`` t later, within these bounds
(seconds): a slow machine shows fewer frames and stays quick to answer a key."""


class Transcript(ScrollView, can_focus=True):
    """Messages, notices and seams of one conversation, oldest first.

    The view follows the end while it is there; once the user scrolls up it stays, and
    ``new_below`` counts the lines that have come since.
    """

    ALLOW_SELECT = True
    COMPONENT_CLASSES: ClassVar[set[str]] = CLASSES
    DEFAULT_CSS = CSS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("[", "previous_message", "Previous message", show=False),
        Binding("]", "next_message", "Next message", show=False),
        Binding("p", "target(-1)", "Previous code or link", show=False),
        Binding("n", "target(1)", "Next code or link", show=False),
        Binding("enter", "activate", "Open or copy", show=False),
        Binding("c", "copy_code", "Copy code", show=False),
        Binding("t", "fold_thinking", "Show thinking", show=False),
    ]

    new_below: var[int] = var(0)
    """Lines that came below the view since it left the end; 0 while it follows."""

    class LinkClicked(TextualMessage):
        """The user clicked a link or pressed Enter on it; nothing has been opened."""

        def __init__(self, url: str, label: str) -> None:
            super().__init__()
            self.url = url
            self.label = label

    class NewBelow(TextualMessage):
        """``count`` lines have come below the view (0: it is at the end again)."""

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    class Copied(TextualMessage):
        """``text`` was put on the clipboard; ``what`` names it ("code", "message")."""

        def __init__(self, text: str, what: str) -> None:
            super().__init__()
            self.text = text
            self.what = what

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self._column = Column()
        self._next_key = 0
        self._dirty: set[int] = set()
        self._frame: Timer | None = None
        self._cost = 0.0
        self._worked = time.thread_time()
        self._following = True
        self._placing = False
        self._seen = 0
        self._palette: Palette | None = None
        self._shown: tuple[int, list[Line | None]] = (-1, [])
        self._strips: LRUCache[int, tuple[Line, Strip]] = LRUCache(256)
        self._target: Target | None = None

    def on_mount(self) -> None:
        """Spare what is loaded by now (modules, styles) every later garbage collection.

        Walking those objects took 50 ms, several times in a long answer, and keys waited.  Once
        is enough: whatever is garbage at that moment is never freed.
        """
        if gc.get_freeze_count() < NOT_YET_FROZEN:
            gc.freeze()

    # Content

    def add(self, role: Role, text: str, *, title: str = "", state: State = "ok") -> int:
        """A whole message; its key."""
        return self._append(self._made(Entry(role, text, title=title, state=state)))

    def begin(self, role: Role = "assistant", title: str = "") -> int:
        """An empty message that text will be appended to; its key."""
        return self._append(Message(self._new_key(), role, title))

    def append(self, key: int, text: str) -> None:
        """More text of a message that has begun; drawn with the next frame."""
        self._column[key].append(text)
        self._touch(key)

    def append_thinking(self, key: int, text: str) -> None:
        """More of the model's visible reasoning, shown folded above the answer."""
        self._column[key].append_thinking(text)
        self._touch(key)

    def end(self, key: int, footer: str = "", state: State = "ok") -> None:
        """The message is whole, or as whole as it will get; drawn at once."""
        self._column[key].finish(footer, state)
        self._dirty.add(key)
        self._draw()

    def seam(self, text: str) -> int:
        """A line that says where one model stopped and the next goes on."""
        return self.add("seam", text)

    def notice(self, text: str) -> int:
        """A line of the program's own."""
        return self.add("notice", text)

    def clear(self) -> None:
        """Forget everything."""
        self._column = Column()
        self._column.width = self._width
        self._dirty.clear()
        self._strips.clear()
        self._target = None
        self._following = True
        self._place()

    def load(self, entries: Iterable[Entry]) -> list[int]:
        """Replace everything by a stored conversation; the keys.  Parses only what is visible."""
        self.clear()
        for entry in entries:
            self._column.append(self._made(entry))
        self._place()
        return [message.key for message in self._column.messages]

    def source(self, key: int) -> str:
        """A message's text as it came (control characters removed)."""
        return self._column[key].source

    @property
    def rendered(self) -> int:
        """How many messages have been laid out so far."""
        return sum(message.is_laid_out for message in self._column.messages)

    @property
    def following(self) -> bool:
        """True while the view stays at the end by itself."""
        return self._following

    def _new_key(self) -> int:
        self._next_key += 1
        return self._next_key

    def _made(self, entry: Entry) -> Message:
        message = Message(self._new_key(), entry.role, entry.title, entry.state)
        message.append(entry.text)
        if entry.thinking:
            message.append_thinking(entry.thinking)
        message.finish(entry.footer, entry.state)
        return message

    def _append(self, message: Message) -> int:
        self._column.append(message)
        self._dirty.add(message.key)
        self._draw()
        return message.key

    # Frames

    def _touch(self, key: int) -> None:
        """Draw ``key`` with the next frame."""
        self._dirty.add(key)
        if self._frame is None and self.is_mounted:
            rest = min(SLOWEST, max(FASTEST, self._cost * SHARE))
            self._frame = self.set_timer(rest, self._draw)

    def _draw(self) -> None:
        """Lay out what changed and show it."""
        if self._frame is not None:
            self._frame.stop()
            self._frame = None
        if not self._width:
            return  # drawn when the first size arrives
        now = time.thread_time()
        self._cost = 0.7 * self._cost + 0.3 * min(now - self._worked, SLOWEST)
        self._worked = now
        self._column.update(self._dirty)
        self._dirty.clear()
        self._place()

    # Geometry

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width if self.size else 0

    def _place(self) -> None:
        """Make the visible messages real, then give the view its size and position."""
        if not self._width or self._placing:
            return
        column = self._column
        self._placing = True
        try:
            height = self.scrollable_content_region.height
            top = column.realise(self.scroll_offset.y, height, at_end=self._following)
            self._set_height(column.height)
            if top != round(self.scroll_y):
                self.scroll_target_y = self.scroll_y = top
        finally:
            self._placing = False
        self._set_new_below(0 if self._following else max(0, column.height - self._seen))
        self._repaint(top, height)

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

    # Selection and the clipboard

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected source: see ``copying``."""
        column = self._column
        if not column.messages:
            return None
        start, end = place_of(selection.start), place_of(selection.end)
        first = column.index(start[0]) if start and start[0] in column else 0
        last = column.index(end[0]) if end and end[0] in column else len(column.messages) - 1
        parts = [
            copied(
                column.messages[index],
                start[1] if start and index == first else None,
                end[1] if end and index == last else None,
            )
            for index in range(first, last + 1)
        ]
        return "\n\n".join(part for part in parts if part), "\n"

    def copy_message(self, key: int) -> str:
        """Put a message's source on the clipboard."""
        return self._copy(self.source(key), "message")

    def copy_last_code(self) -> str:
        """Put the newest code block's code on the clipboard ("" if there is none)."""
        for message in reversed(self._column.messages):
            if "```" in message.source or "~~~" in message.source:
                fences = self._realised(message).fences
                if fences:
                    return self._copy(fences[-1].code, "code")
        return ""

    def action_copy_code(self) -> None:
        """Copy the focused code block, or the newest."""
        if isinstance(self._target, Fence):
            self._copy(self._target.code, "code")
        else:
            self.copy_last_code()

    def _copy(self, text: str, what: str) -> str:
        self.app.copy_to_clipboard(text)
        self.post_message(self.Copied(text, what))
        return text

    def _realised(self, message: Message) -> Message:
        if not message.is_laid_out and self._width:
            self._column.update([message.key])
            self._place()
        return message

    # Moving about

    def go_to(self, key: int) -> None:
        """Show a message from its first line."""
        self._leave_end()
        self._show(self._column.reveal(key, self.size.height))

    def _leave_end(self) -> None:
        if self._following:
            self._following = False
            self._seen = self._column.height

    def _show(self, y: int) -> None:
        """Scroll to line ``y`` at once."""
        self._placing = True
        self._set_height(self._column.height)
        self.scroll_to(y=y, animate=False)
        self._placing = False
        self._following = self.scroll_offset.y >= self.max_scroll_y
        self._place()

    def action_previous_message(self) -> None:
        """Show the message above from its first line."""
        above = [i for i, top in enumerate(self._column.tops) if top < self.scroll_offset.y]
        if above:
            self.go_to(self._column.messages[above[-1]].key)

    def action_next_message(self) -> None:
        """Show the message below from its first line."""
        below = [i for i, top in enumerate(self._column.tops) if top > self.scroll_offset.y]
        if below:
            self.go_to(self._column.messages[below[0]].key)

    # Links, code blocks, thinking

    def action_target(self, step: int) -> None:
        """Focus the next (1) or previous (-1) code block, link or fold, beginning with the visible."""
        spots = self._column.targets()
        if not spots:
            return
        at = [i for i, (_, target) in enumerate(spots) if target is self._target]
        top = self.scroll_offset.y
        if at:
            index = (at[0] + step) % len(spots)
        else:
            index = next((i for i, (y, _) in enumerate(spots) if y >= top), 0)
        y, self._target = spots[index]
        self._strips.clear()
        if not top <= y < top + self.size.height:
            self._leave_end()
            self._show(max(0, y - 2))
        self.refresh()

    def action_activate(self) -> None:
        """Act on the focused code block (copy), link (tell) or fold (open, close)."""
        self._act(self._target)

    def action_fold_thinking(self) -> None:
        """Show or hide the newest visible reasoning."""
        shown = [m for m in self._column.messages if m.thinking is not None]
        if shown:
            self.toggle_thinking(shown[-1].key)

    def toggle_thinking(self, key: int) -> None:
        """Unfold or fold a message's reasoning."""
        message = self._column[key]
        message.unfolded = not message.unfolded
        self._dirty.add(key)
        self._draw()

    def _act(self, target: Target | None) -> None:
        match target:
            case Link(url, label):
                self.post_message(self.LinkClicked(url, label))
            case Fence():
                self._copy(target.code, "code")
            case Fold(key):
                self.toggle_thinking(key)
            case None:
                pass

    def on_click(self, event: events.Click) -> None:
        """A click acts on what is under it."""
        offset = event.get_content_offset(self)
        found = self._column.find(self.scroll_offset.y + offset.y) if offset else None
        if offset is None or found is None:
            return
        x = 0
        for span in found.line.spans:
            x += cell_len(span.text)
            if offset.x < x:
                self._act(span.target)
                return


def _same(line: Line | None, other: Line | None) -> bool:
    """True if two lines look the same."""
    if line is None or other is None:
        return line is other
    return line is other or (line.spans == other.spans and line.fill == other.fill)
