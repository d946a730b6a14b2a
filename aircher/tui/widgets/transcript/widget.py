"""The transcript: a whole conversation in one widget that draws lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from aircher.tui.widgets.transcript.browsing import Browsing
from aircher.tui.widgets.transcript.column import Column
from aircher.tui.widgets.transcript.message import Entry, Message, Role, State
from aircher.tui.widgets.transcript.palette import CLASSES, CSS


class Transcript(Browsing, can_focus=True):
    """Messages, notices and seams of one conversation, oldest first."""

    COMPONENT_CLASSES: ClassVar[set[str]] = CLASSES
    DEFAULT_CSS = CSS

    _last_key = 0

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

    @property
    def rendered(self) -> int:
        """How many messages have been laid out so far."""
        return sum(message.is_laid_out for message in self._column.messages)

    def _new_key(self) -> int:
        self._last_key += 1
        return self._last_key

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
