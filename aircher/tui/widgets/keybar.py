"""The last line: the keys that matter now.  Each can be clicked."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.events import Click
from textual.reactive import reactive
from textual.widgets import Static

Hint = tuple[str, str, str]
"""Key as shown, what it does in a word, and the action a click runs ("" for none)."""

_GAP = 3


def fitting(hints: Sequence[Hint], width: int) -> list[Hint]:
    """As many hints as fit, the last one (help) always among them."""
    chosen: list[Hint] = []
    last = hints[-1:]
    used = sum(len(key) + len(word) + 1 + _GAP for key, word, _ in last)
    for hint in hints[:-1]:
        used += len(hint[0]) + len(hint[1]) + 1 + _GAP
        if used > width:
            break
        chosen.append(hint)
    return [*chosen, *last]


class KeyBar(Static):
    """Shows hints in order of importance, cut to the width."""

    hints: reactive[tuple[Hint, ...]] = reactive((), init=False)

    def watch_hints(self) -> None:
        """Redraws."""
        self._draw()

    def on_resize(self) -> None:
        """How many fit depends on the width."""
        self._draw()

    async def on_click(self, event: Click) -> None:
        """A click on a hint does what its key does."""
        left = 0
        for key, word, action in fitting(self.hints, self.content_size.width or 80):
            right = left + len(key) + 1 + len(word)
            if left <= event.get_content_offset_capture(self).x < right and action:
                await self.app.run_action(action)
                return
            left = right + _GAP

    def _draw(self) -> None:
        parts = [
            Content.assemble((key, "bold $accent"), (f" {word}", "$muted"))
            for key, word, _ in fitting(self.hints, self.content_size.width or 80)
        ]
        self.update(Content(" " * _GAP).join(parts), layout=False)  # always one line
