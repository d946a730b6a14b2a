"""The git hook, made of the repository it is for and the program that it starts."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from aircher.bootstrap.committing import git_environment
from aircher.domain.hooks import Hooks
from aircher.workspace.hooks import HookFiles
from aircher.workspace.repository import GitRepository


def open_hooks(folder: Path | None = None) -> Hooks:
    """The hook of the repository around a folder (the current one by default).

    Raises ``UsageError`` where there is none with a work tree, ``GitRefused`` where git will not
    look at it.
    """
    environ = git_environment()
    return HookFiles(Path(GitRepository(folder or Path.cwd(), environ).top), environ)


def own_program() -> str:
    """The path of this program, for others to start it."""
    started = Path(sys.argv[0]).absolute()
    beside = Path(sys.executable).absolute().with_name("aircher")
    candidates = (started if started.stem == "aircher" else beside, beside)
    found = next((path for path in candidates if os.access(path, os.X_OK)), None)
    return (found or Path(shutil.which("aircher") or "aircher")).as_posix()
