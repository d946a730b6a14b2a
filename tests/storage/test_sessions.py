from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.domain.errors import UsageError
from aircher.domain.messages import (
    Document,
    Image,
    Message,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    assistant,
    user,
)
from aircher.domain.models import ModelRef
from aircher.domain.usage import Cost, Tokens, UsageRow
from aircher.storage.database import Database
from aircher.storage.ids import new_id
from aircher.storage.sessions import title_from
from tests.storage.conftest import SetClock, Start

REF = ModelRef("openai", "vendor/some-model")


def test_an_account_is_kept_with_its_request(db: Database) -> None:
    session = db.sessions.create()
    asked = db.sessions.add(session.id, user("why?"))
    assert db.sessions.messages(session.id)[0].account == ""
    db.sessions.set_account(asked.id, '[["Task", []]]')
    assert db.sessions.messages(session.id)[0].account == '[["Task", []]]'


def test_a_conversation_comes_back_as_it_was_said(db: Database, clock: SetClock) -> None:
    session = db.sessions.create(project="/home/me/project")
    asked = db.sessions.add(session.id, user("why?"), task="debugging", evidence="a; b")
    clock.forward(seconds=3)
    reply = db.sessions.begin(session.id, REF, task="debugging", evidence="c")
    db.sessions.write(reply, [Text("be")])
    assert db.sessions.messages(session.id)[1].state == "streaming"
    assert db.sessions.messages(session.id)[1].message == assistant("be")
    db.sessions.end(
        reply,
        [Text("because")],
        "complete",
        tokens=Tokens(input=5, output=7, cached=0),
        cost=Cost(12_345, "exact", "price-1"),
        duration_s=1.5,
        finish_reason="stop",
    )
    first, second = db.sessions.messages(session.id)
    assert first == asked
    assert (first.task, first.evidence, first.at) == (
        "debugging",
        "a; b",
        clock.time - timedelta(seconds=3),
    )
    assert second.message == assistant("because")
    assert (second.id, second.state, second.ref) == (reply, "complete", REF)
    assert second.tokens == Tokens(input=5, output=7, cached=0)
    assert second.cost == Cost(12_345, "exact", "price-1")
    assert (second.duration_s, second.finish_reason, second.evidence) == (1.5, "stop", "c")


def test_unknown_stays_unknown(db: Database) -> None:
    session = db.sessions.create()
    reply = db.sessions.begin(session.id, REF)
    db.sessions.end(reply, [], "failed", error="no network")
    (message,) = db.sessions.messages(session.id)
    assert message.tokens == Tokens()
    assert message.cost == Cost(None, "unknown")
    assert message.error == "no network"


_words = st.text(st.characters(codec=None), max_size=30)  # any code point, lone surrogates too
_parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, _words),
    st.builds(Thinking, _words, _words, _words),
    st.builds(Image, _words, st.binary(max_size=30), _words),
    st.builds(Document, _words, _words, st.binary(max_size=30)),
    st.builds(ToolCall, _words, _words, _words),
    st.builds(ToolResult, _words, _words, st.booleans()),
)


def test_every_kind_of_part_survives() -> None:
    database = Database.temporary()
    session = database.sessions.create()

    @given(st.sampled_from(["user", "assistant", "tool"]), st.lists(_parts, max_size=4))
    def survives(role: str, parts: list[Part]) -> None:
        message = Message(role, tuple(parts))  # type: ignore[arg-type]  # sampled from Role
        added = database.sessions.add(session.id, message)
        assert added.message == message
        assert database.sessions.messages(session.id)[-1].message == message

    survives()
    database.close()


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("hello", "hello"),
        ("\n\n  first   line \nsecond", "first line"),
        ("", ""),
        (
            "a sentence of many words that goes on for far too long to be a title",
            "a sentence of many words that goes on for far too long to…",
        ),
        ("x" * 80, "x" * 59 + "…"),
        ("ring \x1b]0;pwned\x07 ring", "ring ]0;pwned ring"),
        ("half \ud83d of a pair", "half \ufffd of a pair"),
    ],
)
def test_the_title_is_the_first_line_cut_at_a_word(text: str, title: str) -> None:
    assert title_from(text) == title
    assert len(title) <= 60


