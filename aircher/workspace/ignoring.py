"""The user's own ignore files: what they name is never sent to a model.

.aircherignore and .aiignore, in any folder, in .gitignore's syntax; a deeper file's word counts for
more, and what stands in an ignored folder cannot be let in again (gitignore(5)).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # 30 ms, which only those pay who have such a file
    from pathspec import GitIgnoreSpec

NAMES = (".aircherignore", ".aiignore")

_Stamp = tuple[tuple[str, int], ...]


class Ignores:
    """The ignore files of one tree; each is read again when it changes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read: dict[str, tuple[_Stamp, GitIgnoreSpec | None]] = {}

    def names(self, path: str) -> bool:
        """True if ``path`` (relative to the root, with "/") or a folder it is in is ignored."""
        return self._named(path, self._spec)

    def without(self, paths: Iterable[str]) -> Iterator[str]:
        """The paths that no file ignores; each folder is looked into once."""
        looked = cache(self._spec)
        return (path for path in paths if not self._named(path, looked))

    def _named(self, path: str, spec_of: Callable[[str], GitIgnoreSpec | None]) -> bool:
        parts = PurePosixPath(path).parts
        if not parts or parts[0] in {"..", "/"}:
            return False
        specs: list[tuple[int, GitIgnoreSpec]] = []
        for depth in range(len(parts)):
            spec = spec_of("/".join(parts[:depth]))
            if spec is not None:
                specs.append((depth, spec))
            last = depth == len(parts) - 1
            if specs and _judge(specs, parts[: depth + 1], folder=not last):
                return True
        return False

    def _spec(self, folder: str) -> GitIgnoreSpec | None:
        where = self._root / folder if folder else self._root
        stamp = tuple(_stamps(where))
        known = self._read.get(folder)
        if known is None or known[0] != stamp:
            known = self._read[folder] = (stamp, _parse(where, stamp))
        return known[1]


def _stamps(folder: Path) -> Iterator[tuple[str, int]]:
    for name in NAMES:
        try:
            yield name, os.stat(folder / name).st_mtime_ns
        except (OSError, ValueError):
            continue


def _parse(folder: Path, stamp: _Stamp) -> GitIgnoreSpec | None:
    """The patterns of a folder's files; one that cannot be read ignores the whole folder."""
    if not stamp:
        return None
    from pathspec import GitIgnoreSpec

    lines: list[str] = []
    for name, _ in stamp:
        try:
            lines += (folder / name).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            lines.append("*")
    return GitIgnoreSpec.from_lines(lines)


def _judge(specs: list[tuple[int, GitIgnoreSpec]], parts: tuple[str, ...], *, folder: bool) -> bool:
    """What the files say of one path; the deepest that says anything decides."""
    ignored = False
    for depth, spec in specs:
        path = "/".join(parts[depth:]) + ("/" if folder else "")
        include = spec.check_file(path).include
        if include is not None:
            ignored = include
    return ignored
