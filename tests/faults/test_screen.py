"""The same in the chat, in a real terminal: one sentence on the screen, and nothing is lost."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.conftest import Row
from tests.faults.dialects import BACKUP_CASE, DIALECTS, text_of
from tests.faults.judging import QUESTION, assert_money
from tests.faults.stage import Stage, places
from tests.faults.test_storage import DAMAGES, held
from tests.support.proxy import Plan, body, proxying
from tests.support.terminal import Terminal, terminal, tmux_found

pytestmark = [
    pytest.mark.whole,
    pytest.mark.skipif(not tmux_found(), reason="a terminal needs tmux: apt install tmux"),
]

DIALECT = DIALECTS[2]
TEXT, BACKUP_TEXT = text_of(DIALECT.case), text_of(BACKUP_CASE)
SLOWLY = "cut=line,delay=0.05"


@contextmanager
def chat(stage: Stage) -> Iterator[Terminal]:
    """The chat in a pane, over the stage's home."""
    keys = {name: text for name, text in stage.environment().items() if name.endswith("_API_KEY")}
    with terminal(stage.home, env={**places(stage.home), **keys}) as pane:
        pane.start()
        yield pane


async def asked(pane: Terminal) -> None:
    await pane.wait_for("Answers now")
    pane.type(QUESTION)
    await pane.wait_for(QUESTION)
    pane.key("Enter")


def sentence(pane: Terminal, start: str, end: str = r"\.(?= [^a-z]|$)") -> str:
    """What is said on the screen from there, without frames."""
    found = re.search(rf"{start}.*?{end}", re.sub(r"[│┃▌]", "", pane.conversation()))
    assert found, pane.conversation()
    return " ".join(found[0].split())


def assert_no_trace(pane: Terminal) -> None:
    assert not re.search(r"Traceback|\w+Error\b|Errno|httpx", pane.screen())


async def test_the_connection_breaks(stage: Stage, replay_port: int, row: Row) -> None:
    row.fault, row.where = "connection reset", "in mid-answer, in the chat"
    async with proxying(replay_port, Plan("reset", upto=body(0.6))) as proxy:
        stage.configure(DIALECT, stage.address(DIALECT.case, port=proxy.port), retries=0)
        with chat(stage) as pane:
            await asked(pane)
            await pane.wait_for(BACKUP_TEXT)
            assert_no_trace(pane)
            row.said, row.survived = (
                sentence(pane, r"claude/\S+: The connection", "from here\\."),
                1,
            )
    kept = stage.kept()
    assert kept.questions == (QUESTION,)
    assert TEXT.startswith(kept.answers[0])
    assert kept.answers[1] == BACKUP_TEXT
    assert_money(kept)
    row.kept = 1


async def test_nobody_answers(stage: Stage, row: Row) -> None:
    row.fault, row.where = "HTTP status 503, of every model", "in the chat"
    full = [stage.address(case, "fail=503x999999") for case in (DIALECT.case, BACKUP_CASE)]
    stage.configure(DIALECT, full[0], backup=full[1], retries=0)
    with chat(stage) as pane:
        await asked(pane)
        await pane.wait_for("✗ ")
        await pane.wait_for("models were tried")
        assert_no_trace(pane)
        row.said, row.survived = sentence(pane, "Claude has no capacity", "kept\\."), 1
    kept = stage.kept()
    assert kept.questions == (QUESTION,)
    assert_money(kept)
    row.kept = 1


async def test_the_file_is_damaged(stage: Stage, row: Row) -> None:
    row.fault, row.where = "corrupted database", "at the start of the chat"
    stage.configure(DIALECT, stage.address(DIALECT.case))
    assert (await stage.ask(QUESTION)).code == 0
    ruined = DAMAGES["cut in half"](stage.database.read_bytes())
    stage.database.write_bytes(ruined)
    with chat(stage) as pane:
        await pane.wait_for(re.compile(r"The\s+data\s+file\s+was\s+damaged"))
        assert_no_trace(pane)
        row.survived = 1
        row.said = "The data file was damaged; it was moved to … and a new one was begun."
        await asked(pane)
        await pane.wait_for(TEXT.split("\n")[0][:30])
    (aside,) = [one for one in stage.data.iterdir() if re.search(r"damaged-\w+$", one.name)]
    assert aside.read_bytes() == ruined
    row.kept = 1


async def test_the_file_is_locked(stage: Stage, row: Row) -> None:
    row.fault, row.where = "locked database", "at the start of the chat"
    stage.configure(DIALECT, stage.address(DIALECT.case))
    assert (await stage.ask(QUESTION)).code == 0
    before = stage.kept()
    with held(stage.database, "IMMEDIATE"), chat(stage) as pane:
        await asked(pane)
        await pane.wait_for(re.compile(r"in\s+use\s+by\s+another\s+program"))
        assert_no_trace(pane)
        row.said, row.survived = (
            "The data file ~/.local/share/aircher/aircher.db is in use by another program.",
            1,
        )
    assert stage.kept() == before
    row.kept = 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
async def test_it_is_stopped(stage: Stage, row: Row, number: signal.Signals) -> None:
    row.fault, row.where = number.name, "in mid-answer, in the chat"
    stage.configure(DIALECT, stage.address(DIALECT.case, SLOWLY))
    with chat(stage) as pane:
        await asked(pane)
        await pane.wait_for(" ".join(TEXT.split()[:4]))
        os.kill(pane.pid, number)
        await pane.wait_ended()
        assert_no_trace(pane)
    row.said, row.survived = "(the terminal is given back)", 1
    kept = stage.kept()
    assert kept.questions == (QUESTION,)
    stage.configure(DIALECT, stage.address(DIALECT.case))
    assert (await stage.ask("-c", "and now")).code == 0
    after = stage.kept()
    assert_money(after)
    assert TEXT.startswith(after.answers[0])
    assert after.answers[0] or number is signal.SIGKILL
    assert len(after.spent) == 2
    row.kept = 1
