"""What git says of a change: files, hunks, and what a commit message is to be about.

Content stays in bytes, as git gave it, so that a part of it can be applied again; ``text``
properties are for reading and replace what is not UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Literal

from aircher.domain.classes import dataclass
from aircher.domain.inert import inert

Status = Literal["added", "modified", "deleted", "renamed", "copied", "type", "unmerged"]

FILE, EXECUTABLE, SYMLINK, SUBMODULE, NOTHING = "100644", "100755", "120000", "160000", "000000"
"""Modes of index entries (git-ls-files(1)); ``NOTHING`` is the side where no file is."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """One stretch of changed lines.

    ``header`` is the whole "@@" line; ``lines`` keep their markers (space, +, -, backslash) and
    have no newline.  Starts count from 1 as in the header.
    """

    header: bytes
    lines: tuple[bytes, ...]
    old_start: int
    old_count: int
    new_start: int
    new_count: int

    @property
    def section(self) -> str:
        """What git takes for the enclosing function, or ""."""
        return _readable(self.header.split(b"@@", 2)[-1].strip())

    @property
    def added(self) -> int:
        """How many lines are new."""
        return sum(line[:1] == b"+" for line in self.lines)

    @property
    def removed(self) -> int:
        """How many lines are gone."""
        return sum(line[:1] == b"-" for line in self.lines)

    @property
    def text(self) -> str:
        """Header and lines, for reading."""
        return "\n".join(map(_readable, (self.header, *self.lines)))

    def patch(self) -> bytes:
        """As git wrote it."""
        return b"\n".join((self.header, *self.lines, b""))


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file's change.

    ``path`` is relative to the top level; bytes that are not UTF-8 are lone surrogates, so
    ``os.fsencode`` gives the name back.  ``added`` and ``removed`` count lines, None where git
    counts none (binary).  ``head`` is the patch before its hunks, line by line; a change of type
    has two patches, the second of which begins with ``second``.  ``attributes`` are
    those of .gitattributes that matter here, by name; ``split`` says how many hunks are the first
    patch's.
    """

    path: str
    status: Status
    old_path: str = ""
    old_mode: str = FILE
    new_mode: str = FILE
    old_id: str = ""
    new_id: str = ""
    added: int | None = 0
    removed: int | None = 0
    head: tuple[bytes, ...] = ()
    hunks: tuple[Hunk, ...] = ()
    second: tuple[bytes, ...] = ()
    split: int = 0
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The path for reading: one line, nothing that a terminal obeys."""
        return shown_path(self.path)

    @property
    def old_name(self) -> str:
        """The path before a rename, for reading; "" where it is the same."""
        return shown_path(self.old_path)

    @property
    def binary(self) -> bool:
        """True where git shows no lines: binary content, or an attribute that says so."""
        return self.added is None

    def patch(self) -> bytes:
        """The file's part of the patch, as git wrote it."""
        cut = self.split if self.second else len(self.hunks)
        parts = [_joined(self.head), *(hunk.patch() for hunk in self.hunks[:cut])]
        parts += [_joined(self.second), *(hunk.patch() for hunk in self.hunks[cut:])]
        return b"".join(parts)

    def lines(self, marker: bytes) -> Iterator[str]:
        """The added (b"+") or removed (b"-") lines, without the marker."""
        for hunk in self.hunks:
            for line in hunk.lines:
                if line[:1] == marker:
                    yield _readable(line[1:])


@dataclass(frozen=True, slots=True)
class Changes:
    """A set of file changes, in git's order.

    ``base`` is the commit they are against ("" for the empty tree); ``fingerprint`` names the
    exact content of the index, and of HEAD, that they were read from ("" for a range).
    """

    files: tuple[FileChange, ...]
    base: str = ""
    fingerprint: str = ""

    def __bool__(self) -> bool:
        return bool(self.files)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path, old names of renamed files included."""
        both = ((file.path, file.old_path) for file in self.files)
        return tuple(dict.fromkeys(path for pair in both for path in pair if path))

    @property
    def added(self) -> int:
        """New lines in all files."""
        return sum(file.added or 0 for file in self.files)

    @property
    def removed(self) -> int:
        """Lines gone from all files."""
        return sum(file.removed or 0 for file in self.files)

    def text(self) -> str:
        """All that changed, names included, as one text: what a message may speak of."""
        parts = []
        for file in self.files:
            parts += [file.name, file.old_name, *(hunk.text for hunk in file.hunks)]
        return "\n".join(parts)


def shown_path(path: str) -> str:
    """A path on one line: a newline in it is written as git writes it."""
    plain = path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return inert(plain.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r"))


def _readable(line: bytes) -> str:
    return inert(line.decode("utf-8", "replace"))


def _joined(lines: tuple[bytes, ...]) -> bytes:
    return b"".join(line + b"\n" for line in lines)
