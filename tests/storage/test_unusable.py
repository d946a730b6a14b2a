"""Data files that cannot be used as they are: the chat starts, says one thing, and loses nothing."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from aircher.bootstrap.opening import database_path, open_database
from aircher.domain.errors import StorageError
from aircher.domain.messages import user
from aircher.storage import database as module
from aircher.storage.database import Database
from aircher.storage.schema import STEPS

pytestmark = pytest.mark.security

Prepare = Callable[[Path, ExitStack], None]


def changed(change: Callable[[bytes], bytes]) -> Prepare:
    def prepare(file: Path, _stack: ExitStack) -> None:
        file.write_bytes(change(file.read_bytes()))

    return prepare


def sql(*statements: str) -> Prepare:
    def prepare(file: Path, _stack: ExitStack) -> None:
        raw = sqlite3.connect(file)
        for statement in statements:
            raw.execute(statement)
        raw.commit()
        raw.close()

    return prepare


def locked(mode: str) -> Prepare:
    def prepare(file: Path, stack: ExitStack) -> None:
        raw = sqlite3.connect(file, isolation_level=None)
        if mode == "whole":
            raw.execute("PRAGMA locking_mode = EXCLUSIVE")
            raw.execute("PRAGMA journal_mode = DELETE")
        raw.execute("BEGIN EXCLUSIVE" if mode == "whole" else "BEGIN IMMEDIATE")
        raw.execute("CREATE TABLE IF NOT EXISTS held (x)")
        stack.callback(raw.close)

    return prepare


def failing(code: int, patch: pytest.MonkeyPatch) -> None:
    """What SQLite says where root, who runs these tests, would be let through."""
    real = module._connected

    def refused(path: Path | str, *more: Any) -> sqlite3.Connection:
        if path == ":memory:":
            return real(path, *more)
        error = sqlite3.OperationalError("as told")
        error.sqlite_errorcode = code
        raise error

    patch.setattr(module, "_connected", refused)


def told(code: int) -> Prepare:
    def prepare(_file: Path, stack: ExitStack) -> None:
        patch = pytest.MonkeyPatch()
        failing(code, patch)
        stack.callback(patch.undo)

    return prepare


def another_owner(file: Path, _stack: ExitStack) -> None:
    if os.geteuid():
        pytest.skip("only root can give a file away")
    os.chown(file, 12345, 12345)


def a_link(file: Path, _stack: ExitStack) -> None:
    file.rename(file.with_name("elsewhere.db"))
    file.symlink_to(file.with_name("elsewhere.db"))


def a_dead_link(file: Path, _stack: ExitStack) -> None:
    file.unlink()
    file.symlink_to(file.with_name("nowhere.db"))


def a_folder(file: Path, _stack: ExitStack) -> None:
    file.rename(file.with_name("kept.db"))
    file.mkdir()


def a_pipe(file: Path, _stack: ExitStack) -> None:
    file.rename(file.with_name("kept.db"))
    os.mkfifo(file)


def no_folder(file: Path, _stack: ExitStack) -> None:
    shutil.rmtree(file.parent)
    file.parent.write_text("a file where the folder should be")


def log_ruined(file: Path, _stack: ExitStack) -> None:
    file.with_name(file.name + "-wal").write_bytes(b"\xaa" * 5000)


def marked_as_damaged(file: Path, _stack: ExitStack) -> None:
    changed(lambda c: c[:4096] + b"\xaa" * 4096 + c[8192:])(file, _stack)
    file.with_name(file.name + ".check").touch()


CASES: dict[str, tuple[str, Prepare]] = {
    # corrupt: moved aside, a new one is begun
    "no database": ("aside", changed(lambda _: b"not a database at all")),
    "a few bytes": ("aside", changed(lambda _: b"x" * 99)),
    "noise": ("aside", changed(lambda c: os.urandom(len(c)))),
    "zeroes": ("aside", changed(lambda c: bytes([1] * 4096) + c[4096:])),
    "header ruined": ("aside", changed(lambda c: b"not a database at all" + c[21:])),
    "page size ruined": ("aside", changed(lambda c: c[:16] + b"\xff\xff" + c[18:])),
    "schema ruined": ("aside", changed(lambda c: c[:100] + b"\xff" * 3000 + c[3100:])),
    "tables ruined": ("aside", changed(lambda c: c[:4096] + b"\xaa" * (len(c) - 4096))),
    "cut in half": ("aside", changed(lambda c: c[: len(c) // 2 - 100])),
    "cut after a page": ("aside", changed(lambda c: c[:4096])),
    "found damaged last time": ("aside", marked_as_damaged),
    # nothing wrong that one cannot begin with
    "empty": ("fine", changed(lambda _: b"")),
    "an old one": ("fine", changed(lambda c: c)),
    "log ruined": ("fine", log_ruined),
    "cache kept": ("fine", sql("PRAGMA cache_size = 1")),
    "writer busy": ("busy", locked("writer")),
    # not to be touched: read, where it can be
    "newer": ("shown not", sql(f"PRAGMA user_version = {len(STEPS) + 1}")),
    "much newer": ("shown not", sql("PRAGMA user_version = 999999")),
    "locked": ("shown", locked("whole")),
    "busy": ("shown", told(sqlite3.SQLITE_BUSY)),
    "read-only": ("shown", told(sqlite3.SQLITE_READONLY)),
    "may not be opened": ("shown", told(sqlite3.SQLITE_CANTOPEN)),
    "may not be used": ("shown", told(sqlite3.SQLITE_PERM)),
    "disk full": ("shown", told(sqlite3.SQLITE_FULL)),
    "disk fails": ("shown", told(sqlite3.SQLITE_IOERR)),
    "another owner": ("shown not", another_owner),
    "a link": ("shown not", a_link),
    "a dead link": ("shown not", a_dead_link),
    "a folder": ("shown not", a_folder),
    "a pipe": ("shown not", a_pipe),
    "no folder": ("shown not", no_folder),
}


@pytest.fixture
def file(home: Path) -> Path:
    """The user's data file, with a conversation in it."""
    path = database_path()
    made = Database.open(path)
    session = made.sessions.create(title="kept")
    made.sessions.add(session.id, user("the words that must not be lost"))
    made.close()
    return path


