"""The files of a folder, listed in a background thread and kept for some seconds."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from aircher.domain.errors import GitRefused
from aircher.workspace.fuzzy import Index, index
from aircher.workspace.git import HARMLESS, git_folder, harmless_environment, note_trouble
from aircher.workspace.ignoring import Ignores

FRESH_FOR_S = 5.0
FIRST_WAIT_S = 0.2
"""How long the first search waits for the first list; later ones use the list there is."""

_LIST_TIMEOUT_S = 10.0
MOST_FILES = 50_000
"""Where there is no git, reading stops here (somebody may start in their home folder)."""

_SKIPPED = frozenset(
    {"node_modules", "__pycache__", "venv", "target", "dist", "build", "site-packages"}
)
"""Folders without files of one's own; those whose name begins with a dot are skipped too."""


def git_files(root: Path) -> list[str] | None:
    """Tracked and untracked files that are not ignored; None if git fails, which is logged."""
    if git_folder(root) is None:
        return None
    command = (*HARMLESS, "ls-files", "-co", "--exclude-standard", "--deduplicate", "-z")
    try:
        done = subprocess.run(
            command,
            cwd=root,
            env=harmless_environment(root),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LIST_TIMEOUT_S,
            check=True,
        )
    except GitRefused as error:
        note_trouble("git ls-files", error.message)
        return None
    except subprocess.CalledProcessError as error:
        note_trouble("git ls-files", f"it ended with {error.returncode}")
        return None
    except subprocess.TimeoutExpired:
        note_trouble("git ls-files", f"no answer within {_LIST_TIMEOUT_S:g} s")
        return None
    except OSError as error:
        note_trouble("git ls-files", error.strerror or "it cannot be run")
        return None
    return [os.fsdecode(name) for name in done.stdout.split(b"\0") if name]


def walked_files(root: Path) -> Iterator[str]:
    """Files under ``root``, links to folders not followed."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name not in _SKIPPED
        )
        where = Path(folder).relative_to(root)
        for name in files:
            yield (where / name).as_posix()


def list_files(root: Path) -> list[str]:
    """The files of a folder, relative to it, with "/"."""
    listed = git_files(root)
    if listed is not None:
        return listed
    return [path for path, _ in zip(walked_files(root), range(MOST_FILES), strict=False)]


class Listing:
    """The latest list; asking for it starts a new one where it is old."""

    def __init__(self, root: Path, ignores: Ignores | None = None) -> None:
        self._root = root
        self._ignores = ignores or Ignores(root)
        self._index = index([])
        self._made_at: float | None = None
        self._thread: threading.Thread | None = None

    def get(self) -> Index:
        """The list as it is known now; the first call waits a moment for it."""
        self.refresh()
        if self._made_at is None and self._thread is not None:
            self._thread.join(FIRST_WAIT_S)
        return self._index

    def refresh(self) -> None:
        """Starts a new list in the background unless one is fresh or under way."""
        fresh = self._made_at is not None and time.monotonic() - self._made_at < FRESH_FOR_S
        if fresh or (self._thread is not None and self._thread.is_alive()):
            return
        self._thread = threading.Thread(target=self._make, name="list files", daemon=True)
        self._thread.start()

    def _make(self) -> None:
        self._index = index(list(self._ignores.without(list_files(self._root))))
        self._made_at = time.monotonic()
