"""The wall clock leaps: between turns and in the middle of one, over midnight and summer time."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.faults.conftest import WHOLE, Row
from tests.faults.dialects import DIALECTS, text_of
from tests.faults.judging import NEXT, QUESTION, assert_money, plainly
from tests.faults.stage import Ran, Stage, assert_clear

DIALECT = DIALECTS[2]
DAY = 86_400
SHIFTED = (sys.executable, "-m", "tests.support.shifted", "aircher")
BERLIN = ZoneInfo("Europe/Berlin")


def until(wanted: datetime) -> float:
    """Seconds from now to then."""
    return (wanted - datetime.now(UTC)).total_seconds()


async def ask(stage: Stage, *words: str, shift: float = 0, **env: object) -> Ran:
    """``aircher ask`` with its clock so many seconds wrong."""
    from pathlib import Path

    seen = {
        **stage.environment(), "TZ": "Europe/Berlin", "FAULT_SHIFT": str(shift),
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        **{name: str(value) for name, value in env.items()},
    }  # fmt: skip
    run = await stage.warm.start("ask", *words, env=seen, cwd=stage.home, command=SHIFTED)
    ran = Ran(await run.ended(), run.out.read_text("utf-8"), run.err.read_text("utf-8"))
    assert_clear(ran)
    return ran


LEAPS: dict[str, tuple[float, float]] = {
    # where: (the clock at the first turn, at the second), as seconds from now
    "back by a year between two turns": (0, -365 * DAY),
    "forward by a year between two turns": (0, 365 * DAY),
    "back to 1971 between two turns": (0, until(datetime(1971, 1, 1, tzinfo=UTC))),
    "back by an hour, over midnight": (
        until(datetime(2027, 1, 1, 0, 10, tzinfo=BERLIN)),
        until(datetime(2026, 12, 31, 23, 10, tzinfo=BERLIN)),
    ),
    "into summer time": (
        until(datetime(2027, 3, 28, 1, 59, 30, tzinfo=BERLIN)),
        until(datetime(2027, 3, 28, 3, 0, 30, tzinfo=BERLIN)),
    ),
    "out of summer time": (
        until(datetime(2026, 10, 25, 2, 59, 30, tzinfo=BERLIN)),
        until(datetime(2026, 10, 25, 2, 0, 30, fold=1, tzinfo=BERLIN)),
    ),
}


@pytest.mark.parametrize("where", LEAPS if WHOLE else list(LEAPS)[:1])
async def test_between_turns(stage: Stage, row: Row, where: str) -> None:
    row.fault, row.where = "clock leaps", where
    first, second = LEAPS[where]
    stage.configure(DIALECT, stage.address(DIALECT.case))
    assert (await ask(stage, QUESTION, shift=first)).code == 0
    before = stage.kept()
    ran = await ask(stage, "-c", NEXT, shift=second)
    assert (ran.code, ran.out.strip()) == (0, text_of(DIALECT.case).strip())
    row.said, row.survived = "(the whole answer)", 1
    after = stage.kept()
    assert after.questions == (QUESTION, NEXT)
    assert after.answers[:1] == before.answers
    assert len(after.spent) == 2
    assert_money(after)
    row.kept = 1


@pytest.mark.whole
@pytest.mark.parametrize("leap", [-DAY, -3600, 3600, DAY, 400 * DAY])
async def test_within_a_turn(stage: Stage, row: Row, leap: int) -> None:
    row.fault, row.where = "clock leaps", f"in mid-answer, by {timedelta(seconds=leap)}"
    if leap < 0:
        row.where = f"in mid-answer, back by {timedelta(seconds=-leap)}"
    stage.configure(DIALECT, stage.address(DIALECT.case, "cut=line,delay=0.02"))
    ran = await ask(stage, QUESTION, FAULT_LEAP=leap, FAULT_LEAP_AT=2.0)
    assert (ran.code, ran.out.strip()) == (0, text_of(DIALECT.case).strip())
    row.said, row.survived = "(the whole answer)", 1
    assert_money(stage.kept())
    assert len(stage.kept().spent) == 1
    stage.configure(DIALECT, stage.address(DIALECT.case))
    assert (await ask(stage, "-c", NEXT)).code == 0
    assert len(stage.kept().spent) == 2
    assert_money(stage.kept())
    row.kept = 1


@pytest.mark.whole
async def test_a_limit_of_the_day_holds_when_the_clock_goes_back(stage: Stage, row: Row) -> None:
    row.fault, row.where = "clock leaps", "back by ten minutes, the day's limit nearly spent"
    noon = datetime.now(BERLIN).replace(hour=12, minute=0) + timedelta(days=2)
    limit = "[costs.limits]\nclaude_daily = 0.0085\n"
    stage.configure(DIALECT, stage.address(DIALECT.case), more=limit, own="max_tokens = 4000\n")
    assert (await ask(stage, QUESTION, shift=until(noon))).code == 0
    back = until(noon - timedelta(minutes=10))
    ran = Ran(0, "", "")
    for _ in range(12):
        ran = await ask(stage, "--no-fallback", NEXT, shift=back)
        if ran.code:
            break
    assert ran.code == 6, ran
    (said,) = ran.said("aircher: ")
    row.said, row.survived = plainly(said, stage), 1
    kept = stage.kept()
    assert_money(kept)
    assert kept.total <= 8_500_000
    # And it does not outlive its day.
    later = await ask(stage, "--no-fallback", NEXT, shift=until(noon + timedelta(days=1)))
    assert later.code == 0, later
    row.kept = 1


@pytest.mark.whole
@pytest.mark.parametrize("leap", [-365 * DAY, -3600], ids=["a year", "an hour"])
async def test_what_rests_after_a_failure_wakes(stage: Stage, row: Row, leap: int) -> None:
    row.fault = "clock leaps"
    row.where = f"back by {timedelta(seconds=-leap)}, while a model rests for a refused key"
    stage.configure(DIALECT, stage.address(DIALECT.case, "fail=401x999999"))
    assert (await ask(stage, QUESTION)).code == 0  # the backup answers
    stage.configure(DIALECT, stage.address(DIALECT.case))
    # Eleven minutes after the leap its ten minutes are over, whatever the clock said before.
    await ask(stage, NEXT, shift=leap)
    ran = await ask(stage, NEXT, shift=leap + 11 * 60)
    assert (ran.code, ran.out.strip()) == (0, text_of(DIALECT.case).strip()), ran
    row.said, row.survived = "(the first model answers again)", 1
    assert_money(stage.kept())
    row.kept = 1
