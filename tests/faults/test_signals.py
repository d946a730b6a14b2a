"""The program is stopped, or killed, at 50 random moments of a turn by each of four signals."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import suppress

import pytest

from tests.faults.conftest import COLD, WHOLE, Row
from tests.faults.dialects import DIALECTS, text_of
from tests.faults.judging import assert_money
from tests.faults.stage import Kept, Ran, Stage, assert_clear
from tests.support.warm import Run

DIALECT = DIALECTS[2]
TEXT = text_of(DIALECT.case)
BATCHES, MOMENTS = (5, 10) if WHOLE else (1, 2)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)


async def at_the_moment(run: Run, draw: random.Random, longest: float) -> None:
    """Waits for a random time, or until a random part of the answer was printed."""
    if draw.random() < 0.5:
        await asyncio.wait([run.end], timeout=draw.uniform(0, longest))
        return
    wanted = draw.randrange(0, len(TEXT))
    while not run.over and len(run.out.read_bytes()) < wanted:
        await asyncio.sleep(0.005)


def assert_ended(ran: Ran, number: signal.Signals) -> None:
    """As the user asked, with at most a line about it."""
    assert_clear(ran)
    assert ran.code in {0, 130, -number}, ran
    assert TEXT.startswith(ran.out.rstrip("\n"))
    if ran.code == 130:
        assert len(ran.said("stopped") + ran.said("aircher: stopped")) == 1, ran.err


def assert_kept(ran: Ran, before: Kept | None, after: Kept | None, question: str) -> None:
    """The question, once a model was asked; and what was printed of the answer."""
    if after is None:
        assert not ran.out
        return
    assert after.whole
    if before is not None:
        assert after.questions[: len(before.questions)] == before.questions
        assert after.answers[: len(before.answers)] == before.answers
        assert after.spent[: len(before.spent)] == before.spent
    if not ran.out:
        return
    assert after.questions[-1] == question
    printed = ran.out.rstrip("\n")
    if ran.code in {0, 130}:
        assert after.answers[-1].startswith(printed)
        assert after.held == 0
        assert after.states[-1] == ("complete" if ran.code == 0 else "stopped")
    else:
        assert TEXT.startswith(after.answers[-1])


@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.parametrize("number", SIGNALS, ids=lambda one: one.name)
async def test_signals(stage: Stage, row: Row, number: signal.Signals, batch: int) -> None:
    name = "kill -9" if number is signal.SIGKILL else number.name
    row.fault, row.where, row.cases = name, "a random moment of a turn", MOMENTS
    draw = random.Random(f"{number}/{batch}")
    slowly, at_once = (stage.address(DIALECT.case, modes) for modes in ("cut=line,delay=0.01", ""))
    loop = asyncio.get_running_loop()
    longest = 3.0
    for moment in range(MOMENTS):
        question = f"question {batch} {moment}"
        before = stage.kept() if stage.used else None
        stage.configure(DIALECT, slowly)
        began = loop.time()
        run = await stage.warm.start(
            "ask", question, env=stage.environment(), cwd=stage.home, cold=COLD
        )
        await at_the_moment(run, draw, longest)
        if not run.over:
            with suppress(ProcessLookupError):
                os.kill(run.pid, number)
        ran = Ran(await run.ended(), run.out.read_text("utf-8"), run.err.read_text("utf-8"))
        longest = max(loop.time() - began, 1.0) if ran.code == 0 else longest
        assert_ended(ran, number)
        row.survived += 1
        after = stage.kept() if stage.used else None
        assert_kept(ran, before, after, question)
        stage.configure(DIALECT, at_once)
        following = await stage.ask(f"after {batch} {moment}")
        assert_clear(following)
        assert (following.code, following.out.strip()) == (0, TEXT.strip())
        mended = stage.kept()
        assert_money(mended)
        assert "streaming" not in mended.states
        if after is not None:
            assert set(after.questions) <= set(mended.questions)
            assert set(after.answers) <= set(mended.answers)
            # A call that was under way is in the ledger now, once.
            assert len(mended.spent) == len(after.spent) + after.held + 1
        row.kept += 1
    row.said = "stopped; what came is kept: go on with `aircher ask -c`"
    if number is signal.SIGKILL:
        row.said = "(nothing; the next start counts what was under way)"