def test_the_first_user_message_names_the_session(db: Database) -> None:
    session = db.sessions.create()
    db.sessions.add(session.id, user("first\nquestion"))
    db.sessions.add(session.id, user("second question"))
    assert db.sessions.info(session.id).title == "first"
    db.sessions.rename(session.id, "my own\nname")
    assert db.sessions.info(session.id).title == "my own name"
    named = db.sessions.create(title="given")
    db.sessions.add(named.id, user("hello"))
    assert db.sessions.info(named.id).title == "given"


def test_sessions_are_listed_newest_change_first(db: Database, clock: SetClock) -> None:
    made = []
    for project in ("/a", "/b", "/a"):
        made.append(db.sessions.create(project=project).id)
        clock.forward(minutes=1)
    db.sessions.add(made[0], user("again"))
    assert [info.id for info in db.sessions.list()] == [made[0], made[2], made[1]]
    assert [info.id for info in db.sessions.list(project="/a")] == [made[0], made[2]]
    assert [info.id for info in db.sessions.list(limit=1, offset=1)] == [made[2]]
    assert db.sessions.info(made[0]).messages == 1
    assert db.sessions.info(made[0]).updated == clock.time


def test_an_id_can_be_shortened_while_it_is_clear(db: Database, clock: SetClock) -> None:
    first = db.sessions.create().id
    clock.forward(days=400)
    second = db.sessions.create().id
    assert db.sessions.info(first[:4]).id == first
    assert db.sessions.info(f" {second.upper()}").id == second
    with pytest.raises(UsageError, match="Several") as several:
        db.sessions.info("0")
    assert first in several.value.message
    for unknown in ("zzzz", "", "%", "\ud800", "\0"):
        with pytest.raises(UsageError, match="There is no conversation"):
            db.sessions.info(unknown)


@given(st.lists(st.integers(1_704_067_200_000, 5_000_000_000_000), min_size=2, unique=True))
def test_ids_sort_by_time(times: list[int]) -> None:
    by_time = {time: new_id(time) for time in times}
    assert sorted(by_time.values()) == [by_time[time] for time in sorted(times)]


def test_many_sessions_in_one_millisecond_have_their_own_ids(db: Database) -> None:
    assert len({db.sessions.create().id for _ in range(100)}) == 100


def test_the_cost_of_a_session_is_the_ledgers(db: Database, clock: SetClock) -> None:
    session = db.sessions.create()
    assert db.sessions.info(session.id).cost == Cost(0, "exact")

    def paid(cost: Cost) -> Cost:
        row = UsageRow(clock.time, REF, "default", Tokens(), cost, session_id=session.id)
        db.ledger.settle(None, row)
        return db.sessions.info(session.id).cost

    assert paid(Cost(5, "exact")) == Cost(5, "exact")
    assert paid(Cost(6, "estimated")) == Cost(11, "estimated")
    assert paid(Cost(None, "unknown")) == Cost(None, "unknown")


def test_a_summary_stands_behind_what_it_sums_up_and_nothing_is_deleted(db: Database) -> None:
    session = db.sessions.create()
    ids = [db.sessions.add(session.id, user(text)).id for text in ("one", "two", "three")]
    summary = db.sessions.compact(session.id, ids[1], "one and two")
    assert summary.summary_of == 2
    texts = [(m.message.text, m.summary_of) for m in db.sessions.messages(session.id)]
    assert texts == [("one", 0), ("two", 0), ("one and two", 2), ("three", 0)]
    assert db.sessions.info(session.id).messages == 3
    again = db.sessions.compact(session.id, ids[2], "all")
    assert again.summary_of == 3
    assert db.sessions.messages(session.id)[-1].message.text == "all"


