"""A diff to read: files as headings, hunks in colours."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content
from textual.widgets import Static

from aircher.domain.changes import Changes, FileChange

MOST_LINES = 2_000
"""Lines shown; the rest is counted.  Nobody reads more, and layout takes time."""

_STYLES = {"+": "$success", "-": "$error", "@": "$accent", "\\": "$muted"}


def diff_content(changes: Changes) -> Content:
    """The whole diff as styled lines."""
    lines: list[Content] = []
    left = 0
    for line in _lines(changes):
        if len(lines) < MOST_LINES:
            lines.append(line)
        else:
            left += 1
    if left:
        lines.append(Content.styled(f"{left:,} more lines are not shown here.", "$muted italic"))
    return Content("\n").join(lines)


def _lines(changes: Changes) -> Iterator[Content]:
    for number, file in enumerate(changes.files):
        if number:
            yield Content("")
        yield _heading(file)
        for hunk in file.hunks:
            for line in hunk.text.split("\n"):
                text = line.expandtabs(4)
                yield Content.styled(text, _STYLES.get(line[:1], "")) if text else Content("")


def _heading(file: FileChange) -> Content:
    name = f"{file.old_name} → {file.name}" if file.old_name else file.name
    word = "" if file.status == "modified" else f"  {file.status}"
    counts = "  binary" if file.added is None else ""
    parts: list[tuple[str, str]] = [(name, "bold"), (word + counts, "$muted")]
    if file.added:
        parts.append((f"  +{file.added:,}", "$success"))
    if file.removed:
        parts.append((f"  -{file.removed:,}", "$error"))
    return Content.assemble(*parts)


class DiffView(Static):
    """Lines are cut at the pane's edge, not wrapped: columns of code stay columns."""

    DEFAULT_CSS = """
    DiffView { width: 1fr; height: auto; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def show(self, changes: Changes) -> None:
        """Shows these changes."""
        self.update(diff_content(changes))
