"""The n-th call of the system fails, for every n until one run passes untouched.

After each failure the old content is there or the new one, whole; nothing half-written is left.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import pytest

from aircher.bootstrap.configuring import set_value, unset
from aircher.bootstrap.exporting import write_new
from aircher.config.atomic import read_private, write_private
from aircher.config.trust import Trust
from aircher.domain.errors import AircherError, StorageError
from aircher.domain.messages import Text, user
from aircher.domain.models import ModelRef
from aircher.domain.usage import Cost, Tokens, UsageRow
from aircher.secrets.register import Register
from aircher.secrets.sealed import Files, SealedFile
from aircher.storage import database as module
from aircher.storage.database import Database

pytestmark = pytest.mark.security

AT = datetime(2026, 11, 21, tzinfo=UTC)
FILES = Files(read_private, write_private)
CALLS = ("open", "write", "fsync", "replace", "rename", "fdopen", "link", "ftruncate")


class Nth:
    """Lets the n-th of the watched calls fail; ``fired`` tells whether it came to that."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, n: int, code: int) -> None:
        self.left, self.code, self.fired = n, code, False
        for name in CALLS:
            monkeypatch.setattr(os, name, self._counting(getattr(os, name)))

    def tick(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.fired = True
            raise OSError(self.code, os.strerror(self.code))

    def _counting(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.tick()
            made = real(*args, **kwargs)
            return _Failing(made, self) if real.__name__ == "fdopen" else made

        call.__name__ = real.__name__
        return call


class _Failing:
    """A file whose writes and flushes count."""

    def __init__(self, file: Any, nth: Nth) -> None:
        self._file, self._nth = file, nth

    def write(self, data: Any) -> Any:
        self._nth.tick()
        return self._file.write(data)

    def flush(self) -> None:
        self._nth.tick()
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def sealed(file: Path) -> SealedFile:
    return SealedFile(file, FILES, lambda _: b"correct horse", {"n": 2**14, "r": 8, "p": 1})


def config(home: Path) -> Path:
    file = home / ".config" / "aircher" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('# mine\n[ui]\ntheme = "a"\n')
    return file


def write_first(file: Path) -> Path:
    write_private(file, b"old")
    return file


def seal_first(file: Path) -> Path:
    sealed(file).put("openai", "old", "https://x.example", AT, "passphrase")
    return file


def trust_first(file: Path) -> Path:
    Trust(file).add(Path("/x/.aircher.toml"), b"old")
    return file


WAYS: dict[str, tuple[Callable[[Path], Path], Callable[[Path], object]]] = {
    "write": (write_first, lambda f: write_private(f, b"new")),
    "first write": (lambda f: f, lambda f: write_private(f, b"new")),
    "config set": (lambda f: config(f.parents[1]), lambda _: set_value("ui.theme", "b")),
    "config unset": (lambda f: config(f.parents[1]), lambda _: unset("ui.theme")),
    "key stored": (lambda f: f, lambda f: sealed(f).put("openai", "k", "o", AT, "passphrase")),
    "key replaced": (seal_first, lambda f: sealed(f).put("openai", "k", "o", AT, "passphrase")),
    "key removed": (seal_first, lambda f: sealed(f).remove("openai")),
    "key noted": (lambda f: f, lambda f: Register(f, FILES).add("openai", "o", AT)),
    "trusted": (trust_first, lambda f: Trust(f).add(Path("/y/.aircher.toml"), b"new")),
    "trust removed": (trust_first, lambda f: Trust(f).remove(Path("/x/.aircher.toml"))),
    "exported": (lambda f: f, lambda f: write_new(f, "new " * 50_000)),
}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=["no space", "io error"])
@pytest.mark.parametrize("way", WAYS)
def test_the_old_or_the_new_one_never_neither(
    home: Path, monkeypatch: pytest.MonkeyPatch, way: str, code: int
) -> None:
    prepare, act = WAYS[way]
    folder = home / "data"
    for n in range(1, 100):
        folder.mkdir(exist_ok=True)
        for leftover in folder.iterdir():
            leftover.unlink()
        file = prepare(folder / "file")
        old = file.read_bytes() if file.exists() else None
        with monkeypatch.context() as patch:
            nth = Nth(patch, n, code)
            try:
                act(file)
            except (OSError, AircherError):
                assert nth.fired
        now = file.read_bytes() if file.exists() else None
        names = {one.name for one in file.parent.iterdir()} - {file.name}
        assert names == set(), "something half-written was left"
        if now != old:
            assert file.stat().st_mode & 0o777 == 0o600
        if not nth.fired:
            assert now != old
            assert n > 2, "nothing was ever let fail"
            return
        assert now == old or _whole(way, file)
    raise AssertionError("no run passed untouched")


def _whole(way: str, file: Path) -> bool:
    """The new content: it is read as the program reads it."""
    if way.startswith("key ") and way != "key noted":
        sealed(file).open()
        return True
    if way.startswith("exported"):
        return file.stat().st_size == 200_000
    return file.stat().st_size > 2 or file.read_bytes() in {b"new", b"{}"}


class Counting(sqlite3.Connection):
    """A connection whose n-th statement finds the disk full, COMMIT included."""

    left = 0
    fired = False

    def execute(self, statement: str, *more: Any) -> sqlite3.Cursor:
        if not statement.lstrip().upper().startswith(("ROLLBACK", "PRAGMA", "SELECT")):
            Counting.left -= 1
            if Counting.left == 0:
                Counting.fired = True
                error = sqlite3.OperationalError("database or disk is full")
                error.sqlite_errorcode = sqlite3.SQLITE_FULL
                raise error
        return super().execute(statement, *more)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    real = sqlite3.connect
    monkeypatch.setattr(
        module.sqlite3, "connect", lambda *args, **more: real(*args, factory=Counting, **more)
    )
    Counting.left, Counting.fired = 0, False
    made = Database.open(tmp_path / "data" / "aircher.db")
    yield made
    made.close()


REF = ModelRef("openai", "m")


def settled(db: Database) -> None:
    db.ledger.settle(
        None,
        UsageRow(at=AT, ref=REF, task="default", tokens=Tokens(1, 2), cost=Cost(5, "exact", "t")),
    )


def ended(db: Database) -> None:
    session = db.sessions.list()[0]
    number = db.sessions.begin(session.id, REF)
    db.sessions.end(number, [Text("answer")], "complete")


def removed(db: Database) -> None:
    db.sessions.remove(db.sessions.list()[0].id)


STATEMENTS: dict[str, Callable[[Database], object]] = {
    "message added": lambda db: db.sessions.add(db.sessions.list()[0].id, user("two")),
    "session made": lambda db: db.sessions.create(title="two"),
    "answer ended": ended,
    "session removed": removed,
    "session renamed": lambda db: db.sessions.rename(db.sessions.list()[0].id, "two"),
    "money written": settled,
}


def state(db: Database) -> list[tuple[Any, ...]]:
    with db._connection.reading() as raw:
        tables = ("sessions", "messages", "usage", "reservations")
        rows = (tuple(row) for t in tables for row in raw.execute(f"SELECT * FROM {t}"))
        return sorted(rows, key=repr)


@pytest.mark.parametrize("what", STATEMENTS)
def test_a_transaction_is_whole_or_was_never(database: Database, what: str) -> None:
    session = database.sessions.create(title="one")
    database.sessions.add(session.id, user("one"))
    for n in range(1, 60):
        before = state(database)
        Counting.left, Counting.fired = n, False
        try:
            STATEMENTS[what](database)
        except StorageError:
            assert Counting.fired
            if what != "answer ended":  # begun and ended are two transactions
                assert state(database) == before
        Counting.left = 0
        if not Counting.fired:
            assert state(database) != before
            assert n > 2
            return
    raise AssertionError("no run passed untouched")
