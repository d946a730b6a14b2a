from __future__ import annotations

import os
import sqlite3
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aircher.domain.errors import StorageError
from aircher.domain.messages import user
from aircher.domain.models import ModelRef
from aircher.storage import database as database_module
from aircher.storage.database import Database
from aircher.storage.schema import STEPS
from tests.storage.conftest import SetClock, Start

pytestmark = pytest.mark.security


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_files_are_private_whatever_the_umask(file: Path) -> None:
    before = os.umask(0)
    try:
        db = Database.open(file)
        db.sessions.create()
        assert mode(file.parent) == 0o700
        files = {found.name: mode(found) for found in file.parent.iterdir()}
        db.close()
    finally:
        os.umask(before)
    assert files.keys() == {"aircher.db", "aircher.db-wal", "aircher.db-shm"}
    assert set(files.values()) == {0o600}


def test_a_file_left_open_to_others_is_closed_to_them(file: Path) -> None:
    Database.open(file).close()
    file.chmod(0o644)
    Database.open(file).close()
    assert mode(file) == 0o600


def test_what_was_saved_is_there_at_the_next_start(file: Path) -> None:
    db = Database.open(file)
    session = db.sessions.create(title="kept")
    db.sessions.add(session.id, user("hello"))
    db.close()
    again = Database.open(file)
    assert again.sessions.info(session.id).title == "kept"
    assert again.notices == ()
    again.close()


def test_opening_an_up_to_date_file_is_quick(file: Path) -> None:
    Database.open(file).close()
    times = []
    for _ in range(5):
        began = time.perf_counter()
        db = Database.open(file)
        times.append(time.perf_counter() - began)
        db.close()
    assert min(times) < 0.05  # 1 ms on a quiet machine


def test_an_old_file_is_brought_forward(file: Path, clock: SetClock) -> None:
    file.parent.mkdir()
    old = sqlite3.connect(file)
    for statement in STEPS[0]:
        old.execute(statement)
    old.execute("PRAGMA user_version = 1")
    old.execute("INSERT INTO sessions VALUES ('0000000001', 'old', 1, 2, '', '')")
    old.execute(
        "INSERT INTO messages (place, session_id, role, at, state, parts)"
        """ VALUES (1, '0000000001', 'user', 1, 'complete', '[{"type":"text","text":"antique"}]')"""
    )
    old.commit()
    old.close()
    db = Database.open(file, clock)
    assert [hit.excerpt for hit in db.sessions.search("antique")] == ["antique"]
    db.close()
    raw = sqlite3.connect(file)
    assert raw.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
    assert raw.execute("SELECT max(version) FROM migrations").fetchone() == (len(STEPS),)
    raw.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = Database.open(file)
    session = db.sessions.create(title="kept")
    db.close()
    broken = (*STEPS, ("CREATE TABLE half (a)", "INSERT INTO nowhere VALUES (1)"))
    with monkeypatch.context() as patch:
        patch.setattr(database_module, "STEPS", broken)
        with pytest.raises(StorageError):
            Database.open(file)
    again = Database.open(file)
    assert again.sessions.info(session.id).title == "kept"
    again.close()


def test_a_newer_file_is_refused_and_not_touched(file: Path) -> None:
    Database.open(file).close()
    raw = sqlite3.connect(file)
    raw.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    raw.close()
    before = file.read_bytes()
    with pytest.raises(StorageError, match="newer") as refused:
        Database.open(file)
    assert "Upgrade" in refused.value.hint
    assert file.read_bytes() == before


def ruin_header(content: bytes) -> bytes:
    return b"not a database at all" + content[21:]


def ruin_schema(content: bytes) -> bytes:
    return content[:100] + b"\xff" * 3000 + content[3100:]


