"""The port ``Workspace`` on a folder of this machine."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

from aircher.domain.errors import UsageError
from aircher.domain.inert import inert
from aircher.domain.messages import Part
from aircher.domain.tasks import GitState
from aircher.workspace.attach import read_part
from aircher.workspace.editors import open_files
from aircher.workspace.fuzzy import find
from aircher.workspace.git import STATUS_TIMEOUT_S, find_root, git_folder, read_state
from aircher.workspace.ignoring import NAMES, Ignores
from aircher.workspace.listing import Listing

FRESH_FOR_S = 1.0
SLOW_FRESH_FOR_S = 30.0
"""A repository that did not answer in time is left alone for so long."""

EDITORS_TIMEOUT_S = 0.05
"""The longest that open files may hold up a turn."""

_Stamp = tuple[int, ...]


class Folder:
    """The folder the user works in: ``cwd``, and the work tree around it."""

    def __init__(self, cwd: Path | None = None, *, git_timeout_s: float = STATUS_TIMEOUT_S) -> None:
        self._cwd = Path(cwd or Path.cwd()).absolute()
        self._tree = find_root(self._cwd)
        self._root = self._tree or self._cwd
        self._git_timeout_s = git_timeout_s
        self._ignores = Ignores(self._root)
        self._listing = Listing(self._root, self._ignores)
        self._state: GitState | None = None
        self._stamp: _Stamp = ()
        self._read_at: float | None = None
        self._reading = asyncio.Lock()
        self._opened: tuple[float, tuple[str, ...], tuple[str, ...]] | None = None

    @property
    def root(self) -> str:
        """The work tree's root, or the folder itself where there is no git."""
        return os.fspath(self._root)

    async def git(self) -> GitState | None:
        """The git state, at most a second old; None without a repository or an answer in time.

        Anything that moves HEAD or the index (a commit, ``git add``) is seen at once.
        """
        if self._tree is None:
            return None
        async with self._reading:
            stamp = self._stamped()
            if not self._fresh(stamp):
                self._state = await read_state(self._tree, self._git_timeout_s)
                self._stamp = stamp
                self._read_at = time.monotonic()
            return self._state

    async def open_files(self, changed: Sequence[str] = ()) -> Sequence[str]:
        """Files open in an editor, or changed and saved within minutes; () where that takes long.

        At most a second old: a request is looked at while it is typed, and when it is sent.
        """
        now, paths = time.monotonic(), tuple(changed)
        if self._opened is not None:
            at, of, found = self._opened
            if now - at < FRESH_FOR_S and of == paths:
                return found
        nvim = os.environ.get("NVIM", "")
        look = asyncio.to_thread(open_files, self._root, self._cwd, paths, nvim)
        try:
            found = await asyncio.wait_for(look, EDITORS_TIMEOUT_S)
        except TimeoutError:
            found = ()
        self._opened = now, paths, found
        return found

    def attach(self, path: str) -> Part:
        """The file as a message part, at most 10 MB.

        A relative path is looked up in the current folder, then from the root (which is how
        ``find`` names files).  Raises ``UsageError`` with what to do for anything else than
        a readable text, image or PDF file.
        """
        named = Path(os.path.expanduser(path))  # Path's own raises for "~nobody"
        here = self._cwd / named
        from_root = self._root / named
        file = from_root if not _exists(here) and _exists(from_root) else here
        name = self._name(file)
        if self.ignored(name):
            raise UsageError(
                f"{inert(path)} is ignored by {' or '.join(NAMES)}, so it is not sent.",
                hint="Take it out of that file to send it.",
            )
        return read_part(file, path, name)

    def ignored(self, path: str) -> bool:
        """True if the user's ignore files name this path, relative to the root."""
        return self._ignores.names(path)

    def _name(self, file: Path) -> str:
        """The file's path from the root, links followed; absolute where it is elsewhere."""
        try:
            real, root = file.resolve(), self._root.resolve()
        except (OSError, RuntimeError, ValueError):  # a circle of links, a NUL in the name
            return os.fspath(file)
        return (real.relative_to(root) if real.is_relative_to(root) else real).as_posix()

    def find(self, query: str, *, limit: int = 20) -> Sequence[str]:
        """Paths relative to the root that match fuzzily, best first; ignored files left out.

        The list behind it is made in the background and at most some seconds old.
        """
        return find(query, self._listing.get(), limit)

    def warm(self) -> None:
        """Starts listing the files, so that the first ``find`` need not wait."""
        self._listing.refresh()

    def _fresh(self, stamp: _Stamp) -> bool:
        if self._read_at is None:
            return False
        age = time.monotonic() - self._read_at
        if self._state is None:
            return age < SLOW_FRESH_FOR_S
        return age < FRESH_FOR_S and stamp == self._stamp

    def _stamped(self) -> _Stamp:
        folder = git_folder(self._root)
        if folder is None:
            return ()
        return tuple(_changed_at(folder / name) for name in ("HEAD", "index", "MERGE_HEAD"))


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
