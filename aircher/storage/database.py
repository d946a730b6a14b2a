"""Opening the data file: made private, brought up to date, moved aside if damaged."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from aircher.domain.errors import StorageError
from aircher.storage.checkpoints import WITHIN_A_COMMIT
from aircher.storage.connection import (
    BUSY_TIMEOUT_MS,
    DAMAGED,
    Connection,
    damage_mark,
    in_our_words,
    result_code,
)
from aircher.storage.corrections import Corrected
from aircher.storage.health import HealthRecords
from aircher.storage.ledger import UsageLedger
from aircher.storage.rates import RateSlots
from aircher.storage.schema import STEPS
from aircher.storage.sessions import Sessions
from aircher.storage.standing import readable
from aircher.storage.times import Now, SystemNow, to_ms

_SIDE_FILES = ("", "-wal", "-shm")
_WAL_KEPT_BYTES = 8 * 1024 * 1024


class Database:
    """An open data file.

    ``sessions`` implements the port ``SessionStore``; ``ledger`` both ``Ledger`` and
    ``UsageReader``, ``corrections`` the port ``Corrections``, ``health`` ``HealthStore`` and
    ``rates`` ``RateStore``.  ``notices`` are sentences the user should see once (a damaged file was
    moved aside).  Any thread may use it; see ``connection.py``.
    """

    def __init__(self, connection: Connection, clock: Now, notices: tuple[str, ...]) -> None:
        self._connection = connection
        self.notices = notices
        self.sessions = Sessions(connection, clock)
        self.ledger = UsageLedger(connection, clock)
        self.corrections = Corrected(connection, clock)
        self.health = HealthRecords(connection)
        self.rates = RateSlots(connection)

    @classmethod
    def open(cls, path: Path, clock: Now | None = None) -> Database:
        """Opens the file, making it and its folder if need be (0600 in 0700).

        A damaged file is moved aside, never deleted, and a new one begun: see ``notices``.
        Raises ``StorageError`` for a file that is newer than this program, locked,
        read-only, not ours, or on a full disk.
        """
        now = clock or SystemNow()
        _make_private(path)
        notices: tuple[str, ...] = ()
        try:
            raw = _opened(path, now)
        except sqlite3.Error as error:
            if result_code(error) not in DAMAGED:
                raise in_our_words(error, str(path)) from error
            raw, notices = _begun_anew(path, now)
        database = cls(Connection(raw, str(path)), now, notices)
        # Money first: it is reckoned from what the unfinished replies hold.
        database.ledger.free_abandoned()
        database.sessions.stop_abandoned()
        return database

    @classmethod
    def temporary(cls, clock: Now | None = None) -> Database:
        """A database in memory: nothing is kept, and limits count this run alone."""
        now = clock or SystemNow()
        return cls(Connection(_connected(":memory:", now), ":memory:"), now, ())

    @classmethod
    def stand_in(cls, path: Path, error: StorageError, clock: Now | None = None) -> Database:
        """A database in memory for a file that could not be opened because of ``error``.

        It begins with what can be read of the file, so that earlier conversations are there and
        limits count what was spent; the file is not touched, and nothing new is kept.
        """
        now = clock or SystemNow()
        with readable(path) as source:
            try:
                raw, copied = _connected(":memory:", now, source), source is not None
            except sqlite3.Error:
                raw, copied = _connected(":memory:", now), False
        seen = "What was in it is shown, and counts." if copied else "Limits count this chat alone."
        notice = f"{error.message} Nothing of this chat is kept. {seen} {error.hint}"
        return cls(Connection(raw, ":memory:"), now, (notice.strip(),))

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()


def _make_private(path: Path) -> None:
    """Makes the empty file with its folder, or refuses one that is not plainly ours.

    An existing file is never opened here: closing it again would drop the locks that
    another connection of this process holds on it (POSIX, fcntl(2)).
    """
    try:
        missing = [one for one in path.parents if not one.exists()]
        for folder in reversed(missing):  # "parents=True" would make these as the umask says
            folder.mkdir(mode=0o700, exist_ok=True)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            _check_ours(path)
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        code = sqlite3.SQLITE_FULL if full else sqlite3.SQLITE_CANTOPEN
        cause = sqlite3.OperationalError(str(error))
        cause.sqlite_errorcode = code
        raise in_our_words(cause, str(path)) from error


def _check_ours(path: Path) -> None:
    facts = path.lstat()
    if not stat.S_ISREG(facts.st_mode):
        raise StorageError(
            f"The data file {path} is not a plain file.",
            hint="Remove the link or folder of that name, or set XDG_DATA_HOME.",
        )
    if sys.platform == "win32":
        return
    if facts.st_uid != os.geteuid():
        raise StorageError(
            f"The data file {path} belongs to another user.",
            hint="Change its owner, or set XDG_DATA_HOME to a folder of your own.",
        )
    if facts.st_mode & 0o077:
        path.chmod(0o600)


def _connected(
    path: Path | str, now: Now, source: sqlite3.Connection | None = None
) -> sqlite3.Connection:
    """An open file, up to date; with ``source`` a copy of that is put into it first."""
    # isolation_level=None: transactions are begun by our own BEGIN IMMEDIATE alone.
    raw = sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT_MS / 1000,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        if source is not None:
            source.backup(raw)
        raw.row_factory = sqlite3.Row
        raw.execute("PRAGMA synchronous = NORMAL")
        raw.execute("PRAGMA foreign_keys = ON")
        raw.execute(f"PRAGMA wal_autocheckpoint = {WITHIN_A_COMMIT}")
        raw.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT_BYTES}")
        _brought_up_to_date(raw, str(path), now)
    except BaseException:
        raw.close()
        raise
    return raw


def _opened(path: Path, now: Now) -> sqlite3.Connection:
    raw = _connected(path, now)
    try:
        # Reads the first page of every table, so that most damage shows here.
        for table in ("sessions", "messages", "usage", "reservations", "search"):
            raw.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()  # noqa: S608 - a constant
        _check_if_marked(raw, path)
    except BaseException:
        raw.close()
        raise
    return raw


def _check_if_marked(raw: sqlite3.Connection, path: Path) -> None:
    """Reads the whole file where an earlier run met damage in it."""
    mark = damage_mark(path)
    if not mark.exists():
        return
    verdict = raw.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        damage = sqlite3.DatabaseError(verdict)
        damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damage
    mark.unlink(missing_ok=True)


def _brought_up_to_date(raw: sqlite3.Connection, path: str, now: Now) -> None:
    if _version(raw, path) == len(STEPS):
        return
    _switch_to_wal(raw)
    # Two programs may come here at once; the second finds the work done.
    raw.execute("BEGIN IMMEDIATE")
    try:
        for number in range(_version(raw, path) + 1, len(STEPS) + 1):
            for statement in STEPS[number - 1]:
                raw.execute(statement)
            raw.execute(
                "INSERT INTO migrations (version, at) VALUES (?, ?)", (number, to_ms(now.now()))
            )
            raw.execute(f"PRAGMA user_version = {number}")
        raw.execute("COMMIT")
    except BaseException:
        if raw.in_transaction:
            raw.execute("ROLLBACK")
        raise


def _switch_to_wal(raw: sqlite3.Connection) -> None:
    """Sets WAL mode, which the file keeps; SQLite's own busy timeout does not cover this."""
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            raw.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if result_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _version(raw: sqlite3.Connection, path: str) -> int:
    version = int(raw.execute("PRAGMA user_version").fetchone()[0])
    if version > len(STEPS):
        raise StorageError(
            f"The data file {path} was written by a newer Aircher"
            f" (format {version}; this one knows {len(STEPS)}).",
            hint="Upgrade Aircher; the file was not touched.",
        )
    return version


def _begun_anew(path: Path, now: Now) -> tuple[sqlite3.Connection, tuple[str, ...]]:
    """Moves the damaged file aside and opens a new one; one program at a time."""
    with _alone(path):
        try:
            return _opened(path, now), ()  # another program was quicker
        except sqlite3.Error as error:
            if result_code(error) not in DAMAGED:
                raise in_our_words(error, str(path)) from error
        aside = _moved_aside(path, now.now())
        _make_private(path)
        try:
            raw = _opened(path, now)
        except sqlite3.Error as error:
            raise in_our_words(error, str(path)) from error
    notice = (
        f"The data file was damaged; it was moved to {aside} and a new one was begun."
        " Earlier conversations and spending are in the old file only."
    )
    return raw, (notice,)


def _moved_aside(path: Path, at: datetime) -> Path:
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    for suffix in _SIDE_FILES:
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    damage_mark(path).unlink(missing_ok=True)
    return aside


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Holds a lock file, so that two programs do not both move the file aside."""
    handle = os.open(
        path.with_name(path.name + ".lock"),
        os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0),
        0o600,
    )
    try:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
