"""The output of ``git diff-index -z --raw --numstat --patch`` as values.

Paths are taken from the NUL-separated parts alone; the patch is read by its own grammar, by the
counts in its hunk headers, so that a file which itself holds a diff, or a name with a newline,
misleads nobody.  The order of files is the same in all three parts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import field

from aircher.domain.changes import FileChange, Hunk, Status
from aircher.domain.classes import dataclass
from aircher.domain.errors import GitRefused
from aircher.domain.regexes import regex

_STATUS: dict[bytes, Status] = {
    b"A": "added",
    b"M": "modified",
    b"D": "deleted",
    b"R": "renamed",
    b"C": "copied",
    b"T": "type",
    b"U": "unmerged",
}
_HUNK = regex(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_SECTION = b"diff --git "

_Counts = dict[bytes, tuple[int | None, int | None]]


@dataclass(slots=True)
class _Patch:
    """One section of the patch: the lines before its hunks, and the hunks."""

    head: list[bytes]
    hunks: list[Hunk] = field(default_factory=list)

    @property
    def ends_a_file(self) -> bool:
        return any(line.startswith(b"deleted file mode ") for line in self.head)

    @property
    def begins_a_file(self) -> bool:
        return any(line.startswith(b"new file mode ") for line in self.head)


@dataclass(frozen=True, slots=True)
class _Raw:
    status: Status
    modes: tuple[str, str]
    ids: tuple[str, str]
    old: bytes
    new: bytes


def parse(output: bytes) -> tuple[FileChange, ...]:
    """The files of the output, in its order.

    Raises ``GitRefused`` for output that is not of that form (a git too old or too new).
    """
    try:
        raws, rest = _raw_part(output)
        counts, patch = _numstat_part(rest, len(raws))
        sections = _patch_part(patch)
    except ValueError as error:
        raise _strange("an entry that cannot be read") from error
    files = []
    at = 0
    for raw in raws:
        if raw.status == "unmerged":
            files.append(_file(raw, counts, []))
            continue
        two = _is_pair(raw, sections[at : at + 2])
        files.append(_file(raw, counts, sections[at : at + 1 + two]))
        at += 1 + two
    if at != len(sections):
        raise _strange(f"{len(sections)} patches for {at} files")
    return tuple(files)


def _is_pair(raw: _Raw, sections: Sequence[_Patch]) -> bool:
    """A file that became a link, or the like, is shown as one deleted and one added."""
    return (
        raw.status == "type"
        and len(sections) == 2
        and sections[0].ends_a_file
        and sections[1].begins_a_file
    )


def _file(raw: _Raw, counts: _Counts, sections: Sequence[_Patch]) -> FileChange:
    if raw.status != "unmerged" and not sections:
        raise _strange("a file without its patch")
    added, removed = counts.get(raw.new, (0, 0))
    first = sections[0] if sections else _Patch([])
    second = sections[1] if len(sections) > 1 else _Patch([])
    return FileChange(
        path=os.fsdecode(raw.new),
        status=raw.status,
        old_path=os.fsdecode(raw.old) if raw.old != raw.new else "",
        old_mode=raw.modes[0],
        new_mode=raw.modes[1],
        old_id=raw.ids[0],
        new_id=raw.ids[1],
        added=added,
        removed=removed,
        head=tuple(first.head),
        hunks=(*first.hunks, *second.hunks),
        second=tuple(second.head),
        split=len(first.hunks),
    )


def _raw_part(output: bytes) -> tuple[list[_Raw], bytes]:
    """The entries of --raw, and what follows them."""
    raws: list[_Raw] = []
    at = 0
    while output[at : at + 1] == b":":
        entry, at = _token(output, at)
        words = entry[1:].split(b" ")
        if len(words) != 5 or words[4][:1] not in _STATUS:
            raise _strange("a raw entry that cannot be read")
        status = _STATUS[words[4][:1]]
        old, at = _token(output, at)
        new = old
        if status in {"renamed", "copied"}:
            new, at = _token(output, at)
        modes = (words[0].decode(), words[1].decode())
        ids = (words[2].decode(), words[3].decode())
        raws.append(_Raw(status, modes, ids, old, new))
    return raws, output[at:]


def _numstat_part(output: bytes, most: int) -> tuple[_Counts, bytes]:
    """Lines added and removed by new path, and the patch that follows."""
    counts: _Counts = {}
    at = 0
    for _ in range(most):
        if output[at : at + 1] in {b"", b"\0"}:
            break  # an unmerged file may have no counts
        entry, at = _token(output, at)
        added, removed, path = entry.split(b"\t", 2)
        if not path:  # a rename: both names follow
            _, at = _token(output, at)
            path, at = _token(output, at)
        # A change of type has two entries in the patch, but one here.
        counts[path] = (_number(added), _number(removed))
    return counts, output[at:].removeprefix(b"\0")


def _token(output: bytes, at: int) -> tuple[bytes, int]:
    end = output.find(b"\0", at)
    if end < 0:
        raise _strange("an entry without its end")
    return output[at:end], end + 1


def _number(text: bytes) -> int | None:
    return None if text == b"-" else int(text)


def _patch_part(patch: bytes) -> list[_Patch]:
    sections: list[_Patch] = []
    lines = patch.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    at = 0
    while at < len(lines):
        line = lines[at]
        if line.startswith(_SECTION):
            sections.append(_Patch([line]))
            at += 1
        elif sections and (found := _HUNK.match(line)):
            hunk, at = _hunk(lines, at, found)
            sections[-1].hunks.append(hunk)
        elif sections and not sections[-1].hunks:
            sections[-1].head.append(line)
            at += 1
        elif line.startswith(b"* Unmerged path "):
            at += 1
        else:
            raise _strange("a line outside of every hunk")
    return sections


def _hunk(lines: Sequence[bytes], at: int, found: re.Match[bytes]) -> tuple[Hunk, int]:
    """The hunk whose header stands at ``at``, and where the next thing begins."""
    old_start, old_count, new_start, new_count = (
        int(number) if number is not None else 1 for number in found.groups()
    )
    begin = at + 1
    end = begin
    old, new = old_count, new_count
    while (old or new) and end < len(lines):
        marker = lines[end][:1]
        # An empty line is a context line whose blank was left out (diff.suppressBlankEmpty).
        old -= marker in {b" ", b"-", b""}
        new -= marker in {b" ", b"+", b""}
        end += 1
    if old or new:
        raise _strange("a hunk that ends too early")
    while end < len(lines) and lines[end].startswith(b"\\"):
        end += 1
    hunk = Hunk(lines[at], tuple(lines[begin:end]), old_start, old_count, new_start, new_count)
    return hunk, end


def _strange(what: str) -> GitRefused:
    return GitRefused(
        f"git's answer cannot be understood: {what}.", hint="Is git older than 2.30? git --version"
    )
