"""Corrections on disk: kept, replaced, bounded, forgotten."""

from __future__ import annotations

import stat
from pathlib import Path

from aircher.storage import corrections
from aircher.storage.database import Database


def test_corrections_outlive_the_program_in_a_private_file(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    first = Database.open(file)
    made = first.corrections.add("tidy this", wrong="default", task="refactoring")
    first.close()
    second = Database.open(file)
    assert list(second.corrections.all()) == [made]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    second.close()


def test_the_last_word_on_a_text_stands() -> None:
    store = Database.temporary().corrections
    store.add("tidy this", wrong="default", task="refactoring")
    store.add("tidy this", wrong="refactoring", task="code_review")
    assert [one.task for one in store.all()] == ["code_review"]


def test_one_or_all_are_forgotten() -> None:
    store = Database.temporary().corrections
    made = [store.add(f"text {n}", wrong="", task="default") for n in range(3)]
    assert store.forget(made[1].id) == 1
    assert store.forget(made[1].id) == 0
    assert [one.id for one in store.all()] == [made[0].id, made[2].id]
    assert store.forget() == 2
    assert not store.all()


def test_the_oldest_make_room() -> None:
    store = Database.temporary().corrections
    for n in range(corrections.MOST + 3):
        store.add(f"text {n}", wrong="", task="default")
    kept = store.all()
    assert len(kept) == corrections.MOST
    assert kept[0].text == "text 3"


def test_a_long_text_keeps_its_ends() -> None:
    made = Database.temporary().corrections.add(
        "head " + "x" * 50_000 + " tail", wrong="", task="debugging"
    )
    assert len(made.text) < 3_000
    assert made.text.startswith("head ")
    assert made.text.endswith(" tail")
