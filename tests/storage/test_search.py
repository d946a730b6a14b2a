from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.domain.messages import Document, user
from aircher.domain.models import ModelRef
from aircher.storage.database import Database


@pytest.fixture
def store(db: Database) -> Database:
    session = db.sessions.create(title="the session")
    for text in (
        "How do I parse snake_case names in Python?",
        'He said "hello world" AND left; 100% of C++ is 50_50',
        "Über den Wolken 🎉 party",
        "日本語の文章です",
    ):
        db.sessions.add(session.id, user(text, Document("a.txt", "text/plain", b"attachment")))
    return db


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("snake_case", 1),
        ("parse python", 1),
        ("python parse", 1),
        ("pyth", 1),  # the last word is a prefix
        ("pars python", 0),  # the others are not
        ("SNAKE", 1),
        ("uber", 1),  # accents do not matter
        ('"hello', 1),
        ('"', 1),
        ("AND", 1),
        ("OR NOT NEAR(", 0),
        ("hello*", 1),
        ("text:hello", 0),
        ("*", 0),
        ("100%", 1),
        ("%", 1),  # a sign, not a wild card
        ("_", 2),
        ("C++", 1),
        ("🎉", 1),
        ("本語", 1),  # no spaces between words
        ("ello wor", 1),  # inside words
        ("attachment", 0),
        ("\0", 0),
        ("hello\0world", 1),
        ("\ud800", 0),
        ("", 0),
        ("   ", 0),
    ],
)
def test_any_text_is_a_query(store: Database, query: str, hits: int) -> None:
    assert len(store.sessions.search(query)) == hits


def test_no_query_fails() -> None:
    database = Database.temporary()
    session = database.sessions.create()
    database.sessions.add(session.id, user("something"))

    @given(st.text(st.characters(codec=None)) | st.text(alphabet='"*():^-+ANDORNOTEAR{}\0 a'))
    def answers(query: str) -> None:
        database.sessions.search(query)

    answers()
    database.close()


def test_a_hit_names_its_session_message_and_surroundings(db: Database) -> None:
    session = db.sessions.create(title="the session")
    padding = "filler words " * 100
    message = db.sessions.add(session.id, user(f"{padding}\nthe needle\tis here\n{padding}"))
    (hit,) = db.sessions.search("needle")
    assert (hit.session, hit.message_id) == (db.sessions.info(session.id), message.id)
    assert "the needle is here" in hit.excerpt
    assert len(hit.excerpt) < 200
    (inside,) = db.sessions.search("eedle")
    assert "the needle is here" in inside.excerpt
    assert len(inside.excerpt) < 200


def test_a_reply_is_found_once_it_ended_by_its_last_text(db: Database) -> None:
    from aircher.domain.messages import Text

    session = db.sessions.create()
    reply = db.sessions.begin(session.id, ModelRef("openai", "m"))
    db.sessions.write(reply, [Text("draft")])
    db.sessions.end(reply, [Text("final words")], "complete")
    assert len(db.sessions.search("final")) == 1
    assert db.sessions.search("draft") == []


def test_the_limit_holds(db: Database) -> None:
    session = db.sessions.create()
    for _ in range(5):
        db.sessions.add(session.id, user("same"))
    assert len(db.sessions.search("same", limit=3)) == 3
    assert len(db.sessions.search("ame", limit=3)) == 3
