"""What an empty chat shows: who will answer, what was found, and the keys to know."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

Hint = tuple[str, str]


def content(
    model: str, found: Sequence[str], hints: Sequence[Hint], problems: int, last: str
) -> Content:
    """The welcome text.  ``model`` "" while the configuration is being read."""
    parts: list[str | Content | tuple[str, str]] = [("Aircher", "bold $accent"), "\n"]
    parts.append(("Each request goes to the right model.", "$muted"))
    parts.append("\n\n")
    if model:
        parts += [("Answers now  ", "$muted"), (model, "bold $primary"), "\n"]
        label = "Found        "
        for one in found:
            parts += [(label, "$muted"), one, "\n"]
            label = " " * len(label)
        if last:
            parts += [("Last chat    ", "$muted"), last, "\n"]
    else:
        parts += [("Reading the configuration…", "$muted"), "\n"]
    if problems:
        parts += [(f"{problems} problem(s) in the configuration: /config", "$warning"), "\n"]
    parts.append("\n")
    width = max((len(key) for key, _ in hints), default=0) + 2
    for key, words in hints:
        parts += [(key.ljust(width), "bold $accent"), (words, "$muted"), "\n"]
    return Content.assemble(*parts).rstrip()


class Welcome(Static):
    """Shown until the first message."""

    def show(
        self,
        model: str,
        found: Sequence[str],
        hints: Sequence[Hint],
        problems: int = 0,
        last: str = "",
    ) -> None:
        """Draws it."""
        self.update(content(model, found, hints, problems, last))
