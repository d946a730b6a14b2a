"""Copying SQLite's log into the data file, in a thread of its own.

SQLite does it within the commit that fills the log, with two fsyncs: 10 to 20 ms in which the
event loop, and so a turn, would wait.  A checkpoint of its kind PASSIVE lets everybody read and
write meanwhile, and a crash in the middle of it loses nothing
(https://www.sqlite.org/pragma.html#pragma_wal_checkpoint).
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path

EVERY = 400
"""Commits between two checkpoints: some 80 turns, and 4,000 pages or 16 MB of log."""

WITHIN_A_COMMIT = 16_000
"""Pages of log at which SQLite does it after all: many attachments in few commits."""

_LEAVE_S = 2.0
"""So long is one waited for that runs while the file is closed; closing makes the last one."""


class Checkpoints:
    """Those of one open file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._commits = 0
        self._running: threading.Thread | None = None

    def committed(self) -> None:
        """To be called after every commit, by one thread at a time."""
        self._commits += 1
        if self._commits < EVERY or self._path == ":memory:":
            return
        if self._running is not None and self._running.is_alive():
            return
        self._commits = 0
        self._running = threading.Thread(target=self._run, name="checkpoint", daemon=True)
        self._running.start()

    def _run(self) -> None:
        # Nobody is to be told: the next one, or the closing of the file, does it as well.
        there = f"{Path(self._path).absolute().as_uri()}?mode=rw"  # never made anew
        with suppress(sqlite3.Error), closing(sqlite3.connect(there, uri=True)) as own:
            own.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def rest(self) -> None:
        """Waits for one that runs."""
        if self._running is not None:
            self._running.join(_LEAVE_S)
