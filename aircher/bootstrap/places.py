"""Folders of ours besides configuration and data."""

from __future__ import annotations

import os
from pathlib import Path

from aircher.domain.errors import ConfigError

SEALED_NAME = "keys.sealed"
"""The encrypted file of keys, in the data folder."""


def home() -> Path:
    """The user's folder.

    Raises ``ConfigError`` where there is none, as for a number without a name in a container:
    what follows would else be written to a folder called "~".
    """
    try:
        return Path.home()
    except RuntimeError:
        raise ConfigError(
            "There is no home folder to keep settings and conversations in.", hint="Set HOME."
        ) from None


def state_dir() -> Path:
    """What is of no use on another machine: $XDG_STATE_HOME/aircher, or the platform's own place."""
    folder = os.environ.get("XDG_STATE_HOME", "")
    if Path(folder).is_absolute():
        return Path(folder) / "aircher"
    home()
    import platformdirs

    return platformdirs.user_state_path("aircher")


def cache_dir() -> Path:
    """What may be deleted at any time: $XDG_CACHE_HOME/aircher, or the platform's own place."""
    folder = os.environ.get("XDG_CACHE_HOME", "")
    if Path(folder).is_absolute():
        return Path(folder) / "aircher"
    home()
    import platformdirs

    return platformdirs.user_cache_path("aircher")
