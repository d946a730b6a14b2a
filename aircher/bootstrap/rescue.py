"""A text that the data file did not take: saved beside it, in a private file of its own."""

from __future__ import annotations

from datetime import datetime

from aircher.bootstrap.clock import LOCAL
from aircher.bootstrap.places import state_dir
from aircher.config.atomic import write_private
from aircher.domain.errors import ConfigError


def rescue(text: str) -> str:
    """Saves an answer in the state folder (0600); returns the file's name, "" where that fails."""
    name = f"answer-{datetime.now(LOCAL):%Y%m%d-%H%M%S-%f}.md"
    try:
        file = state_dir() / name
        write_private(file, text.encode("utf-8", "replace"))
    except (OSError, ConfigError):
        return ""
    return str(file)
