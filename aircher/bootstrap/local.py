"""The built-in model as commands see it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from aircher.bootstrap.configuring import data_dir, key_variables
from aircher.config.atomic import private_folder
from aircher.domain.children import child_environment
from aircher.domain.errors import Cancelled
from aircher.providers.local.fetch import CONTINUE_HINT, Progress
from aircher.providers.local.model import (
    SMOLLM2,
    Status,
    has_runtime,
    is_present,
    models_folder,
    remove,
    status,
)
from aircher.providers.local.pull import Pulled, pull

TITLE = SMOLLM2.title
LICENCE = SMOLLM2.licence
SIZE_BYTES = SMOLLM2.size


def _folder() -> Path:
    """The folder of models, with the rest of our data.  Raises ``ConfigError`` without a home."""
    data_dir()
    return models_folder()


def _made_folder() -> Path:
    """The same, made private where it is missing."""
    folder = _folder()
    with suppress(OSError):  # fetching says what is wrong with it
        private_folder(folder)
    return folder


def local_ready() -> bool:
    """True when the built-in model can be used; a quick look, nothing is read or imported."""
    return is_present(SMOLLM2, _folder()) and has_runtime()


def local_present() -> bool:
    """True when the model's file is there in full size."""
    return is_present(SMOLLM2, _folder())


def local_runtime() -> bool:
    """True when the program that runs models is installed; it is looked for, not imported."""
    return has_runtime()


def local_status() -> Status:
    """Everything about the built-in model; reads its file once to check it."""
    return status(SMOLLM2, _folder())


def local_pull(*, force: bool, progress: Progress, say: Callable[[str], None]) -> Pulled:
    """Fetches the built-in model; see ``providers.local.pull`` for what it raises.

    Raises ``Cancelled`` on Ctrl+C; what came is kept.
    """
    environ = child_environment(os.environ, key_variables(), kept=("",))
    try:
        return pull(SMOLLM2, _made_folder(), environ, force=force, progress=progress, say=say)
    except KeyboardInterrupt:
        raise Cancelled("Stopped; what came so far is kept.", hint=CONTINUE_HINT) from None


def local_remove() -> int:
    """Deletes the built-in model and interrupted downloads; returns the bytes freed."""
    return remove(SMOLLM2, _folder())


__all__ = [
    "LICENCE",
    "SIZE_BYTES",
    "TITLE",
    "Progress",
    "Pulled",
    "Status",
    "local_present",
    "local_pull",
    "local_ready",
    "local_remove",
    "local_runtime",
    "local_status",
]
