"""What a user does with a conversation besides reading: select, copy, move about, act on parts."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message as TextualMessage
from textual.selection import Selection

from aircher.tui.widgets.transcript.blocks import Fence, Fold, Link, Target
from aircher.tui.widgets.transcript.budget import ENDLESS, Budget
from aircher.tui.widgets.transcript.cells import cell_len
from aircher.tui.widgets.transcript.copying import copied
from aircher.tui.widgets.transcript.drawing import place_of
from aircher.tui.widgets.transcript.message import Message
from aircher.tui.widgets.transcript.view import View


class Browsing(View):
    """Selection, clipboard, jumps, and the links, code blocks and folds that can be acted on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("[", "previous_message", "Previous message", show=False),
        Binding("]", "next_message", "Next message", show=False),
        Binding("p", "target(-1)", "Previous code or link", show=False),
        Binding("n", "target(1)", "Next code or link", show=False),
        Binding("enter", "activate", "Open or copy", show=False),
        Binding("c", "copy_code", "Copy code", show=False),
        Binding("t", "fold_thinking", "Show thinking", show=False),
    ]

    class LinkClicked(TextualMessage, namespace="transcript"):
        """The user clicked a link or pressed Enter on it; nothing has been opened."""

        def __init__(self, url: str, label: str) -> None:
            super().__init__()
            self.url = url
            self.label = label

    class Copied(TextualMessage, namespace="transcript"):
        """``text`` was put on the clipboard; ``what`` names it ("code", "message")."""

        def __init__(self, text: str, what: str) -> None:
            super().__init__()
            self.text = text
            self.what = what

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
        """``message`` with all its lines, however long that takes."""
        if self._width and (message.is_behind or not message.is_laid_out):
            self._place(self._column.update([message.key], ENDLESS, self.scroll_offset.y))
        return message

    # Moving about

    def go_to(self, key: int) -> None:
        """Show a message from its first line."""
        self._leave_end()
        self._show(self._column.reveal(key, self.size.height, Budget()))

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
