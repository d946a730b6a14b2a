"""Folders of ours besides configuration and data."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """What may be deleted at any time: $XDG_CACHE_HOME/aircher, or the platform's own place."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    if Path(home).is_absolute():
        return Path(home) / "aircher"
    import platformdirs

    return platformdirs.user_cache_path("aircher")