def cut_off(content: bytes) -> bytes:
    return content[: len(content) // 2 - 100]


def ruin_tables(content: bytes) -> bytes:
    return content[:4096] + b"\xaa" * (len(content) - 4096)


@pytest.mark.parametrize("ruin", [ruin_header, ruin_schema, cut_off, ruin_tables])
def test_a_damaged_file_is_moved_aside_never_deleted(
    file: Path, clock: SetClock, ruin: object
) -> None:
    db = Database.open(file, clock)
    db.sessions.create(title="lost")
    db.close()
    ruined = ruin(file.read_bytes())  # type: ignore[operator]  # a function of this module
    file.write_bytes(ruined)
    db = Database.open(file, clock)
    assert db.sessions.list() == []
    db.sessions.create()
    (notice,) = db.notices
    db.close()
    aside = file.with_name("aircher.db.damaged-20260314T120000Z")
    assert aside.read_bytes() == ruined
    assert str(aside) in notice

    file.write_bytes(b"damaged once more, in the same second")
    Database.open(file, clock).close()
    assert aside.read_bytes() == ruined
    assert file.with_name(aside.name + "-2").exists()


def test_damage_met_later_is_said_and_the_next_start_begins_anew(
    file: Path, clock: SetClock
) -> None:
    db = Database.open(file, clock)
    session = db.sessions.create()
    for number in range(300):
        db.sessions.add(session.id, user(f"message {number} " * 50))
    db.close()
    content = bytearray(file.read_bytes())
    middle = content.index(b'"message 150 ') // 4096 * 4096
    content[middle : middle + 4096] = b"\xaa" * 4096
    file.write_bytes(content)
    db = Database.open(file, clock)
    assert db.notices == ()  # start-up has no time to read it all
    with pytest.raises(StorageError, match="damaged"):
        db.sessions.messages(session.id)
    db.close()
    db = Database.open(file, clock)
    assert "moved to" in db.notices[0]
    db.close()
    assert file.with_name("aircher.db.damaged-20260314T120000Z").exists()
    db = Database.open(file, clock)
    assert db.notices == ()
    db.close()


def test_a_file_locked_by_another_program_is_said(
    file: Path, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.sessions.create(title="there")
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_MS", 50)
    second = Database.open(file)
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="in use by another program"):
        second.sessions.create()
    assert [info.title for info in second.sessions.list()] == ["there"]
    holder.execute("ROLLBACK")
    second.sessions.create()
    holder.close()
    second.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="cannot be opened") as refused:
        Database.open(tmp_path / "data" / "aircher.db")
    assert "XDG_DATA_HOME" in refused.value.hint
    tmp_path.chmod(0o700)


def test_a_path_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="cannot be opened"):
        Database.open(tmp_path / "data" / "aircher.db")


def test_links_and_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.db").touch()
    (tmp_path / "link.db").symlink_to(tmp_path / "elsewhere.db")
    (tmp_path / "folder.db").mkdir()
    for name in ("link.db", "folder.db"):
        with pytest.raises(StorageError, match="not a plain file"):
            Database.open(tmp_path / name)


def test_a_full_disk_is_said_and_nothing_saved_is_lost(file: Path, db: Database) -> None:
    session = db.sessions.create()
    db.sessions.add(session.id, user("safe"))
    reply = db.sessions.begin(session.id, ModelRef("openai", "m"))
    with db._connection.reading() as raw:
        pages = raw.execute("PRAGMA page_count").fetchone()[0]
        raw.execute(f"PRAGMA max_page_count = {pages}")
    from aircher.domain.messages import Text

    with pytest.raises(StorageError, match="disk is full"):
        db.sessions.end(reply, [Text("x" * 1_000_000)], "complete")
    safe, streaming = db.sessions.messages(session.id)
    assert (safe.message.text, streaming.state) == ("safe", "streaming")


def test_a_file_that_may_only_be_read_can_be_read(db: Database) -> None:
    session = db.sessions.create(title="there")
    with db._connection.reading() as raw:
        raw.execute("PRAGMA query_only = ON")
    with pytest.raises(StorageError, match="may not be written") as refused:
        db.sessions.add(session.id, user("no"))
    assert "writable" in refused.value.hint
    assert db.sessions.info(session.id).title == "there"


def test_threads_of_one_process_take_turns(db: Database) -> None:
    session = db.sessions.create()

    def talk(name: int) -> None:
        for number in range(30):
            db.sessions.add(session.id, user(f"{name} {number}"))
            assert db.sessions.messages(session.id)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(talk, range(4)))
    texts = [message.message.text for message in db.sessions.messages(session.id)]
    assert len(texts) == 120
    for name in range(4):
        mine = [text for text in texts if text.startswith(str(name))]
        assert mine == [f"{name} {n}" for n in range(30)]


def test_use_after_close_is_a_storage_error(file: Path) -> None:
    db = Database.open(file)
    db.close()
    db.close()
    with pytest.raises(StorageError):
        db.sessions.list()


def test_many_processes_may_begin_the_file_at_once(file: Path, start: Start) -> None:
    processes = [start("db.sessions.create()") for _ in range(6)]
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    db = Database.open(file)
    assert len(db.sessions.list()) == 6
    db.close()


def test_the_temporary_one_keeps_nothing_but_works() -> None:
    db = Database.temporary()
    db.sessions.add(db.sessions.create().id, user("hello there"))
    assert len(db.sessions.search("hello")) == 1
    db.close()
