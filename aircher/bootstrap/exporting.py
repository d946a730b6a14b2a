"""Conversations written out to a file of the user's choice."""

from __future__ import annotations

import os
from pathlib import Path

from aircher.domain.errors import UsageError
from aircher.domain.inert import inert


def write_new(path: Path, text: str) -> None:
    """Writes a new file, readable by the user alone; all of it or none.

    Raises ``UsageError`` if it exists or cannot be written: an export never overwrites.
    """
    shown = inert(str(path))
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            path.unlink()  # half an export is none
            raise
    except FileExistsError:
        raise UsageError(f"{shown} exists already.", hint="Give another name.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{shown} cannot be written: {reason}.", hint="Check the path.") from error
