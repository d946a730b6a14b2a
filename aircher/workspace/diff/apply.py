"""A file's content with some of the hunks of its change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aircher.domain.changes import Hunk


def with_hunks(content: bytes, hunks: Iterable[Hunk]) -> bytes:
    """The old content with these hunks applied.  Raises ``ValueError`` where one does not fit."""
    old = _lines(content)
    made: list[bytes] = []
    at = 0
    for hunk in sorted(hunks, key=lambda one: (one.old_start, one.new_start)):
        begin = hunk.old_start - 1 if hunk.old_count else hunk.old_start
        if begin < at:
            raise ValueError("hunks overlap")
        made += old[at:begin]
        at = begin
        for marker, line in _marked(hunk):
            if marker == b"+":
                made.append(line)
                continue
            if at >= len(old) or old[at] != line:
                raise ValueError(f"line {at + 1} is not as the hunk has it")
            if marker == b" ":
                made.append(line)
            at += 1
    made += old[at:]
    return b"".join(made)


def _lines(content: bytes) -> list[bytes]:
    """With their newlines; only the last may have none."""
    *lines, rest = content.split(b"\n")
    return [line + b"\n" for line in lines] + ([rest] if rest else [])


def _marked(hunk: Hunk) -> Iterator[tuple[bytes, bytes]]:
    """(marker, line with its newline, if it has one)."""
    for at, line in enumerate(hunk.lines):
        if line.startswith(b"\\"):
            continue
        ends = at + 1 < len(hunk.lines) and hunk.lines[at + 1].startswith(b"\\")
        yield line[:1] or b" ", line[1:] if ends else line[1:] + b"\n"
