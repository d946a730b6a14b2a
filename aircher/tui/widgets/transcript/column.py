"""The messages one below the other: who begins at which line, and who has been laid out.

Only what comes near the screen is parsed and wrapped; everything else has an estimated height,
corrected when it is shown.  Lines are counted over the whole conversation, from 0.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from aircher.tui.widgets.transcript.blocks import Target
from aircher.tui.widgets.transcript.budget import Budget
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
        self.behind: set[int] = set()
        """Messages that were begun to be laid out, and wait for another turn."""
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

    def update(self, keys: Iterable[int], budget: Budget, top: int) -> int:
        """Lay out messages that changed, and those that wait, as far as the budget goes.

        The line that the text shown at ``top`` has then.
        """
        if not self.messages:
            return 0
        shown = self.at(top)
        within = top - self.tops[shown]
        lowest = len(self.messages)
        for key in {*keys, *self.behind}:
            index = self._index[key]
            self._lay_out(index, budget)
            lowest = min(lowest, index)
        self._sum_from(lowest)
        return self.tops[shown] + within

    def _lay_out(self, index: int, budget: Budget) -> None:
        message = self.messages[index]
        message.update(self.width, budget)
        if message.is_behind:
            self.behind.add(message.key)
        else:
            self.behind.discard(message.key)

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

    def realise(self, top: int, height: int, budget: Budget, *, at_end: bool) -> int:
        """Lay out what shows in ``height`` lines from ``top``, or at the end; the new top.

        Whatever estimates turn out wrong, text that was in view already stays where it is.
        """
        if not self.messages:
            return 0
        if at_end:
            return self._realise_end(height, budget)
        shown = range(self.at(top), self.at(top + height) + 1)
        known = (i for i in shown if self.messages[i].width == self.width)
        anchor = shown[0] if top == 0 else next(known, shown[0])
        above = self.tops[anchor] - top
        while stale := self._stale(top, height):
            for index in stale:
                self._lay_out(index, budget)
            self._sum_from(stale[0])
            within = max(-above, 0)  # the view begins inside the anchor
            within = min(within, max(0, self.messages[anchor].height - 1))
            top = max(0, self.tops[anchor] - (above if above > 0 else -within))
        return top

    def _realise_end(self, height: int, budget: Budget) -> int:
        index, left = len(self.messages), height
        while index and left > 0:
            index -= 1
            if self.messages[index].width != self.width:
                self._lay_out(index, budget)
            left -= self.messages[index].height
        self._sum_from(index)
        return max(0, self.height - height)

    def reveal(self, key: int, height: int, budget: Budget) -> int:
        """Lay out ``key`` and what shows in ``height`` lines from its first; that line."""
        first, left = self._index[key], height
        for index in range(first, len(self.messages)):
            if self.messages[index].width != self.width:
                self._lay_out(index, budget)
            left -= self.messages[index].height
            if left <= 0:
                break
        self._sum_from(first)
        return self.tops[first]

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
