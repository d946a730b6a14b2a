"""The messages one below the other: who begins at which line, and who has been laid out.

Only what comes near the screen is parsed and wrapped; everything else has an estimated height,
corrected when it is shown.  Lines are counted over the whole conversation, from 0.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from aircher.tui.widgets.transcript.blocks import Target
from aircher.tui.widgets.transcript.layout import BLANK, Line
from aircher.tui.widgets.transcript.message import Message


class Found(NamedTuple):
    """A visual line, its number in its message, and the message."""

    message: Message
    number: int
    line: Line


class Column:
    """All messages at one width (0: no size is known yet)."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.tops: list[int] = []
        self.height = 0
        self.width = 0
        self._index: dict[int, int] = {}

    def __getitem__(self, key: int) -> Message:
        return self.messages[self._index[key]]

    def __contains__(self, key: int) -> bool:
        return key in self._index

    def index(self, key: int) -> int:
        """Which message of all ``key`` is, from 0."""
        return self._index[key]

    def append(self, message: Message) -> None:
        """One more message, with an estimated height."""
        self._index[message.key] = len(self.messages)
        self.messages.append(message)
        self.tops.append(self.height)
        message.height = message.estimate(self.width)
        self.height += message.height

    def resize(self, width: int) -> None:
        """A new width: heights already known stay as estimates until shown again."""
        self.width = width
        for message in self.messages:
            if not message.is_laid_out:
                message.height = message.estimate(width)
        self._sum_from(0)

    def _sum_from(self, index: int) -> None:
        if index >= len(self.messages):
            return
        top = self.tops[index]
        for at in range(index, len(self.messages)):
            self.tops[at] = top
            top += self.messages[at].height
        self.height = top

    def update(self, keys: Iterable[int]) -> None:
        """Lay out messages that changed."""
        lowest = len(self.messages)
        for key in keys:
            index = self._index[key]
            self.messages[index].update(self.width)
            lowest = min(lowest, index)
        self._sum_from(lowest)

    def at(self, y: int) -> int:
        """Which message line ``y`` belongs to."""
        return max(0, bisect_right(self.tops, y) - 1)

    def find(self, y: int) -> Found | None:
        """Line ``y``, or None outside the conversation."""
        if not 0 <= y < self.height:
            return None
        index = self.at(y)
        message, number = self.messages[index], y - self.tops[index]
        return Found(
            message, number, message.lines[number] if number < len(message.lines) else BLANK
        )

    def realise(self, top: int, height: int, *, at_end: bool) -> int:
        """Lay out what shows in ``height`` lines from ``top``, or at the end; the new top.

        Whatever estimates above turn out wrong, the same text stays at the top of the view.
        """
        if not self.messages:
            return 0
        top = max(0, self.height - height) if at_end else top
        anchor = self.at(top)
        within = top - self.tops[anchor]
        while stale := self._stale(top, height):
            changed = stale[0]
            for index in reversed(stale):
                self.messages[index].update(self.width)
                changed = index
                if at_end and sum(m.height for m in self.messages[index:]) > height:
                    break
            self._sum_from(changed)
            if at_end:
                top = max(0, self.height - height)
            else:
                within = min(within, max(0, self.messages[anchor].height - 1))
                top = self.tops[anchor] + within
        return top

    def _stale(self, top: int, height: int) -> list[int]:
        shown = range(self.at(top), self.at(top + height) + 1)
        return [index for index in shown if self.messages[index].width != self.width]

    def targets(self) -> list[tuple[int, Target]]:
        """Everything that can be acted on in what has been laid out, with its line."""
        spots: dict[int, tuple[int, Target]] = {}
        for y, target in self._targets():
            spots.setdefault(id(target), (y, target))
        return list(spots.values())

    def _targets(self) -> Iterator[tuple[int, Target]]:
        for top, message in zip(self.tops, self.messages, strict=True):
            for number, line in enumerate(message.lines):
                for span in line.spans:
                    if span.target is not None:
                        yield top + number, span.target
