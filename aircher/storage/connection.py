"""One SQLite connection with its transactions, and SQLite's errors in our own words.

Threads: the connection may be made in one thread (a worker, while the first frame is drawn)
and used in another (the event loop); a lock lets one at a time in.

What a crash loses: in WAL mode with ``synchronous=NORMAL`` a transaction is in the operating
system's hands when it is committed, so ``kill -9`` loses nothing committed.  A power cut may
lose the last transactions since a checkpoint (they are not each flushed to the disk, which
would cost milliseconds while the event loop waits), but never damages the file
(https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aircher.domain.errors import StorageError
from aircher.storage.checkpoints import Checkpoints

BUSY_TIMEOUT_MS = 3_000
"""How long a transaction waits for another program's; ours take microseconds."""

DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

_PRIMARY = 0xFF  # extended result codes keep the primary one in the low byte

_SENTENCES: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_BUSY: (
        "The data file {path} is in use by another program.",
        "Close the program that holds it, then try again.",
    ),
    sqlite3.SQLITE_LOCKED: (
        "The data file {path} is in use by another program.",
        "Close the program that holds it, then try again.",
    ),
    sqlite3.SQLITE_FULL: (
        "The disk is full: {path} cannot be written.",
        "Free some space, then try again; what was saved before is safe.",
    ),
    sqlite3.SQLITE_IOERR: (
        "The disk refused to read or write {path}.",
        "Check the disk and its free space, then try again.",
    ),
    sqlite3.SQLITE_READONLY: (
        "The data file {path} may not be written.",
        "Make the file and its folder writable, or set XDG_DATA_HOME to another folder.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "The data file {path} cannot be opened.",
        "Make the file and its folder writable, or set XDG_DATA_HOME to another folder.",
    ),
    sqlite3.SQLITE_PERM: (
        "The data file {path} may not be used.",
        "Make the file and its folder writable, or set XDG_DATA_HOME to another folder.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "The data file {path} is damaged.",
        "Start Aircher again: the file is moved aside, not deleted, and a new one is begun.",
    ),
    sqlite3.SQLITE_NOTADB: (
        "The file {path} is not an Aircher data file.",
        "Start Aircher again: the file is moved aside, not deleted, and a new one is begun.",
    ),
}


def result_code(error: sqlite3.Error) -> int | None:
    """SQLite's primary result code; None for the binding's own errors."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & _PRIMARY


_ROOM = 64 * 1024
"""Bytes that SQLite needs at least; a disk with less is full, whatever SQLite makes of it."""


def _is_full(path: str) -> bool:
    try:
        return shutil.disk_usage(Path(path).parent).free < _ROOM
    except OSError:
        return False


def in_our_words(error: sqlite3.Error, path: str) -> StorageError:
    """The sentence for a SQLite error."""
    code = result_code(error)
    if code == sqlite3.SQLITE_IOERR and _is_full(path):
        code = sqlite3.SQLITE_FULL  # the log's index could not grow
    message, hint = _SENTENCES.get(
        code or -1,
        (f"The data file {{path}} cannot be used: {error}.", "Run `aircher doctor`."),
    )
    return StorageError(message.replace("{path}", path), hint=hint)


def damage_mark(path: Path) -> Path:
    """The empty file that tells the next start to check the data file."""
    return path.with_name(path.name + ".check")


class Connection:
    """Transactions on one open file; ``path`` names it in messages."""

    def __init__(self, raw: sqlite3.Connection, path: str) -> None:
        self._raw = raw
        self._path = path
        self._lock = threading.RLock()
        self._checkpoints = Checkpoints(path)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Statements that change nothing; each sees the latest committed state.

        Raises ``StorageError`` where SQLite fails.
        """
        with self._lock:
            try:
                yield self._raw
            except sqlite3.Error as error:
                if result_code(error) in DAMAGED:
                    self._mark_damaged()
                raise in_our_words(error, self._path) from error

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Statements that change nothing and all see the same committed state.

        Raises ``StorageError`` where SQLite fails.
        """
        with self.reading() as raw:
            raw.execute("BEGIN")
            try:
                yield raw
            finally:
                raw.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that no other program's can interleave with; all or nothing.

        Raises ``StorageError`` where SQLite fails.
        """
        with self.reading() as raw:
            raw.execute("BEGIN IMMEDIATE")
            try:
                yield raw
                raw.execute("COMMIT")
            except BaseException:
                if raw.in_transaction:
                    raw.execute("ROLLBACK")
                raise
            self._checkpoints.committed()

    def _mark_damaged(self) -> None:
        """Lets the next start look at the whole file, which it otherwise has no time for."""
        with contextlib.suppress(OSError):
            damage_mark(Path(self._path)).touch(mode=0o600)

    def close(self) -> None:
        """Closes the file; closing twice is fine."""
        self._checkpoints.rest()
        with self._lock:
            self._raw.close()