def test_a_removed_session_is_gone_but_its_spending_stays(
    db: Database, clock: SetClock, file: Path
) -> None:
    session = db.sessions.create()
    message = db.sessions.add(session.id, user("forget me"))
    row = UsageRow(clock.time, REF, "default", Tokens(), Cost(5, "exact"), session_id=session.id)
    db.ledger.settle(None, row)
    reply = db.sessions.begin(session.id, REF)
    db.sessions.remove(session.id)
    assert db.sessions.list() == []
    assert db.sessions.search("forget") == []
    raw = sqlite3.connect(file)
    assert raw.execute("SELECT count(*) FROM search").fetchone() == (0,)
    raw.close()
    db.sessions.write(reply, [Text("late")])
    db.sessions.end(reply, [Text("late")], "stopped")
    assert db.ledger.spend(datetime(2000, 1, 1, tzinfo=UTC)).nano_usd == 5
    for call in (db.sessions.messages, db.sessions.remove, db.sessions.info):
        with pytest.raises(UsageError):
            call(session.id)
    with pytest.raises(UsageError):
        db.sessions.add(session.id, user("more"))
    other = db.sessions.create()
    assert db.sessions.add(other.id, user("new")).id > message.id


def test_an_ended_reply_takes_no_more_writes(db: Database) -> None:
    session = db.sessions.create()
    reply = db.sessions.begin(session.id, REF)
    db.sessions.end(reply, [Text("final")], "complete", ref=ModelRef("claude", "other"))
    db.sessions.write(reply, [Text("late")])
    (message,) = db.sessions.messages(session.id)
    assert message.message.text == "final"
    assert message.ref == ModelRef("claude", "other")


def test_kill_9_while_streaming_keeps_what_was_written(db: Database, start: Start) -> None:
    process = start(
        """
session = db.sessions.create()
db.sessions.add(session.id, user("go"))
reply = db.sessions.begin(session.id, ref)
text = ""
while True:
    text += "word "
    db.sessions.write(reply, [Text(text)])
    print(session.id, len(text), flush=True)
"""
    )
    assert process.stdout is not None
    lines = [process.stdout.readline().split() for _ in range(20)]
    session_id = lines[-1][0]
    assert db.sessions.messages(session_id)[1].state == "streaming"
    process.kill()
    lines += [line.split() for line in process.communicate()[0].splitlines()]
    written = max(int(line[1]) for line in lines if len(line) == 2)  # the last may be cut

    question, reply = db.sessions.messages(session_id)
    assert question.message.text == "go"
    assert reply.state == "stopped"
    assert len(reply.message.text) >= written
    assert set(reply.message.text.split()) == {"word"}


def test_the_next_start_makes_abandoned_replies_stopped_and_findable(
    db: Database, start: Start
) -> None:
    process = start(
        """
session = db.sessions.create()
db.sessions.write(db.sessions.begin(session.id, ref), [Text("unfinished symphony")])
import os; os.kill(os.getpid(), 9)
"""
    )
    assert process.wait() == -9
    assert db.sessions.search("symphony") == []
    assert start("print(db.sessions.search('symphony')[0].excerpt)").communicate()[0] == (
        "unfinished symphony\n"
    )
    assert [hit.excerpt for hit in db.sessions.search("symphony")] == ["unfinished symphony"]


def test_two_processes_write_at_once(db: Database, start: Start) -> None:
    session = db.sessions.create()
    code = """
for number in range(50):
    db.sessions.add(sys.argv[2], user(f"{sys.argv[3]} {number}"))
"""
    for process in [start(code, session.id, name) for name in ("a", "b")]:
        process.communicate()
        assert process.returncode == 0
    texts = [message.message.text for message in db.sessions.messages(session.id)]
    for name in ("a", "b"):
        assert [t for t in texts if t.startswith(name)] == [f"{name} {n}" for n in range(50)]


def test_a_chat_read_twice_shows_what_another_process_added(tmp_path: Path) -> None:
    mine, other = (Database.open(tmp_path / "a.db") for _ in range(2))
    session = mine.sessions.create().id
    mine.sessions.add(session, user("one"))
    assert [m.message.text for m in mine.sessions.messages(session)] == ["one"]
    reply = other.sessions.begin(session, ModelRef("a", "m"))
    other.sessions.write(reply, (Text("half"),))
    assert [m.message.text for m in mine.sessions.messages(session)] == ["one", "half"]
    other.sessions.end(reply, (Text("whole"),), "complete")
    assert [m.message.text for m in mine.sessions.messages(session)] == ["one", "whole"]
    other.sessions.compact(session, reply, "short")
    assert [m.message.text for m in mine.sessions.messages(session)] == ["one", "whole", "short"]
    other.sessions.remove(session)
    with pytest.raises(UsageError):
        mine.sessions.messages(session)
    mine.close()
    other.close()
