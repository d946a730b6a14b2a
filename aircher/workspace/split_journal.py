"""What a split has done so far, in the repository itself: for the run after one that was killed.

A file in git's folder, written before the first commit and gone after the last; it holds object
ids alone.  Whoever writes it holds a lock on it, which ends with the process, so that a split that
is still at work is not taken for one that was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aircher.domain.classes import dataclass
from aircher.domain.errors import GitRefused
from aircher.domain.splits import SplitPlan

NAME = "aircher-split"


@dataclass(frozen=True, slots=True)
class Journal:
    """A split: HEAD before it ("" = no commit yet), the branch, and each commit's tree in order."""

    head: str
    branch: str
    trees: tuple[str, ...]


@contextlib.contextmanager
def kept(file: Path, plan: SplitPlan, branch: str) -> Iterator[None]:
    """Keeps the journal while the commits are made; however that ends by itself, it is taken away.

    Raises ``GitRefused`` where another split is at work, or git's folder cannot be written.
    """
    with contextlib.ExitStack() as stack:
        try:
            stream = stack.enter_context(open(file, "a", encoding="utf-8"))
            if not _lock(stream.fileno()):
                raise GitRefused("Another `aircher commit --split` is at work in this repository.")
            stack.callback(file.unlink, missing_ok=True)
            stream.truncate(0)
            trees = [step.tree for step in plan.steps]
            json.dump({"head": plan.head, "branch": branch, "trees": trees}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        except OSError as error:
            raise GitRefused(f"{file} cannot be written: {error.strerror}.") from error
        yield


def read(file: Path) -> Journal | None:
    """The journal of a split that was killed; None where there is none, or it is at work."""
    try:
        with open(file, encoding="utf-8") as stream:
            if not _lock(stream.fileno()):
                return None
            raw: Any = json.load(stream)
        trees = tuple(str(tree) for tree in raw["trees"])
        return Journal(str(raw["head"]), str(raw["branch"]), trees)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _lock(handle: int) -> bool:
    """False where another process holds it."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
