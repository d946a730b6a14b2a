"""The log reaches the data file while the program runs, and never holds a commit up."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from aircher.domain.messages import user
from aircher.storage import checkpoints
from aircher.storage.database import Database


def in_the_file_itself(file: Path) -> int:
    """Messages that stand in the data file, its log left aside."""
    with closing(sqlite3.connect(f"{file.as_uri()}?immutable=1", uri=True)) as raw:
        return int(raw.execute("SELECT count(*) FROM messages").fetchone()[0])


def until(seen: int, file: Path) -> None:
    deadline = time.monotonic() + 20
    while in_the_file_itself(file) < seen:
        assert time.monotonic() < deadline, "the log was not copied"
        time.sleep(0.01)


def test_after_many_commits_the_log_is_copied_in_a_thread(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "EVERY", 20)
    threads: list[str] = []
    run = checkpoints.Checkpoints._run
    monkeypatch.setattr(
        checkpoints.Checkpoints,
        "_run",
        lambda self: (threads.append(threading.current_thread().name), run(self)),
    )
    Database.open(file).close()
    db = Database.open(file)
    session = db.sessions.create()
    for number in range(19):
        db.sessions.add(session.id, user(f"message {number}"))
    until(19, file)
    assert threads == ["checkpoint"]
    db.close()


def test_before_that_a_commit_only_writes_the_log(file: Path) -> None:
    Database.open(file).close()
    db = Database.open(file)
    session = db.sessions.create()
    for number in range(checkpoints.EVERY - 10):
        db.sessions.add(session.id, user(f"message {number}"))
    assert in_the_file_itself(file) == 0
    db.close()
    assert in_the_file_itself(file) == checkpoints.EVERY - 10


def test_a_log_that_cannot_be_copied_harms_nobody(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "EVERY", 5)
    db = Database.open(file)
    session = db.sessions.create()
    with closing(sqlite3.connect(file)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM messages").fetchall()  # a reader of an old state
        for number in range(50):
            db.sessions.add(session.id, user(f"message {number}"))
        assert len(db.sessions.messages(session.id)) == 50
    db.close()
    assert in_the_file_itself(file) == 50
