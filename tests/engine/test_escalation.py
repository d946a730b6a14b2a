"""Answers that are not good enough: a stronger model is asked, within bounds, and it is said."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from aircher.domain.chat import Finish, TextDelta, UsageReport
from aircher.domain.errors import ServerFailed
from aircher.domain.events import Escalating, Event, Failed, Finished, Notice, Reserved
from aircher.domain.models import ModelRef
from aircher.domain.preferences import Gates, Tiers
from aircher.domain.routes import Rules, Wish
from aircher.domain.settings import Limit
from aircher.domain.usage import Tokens
from aircher.workspace.checking import CommandCheck
from tests.engine.conftest import Bench, Build
from tests.support.chat import ScriptedProvider, Step, TableCatalog, answer

RULES = Rules(
    ("a",),
    {"a": "small"},
    provider_tiers={"a": {"cheap": "small", "medium": "mid", "powerful": "big"}},
    tiers=Tiers({"default": "cheap"}, cheap_up_to=-1, powerful_from=11),
)
PRICES = TableCatalog({"small": 1, "mid": 2, "big": 3})
REFUSED: list[Step] = [UsageReport(Tokens(input=5, output=1)), Finish("refusal", "refused")]
EMPTY: list[Step] = [UsageReport(Tokens(input=5, output=0)), Finish("stop", "complete")]
CUT: list[Step] = [TextDelta("half an"), UsageReport(Tokens(input=5, output=2)), Finish("length", "length")]  # fmt: skip


def made(build: Build, *scripts: list[Step], gates: Gates, **more: object) -> Bench:
    provider = ScriptedProvider("a", list(scripts))
    bench = build(provider, rules=RULES, catalog=PRICES, gates=gates, **more)
    bench.provider = provider  # type: ignore[attr-defined] - for the test alone
    return bench


def escalations(events: list[Event]) -> list[tuple[str, str, str]]:
    return [
        (event.failed.model, event.to.model, event.reason)
        for event in events
        if isinstance(event, Escalating)
    ]


@pytest.mark.parametrize(
    ("script", "gates", "reason"),
    [
        (REFUSED, Gates(), "the model refused"),
        (EMPTY, Gates(), "the answer is empty"),
        (CUT, Gates(frozenset({"truncated"})), "the answer is cut off"),
    ],
)
async def test_a_poor_answer_goes_one_tier_up_with_its_reason(
    build: Build, script: list[Step], gates: Gates, reason: str
) -> None:
    bench = made(build, script, answer("good"), gates=gates)
    events = await bench.turn("hello there")
    assert escalations(events) == [("small", "mid", reason)]
    done = events[-1]
    assert isinstance(done, Finished)
    assert (done.result.text, done.result.ref) == ("good", ModelRef("a", "mid"))
    assert [attempt.ref.model for attempt in done.result.attempts] == ["small", "mid"]
    assert len([event for event in events if isinstance(event, Reserved)]) == 2  # one each
    assert done.result.cost.nano_usd == sum(a.cost.nano_usd or 0 for a in done.result.attempts)


@pytest.mark.parametrize(
    ("script", "gates"),
    [
        (answer("fine"), Gates()),
        (CUT, Gates()),  # not asked for
        (REFUSED, Gates(frozenset())),
        (REFUSED, Gates(most=0)),
    ],
)
async def test_an_answer_that_may_stand_costs_nothing_more(
    build: Build, script: list[Step], gates: Gates
) -> None:
    events = await made(build, script, answer("never"), gates=gates).turn("hello there")
    assert escalations(events) == []
    assert isinstance(events[-1], Finished)


async def test_the_steps_are_bounded(build: Build) -> None:
    one = await made(build, EMPTY, gates=Gates()).turn("hello there")
    assert len(escalations(one)) == 1


async def test_two_steps_go_two_tiers_up_and_no_further(build: Build) -> None:
    events = await made(build, EMPTY, gates=Gates(most=5)).turn("hello there")
    assert [to for _, to, _ in escalations(events)] == ["mid", "big"]


async def test_a_model_chosen_by_name_is_not_replaced(build: Build) -> None:
    bench = made(build, EMPTY, answer("never"), gates=Gates())
    assert escalations(await bench.turn("hello", wish=Wish(model="a/small"))) == []


async def test_where_the_stronger_model_fails_the_first_answer_stands(build: Build) -> None:
    gates = Gates(frozenset({"truncated"}))
    bench = made(build, CUT, [ServerFailed("down")], gates=gates)
    events = await bench.turn("hello there")
    done = events[-1]
    assert isinstance(done, Finished)
    assert done.result.text == "half an"
    assert done.result.ref == ModelRef("a", "small")
    assert any(isinstance(event, Notice) and "stands" in event.text for event in events)
    stored = bench.ports.sessions.messages(done.result.session_id)
    assert [(m.message.text, m.state) for m in stored][:2] == [
        ("hello there", "complete"),
        ("half an", "complete"),
    ]


async def test_over_a_limit_the_first_answer_stands(build: Build) -> None:
    limit = Limit("costs.per_request_limit", "request", 4_097 * 1_000 + 20_000)
    events = await made(build, CUT, gates=Gates(frozenset({"truncated"})), limits=(limit,)).turn(
        "hello there"
    )
    done = events[-1]
    assert isinstance(done, Finished), done
    assert done.result.text == "half an"
    assert not isinstance(events[-1], Failed)


def check(code: str, **more: object) -> Gates:
    return Gates(
        frozenset({"check"}),
        check=(sys.executable, "-c", code),
        **more,  # type: ignore[arg-type] - test shorthand
    )


REJECT_BAD = "import sys; t = sys.stdin.read(); print('found bad'); sys.exit('bad' in t)"


async def test_the_user_s_own_check_refuses_an_answer(build: Build) -> None:
    bench = made(build, answer("bad"), answer("good"), gates=check(REJECT_BAD))
    object.__setattr__(bench.ports, "check", CommandCheck())
    events = await bench.turn("hello there")
    assert escalations(events) == [("small", "mid", "your check says 'found bad'")]
    assert isinstance(events[-1], Finished)
    assert events[-1].result.text == "good"


@pytest.mark.parametrize(
    ("gates", "said"),
    [
        (check(REJECT_BAD), "your check says 'found bad'"),
        (check("import sys; sys.exit(3)"), "your check refused it"),
        (check("import sys; sys.stdin.read()"), ""),
        (check("import time; time.sleep(60)", check_timeout_s=0.2), ""),
        (Gates(frozenset({"check"}), check=("/no/such/command",)), ""),
        (Gates(frozenset({"check"}), check=("exit 1",), check_shell=True), "your check refused it"),
        (Gates(frozenset({"check"}), check=("exit 1",)), ""),  # without a shell it is no command
        (check("import os, sys; sys.exit('TEST_API_KEY' in os.environ)"), ""),
    ],
)
async def test_a_check_is_a_command_with_a_time_limit_and_without_keys(
    gates: Gates, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_API_KEY", "k")
    assert await CommandCheck()("a bad answer", gates) == said


async def test_what_a_check_started_ends_with_it(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    child = f"import os, time; open({str(file)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    code = (
        "import subprocess, sys, time, pathlib; "
        f"subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    )
    for limit in (2.0, 20.0):  # a busy machine may need longer to start two programs
        await CommandCheck()("x", check(code, check_timeout_s=limit))
        if file.exists() and file.read_text():
            break
    async with asyncio.timeout(10):  # a killed process ends when the kernel gets to it
        while not _ended(int(file.read_text())):
            await asyncio.sleep(0.01)


def _ended(pid: int) -> bool:
    """True once it runs no more; what nobody has collected yet is over too."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"