@contextmanager
def prepared(file: Path, prepare: Prepare) -> Iterator[dict[str, bytes]]:
    with ExitStack() as stack:
        prepare(file, stack)
        yield contents(file.parent)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file with its bytes; SQLite's index of its log, and an empty log, hold nothing."""
    if not folder.is_dir():
        return {}
    files = [f for f in folder.iterdir() if f.is_file() and not f.name.endswith("-shm")]
    return {f.name: f.read_bytes() for f in files if f.stat().st_size}


@pytest.mark.parametrize("name", CASES)
def test_the_chat_starts_says_one_thing_and_loses_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    outcome, prepare = CASES[name]
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 50)
    with prepared(file, prepare) as before:
        opened = open_database(in_any_case=True)
        titles = [info.title for info in opened.sessions.list()]
        after = contents(file.parent)
        if outcome in {"aside", "shown", "shown not"}:
            assert len(opened.notices) == 1
            assert "Traceback" not in opened.notices[0]
        if outcome == "aside":
            assert "moved to" in opened.notices[0]
            assert before[file.name] in [v for k, v in after.items() if "damaged" in k]
        if outcome == "shown":
            assert titles == ["kept"]
            assert "Nothing of this chat is kept. What was in it is shown" in opened.notices[0]
        if outcome == "shown not":
            assert titles == []
            assert "Limits count this chat alone." in opened.notices[0]
        if outcome.startswith("shown"):
            assert after == before
        if outcome != "busy":
            session = opened.sessions.create(title="new")
            opened.sessions.add(session.id, user("hello"))
            assert opened.sessions.messages(session.id)[0].message.text == "hello"
        opened.close()


@pytest.mark.parametrize("name", [n for n, (outcome, _) in CASES.items() if "shown" in outcome])
def test_a_command_that_needs_it_says_so_and_ends_with_9(
    file: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 50)
    with prepared(file, CASES[name][1]) as before:
        with pytest.raises(StorageError) as refused:
            open_database()
        assert refused.value.exit_code == 9
        assert refused.value.hint
        assert contents(file.parent) == before


def test_there_are_at_least_28_of_them() -> None:
    assert len(CASES) >= 28
