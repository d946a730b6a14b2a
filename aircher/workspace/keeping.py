"""The work tree and the index as they are now, to be put back after a hook that failed.

Files that are as the index has them can be had from there again; only the others are copied.
"""

from __future__ import annotations

import contextlib
import filecmp
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from aircher.workspace.call import ask_git, clean_environment


class WorkTree:
    """The tracked files of the work tree at ``top``; copies are kept in ``folder``."""

    def __init__(self, top: Path, index: Path, folder: Path, environ: Mapping[str, str]) -> None:
        self._top = top
        self._index = index
        self._folder = folder
        # The user's own filters: without them files would seem changed that are not.
        self._env = clean_environment(top, environ, filters=True)
        self._kept: dict[bytes, Path | None] = {}
        self._entries = b""

    def remember(self) -> None:
        """Copies the index, and every file that is not as the index has it."""
        with contextlib.suppress(FileNotFoundError):
            shutil.copy2(self._index, self._folder / "kept-index")
        self._entries = self._staged()
        for number, path in enumerate(sorted(self._changed())):
            copy = self._folder / f"kept-{number}"
            self._kept[path] = copy if self._copy(self._file(path), copy) else None

    def restore(self) -> None:
        """Puts back what is not as it was."""
        if self._staged() != self._entries:
            shutil.copy2(self._folder / "kept-index", self._index)
        fresh = sorted(self._changed() - set(self._kept))
        if fresh:
            names = b"".join(path + b"\0" for path in fresh)
            self._git("checkout-index", "--force", "-z", "--stdin", stdin=names)
        for path, copy in self._kept.items():
            file = self._file(path)
            if copy is None:
                if os.path.lexists(file) and not file.is_dir():
                    file.unlink()
            elif not _same(file, copy):
                with contextlib.suppress(FileNotFoundError):
                    file.unlink()
                file.parent.mkdir(parents=True, exist_ok=True)
                self._copy(copy, file)

    def _staged(self) -> bytes:
        return self._git("ls-files", "--stage", "-z")

    def _changed(self) -> set[bytes]:
        """Tracked files that are not as the index has them; asked of a copy of it."""
        copy = self._folder / "index"
        try:
            shutil.copy2(self._index, copy)
        except FileNotFoundError:
            return set()
        env = {**self._env, "GIT_INDEX_FILE": os.fspath(copy)}
        refresh = ("update-index", "-q", "--ignore-submodules", "--really-refresh")
        self._git(*refresh, env=env, fine=(0, 1))
        words = ("diff-files", "--name-only", "--ignore-submodules", "-z")
        return set(self._git(*words, env=env).split(b"\0")) - {b""}

    def _file(self, path: bytes) -> Path:
        return self._top / os.fsdecode(path)

    @staticmethod
    def _copy(source: Path, target: Path) -> bool:
        """False where there is nothing, or nothing that git keeps."""
        if not source.is_symlink() and not source.is_file():
            return False
        shutil.copy2(source, target, follow_symlinks=False)
        return True

    def _git(
        self,
        *words: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        fine: tuple[int, ...] = (0,),
    ) -> bytes:
        return ask_git(self._top, *words, env=env or self._env, stdin=stdin, fine=fine)


def _same(file: Path, copy: Path) -> bool:
    if file.is_symlink() or copy.is_symlink():
        links = file.is_symlink() and copy.is_symlink()
        return links and os.readlink(file) == os.readlink(copy)
    if not file.is_file():
        return False
    modes = file.stat().st_mode == copy.stat().st_mode
    return modes and filecmp.cmp(file, copy, shallow=False)
