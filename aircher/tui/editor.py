"""The user's own editor for a long message."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Collection
from pathlib import Path

from aircher.domain.children import child_environment


def command() -> list[str]:
    """$VISUAL, else $EDITOR, else vi, with its arguments."""
    return shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi") or ["vi"]


def edited(text: str, hidden: Collection[str] = ()) -> str:
    """What the editor leaves of ``text``; it is given no key (``hidden`` variables hold some).

    Raises ``OSError`` if it cannot be started.  The file is readable by the user alone, and
    gone afterwards.
    """
    descriptor, name = tempfile.mkstemp(prefix="aircher-", suffix=".md")
    path = Path(name)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        subprocess.run([*command(), name], env=child_environment(os.environ, hidden), check=False)
        return path.read_text("utf-8", errors="replace").rstrip("\n")
    finally:
        path.unlink(missing_ok=True)
