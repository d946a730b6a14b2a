"""When the data file cannot be used: what of it can still be read, untouched."""

from __future__ import annotations

import sqlite3
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aircher.storage.schema import STEPS

LARGEST = 256 * 1024 * 1024
"""Bytes: a larger file is not copied into memory."""

_WAIT_S = 1.0


@contextmanager
def readable(path: Path) -> Iterator[sqlite3.Connection | None]:
    """The file, opened for reading alone; None where it is not ours, newer, locked or too large.

    A folder that may not be written has no room for WAL's side file; the file is then read as
    one that nobody changes, without what stands in its log alone.
    """
    for how in ("mode=ro", "immutable=1"):
        source = _opened(path, how)
        if source is not None:
            try:
                yield source
            finally:
                source.close()
            return
    yield None


def _opened(path: Path, how: str) -> sqlite3.Connection | None:
    try:
        facts = path.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(facts.st_mode) or not 0 < facts.st_size <= LARGEST:
        return None
    if sys.platform != "win32" and facts.st_uid != path.parent.stat().st_uid:
        return None
    source: sqlite3.Connection | None = None
    try:
        source = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=_WAIT_S)
        version = source.execute("PRAGMA user_version").fetchone()[0]
        whole = source.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        if whole and 0 < version <= len(STEPS):
            return source
    except sqlite3.Error:
        pass
    if source is not None:
        with suppress(sqlite3.Error):
            source.close()
    return None
