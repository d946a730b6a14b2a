"""One line above the prompt: attached files and messages that wait for their turn."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from aircher.tui.words import clip


class Chips(Static):
    """Hidden while there is nothing to show."""

    def show(self, files: Sequence[str], queued: Sequence[str]) -> None:
        """Draws the chips."""
        parts = [
            Content.assemble((f" + {clip(name, 40)} ", "$foreground on $panel")) for name in files
        ]
        parts += [
            Content.assemble((" next: ", "$accent on $panel"), (f"{clip(text, 40)} ", "on $panel"))
            for text in queued
        ]
        self.set_class(bool(parts), "-open")
        self.update(Content(" ").join(parts))
