"""Limits at the engine's own door: soft and hard, told, asked, given way to, and cut at."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import pytest

from aircher.domain.chat import Finish, TextDelta, UsageReport
from aircher.domain.errors import AircherError, Overloaded, TimedOut
from aircher.domain.events import (
    Asking,
    Downgraded,
    Event,
    Failed,
    Finished,
    LimitAlert,
    Notice,
    Routed,
    Started,
)
from aircher.domain.models import ModelRef
from aircher.domain.routes import Rules, TaskRule, Wish
from aircher.domain.settings import (
    CallSettings,
    FallbackSettings,
    Limit,
    RetrySettings,
    SpendSettings,
)
from aircher.domain.turns import TurnRequest
from aircher.domain.usage import Cost, Tokens, UsageRow
from tests.engine.conftest import Bench, Build
from tests.support.chat import ScriptedProvider, TableCatalog, answer

CENT = 10_000_000
SHORT = CallSettings(max_output=100)
"""At the table's prices a token is 1,000 nano-dollars for each dollar per million."""


def day(nano: int, **more: object) -> Limit:
    return Limit("costs.daily_limit", "day", nano, **more)  # type: ignore[arg-type] - shorthand


def single(nano: int, **more: object) -> Limit:
    return Limit("costs.per_request_limit", "request", nano, **more)  # type: ignore[arg-type]


T = TypeVar("T")


def of(kind: type[T], events: Sequence[Event]) -> list[T]:
    return [event for event in events if isinstance(event, kind)]


def error(events: Sequence[Event]) -> AircherError:
    assert isinstance(events[-1], Failed), events[-1]
    return events[-1].error


def spend(bench: Bench, nano: int, times: int = 1, provider: str = "a") -> None:
    for _ in range(times):
        bench.database.ledger.settle(
            None,
            UsageRow(
                bench.clock.now(),
                ModelRef(provider, "m"),
                "t",
                Tokens(1, output=1),
                Cost(nano, "exact"),
            ),
        )


async def ask(bench: Bench, text: str = "hi", *, yes: bool, **more: object) -> list[Event]:
    """A turn whose questions are all answered so."""
    events = []
    async for event in bench.engine.turn(TurnRequest(text, **more)):  # type: ignore[arg-type]
        events.append(event)
        if isinstance(event, Asking):
            bench.engine.answer(event.question.id, yes=yes)
    return events


# -- each limit, hard and soft

LIMITS = [
    Limit("costs.daily_limit", "day", 150_000),
    Limit("costs.monthly_budget", "month", 150_000),
    Limit("costs.limits.a_daily", "day", 150_000, provider="a"),
    Limit("costs.limits.a_monthly", "month", 150_000, provider="a"),
    Limit("costs.task_budgets.debugging", "month", 150_000, task="debugging"),
]


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
async def test_every_limit_refuses_what_does_not_fit_and_names_itself(
    build: Build, limit: Limit
) -> None:
    bench = build(ScriptedProvider("a", [answer("ok")]), limits=(limit,), calls=SHORT)
    debugging = Wish(task="debugging")
    first = await bench.turn("hi", wish=debugging)
    assert isinstance(first[-1], Finished)
    spend(bench, 100_000)
    bench.database.ledger.settle(
        None,
        UsageRow(
            bench.clock.now(), ModelRef("a", "m"), "debugging", Tokens(), Cost(100_000, "exact")
        ),
    )
    refused = await bench.turn("hi", wish=debugging)
    assert error(refused).kind == "budget"
    assert error(refused).exit_code == 6
    assert limit.name in error(refused).message
    if limit.window == "day":
        bench.clock.advance(24 * 3600)
    else:
        bench.clock.advance(31 * 24 * 3600)
    assert isinstance((await bench.turn("hi", wish=debugging))[-1], Finished)


async def test_a_clock_that_is_set_back_or_leaps_makes_no_room_in_a_day(build: Build) -> None:
    bench = build(ScriptedProvider("a", [answer("ok")]), limits=(day(150_000),), calls=SHORT)
    midnight = 14 * 3600
    bench.clock.advance(midnight + 300)
    spend(bench, 140_000)
    for leap in (-600, 24 * 3600, -24 * 3600, -300, 900, 48 * 3600, -48 * 3600):
        bench.clock.advance(leap)
        spent = bench.engine.budget()[0].spent_nano
        refused = isinstance((await bench.turn("hi"))[-1], Failed)
        assert refused == (spent >= 49_000), (leap, spent)
    # Whatever was dated later counts in an earlier day as well: setting back never makes room.
    assert bench.engine.budget()[0].spent_nano >= 140_000


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
async def test_a_soft_limit_says_it_and_lets_the_call_go(build: Build, limit: Limit) -> None:
    soft = replace(limit, soft=True, nano_usd=10_000)
    bench = build(ScriptedProvider("a", [answer("ok")]), limits=(soft,), calls=SHORT)
    events = await bench.turn("hi", wish=Wish(task="debugging"))
    assert isinstance(events[-1], Finished)
    (alert,) = of(LimitAlert, events)
    assert (alert.name, alert.share) == (limit.name, 1.0)
    assert "only warns" in alert.text
    assert not of(Downgraded, events)


async def test_a_soft_limit_on_one_request_is_a_notice(build: Build) -> None:
    bench = build(
        ScriptedProvider("a", [answer("ok")]), limits=(single(1000, soft=True),), calls=SHORT
    )
    events = await bench.turn("hi")
    assert isinstance(events[-1], Finished)
    assert "only warns" in of(Notice, events)[0].text


async def test_an_unknown_price_passes_a_soft_limit(build: Build) -> None:
    bench = build(
        ScriptedProvider("a", [answer("ok")]), catalog=TableCatalog(), limits=(day(1, soft=True),)
    )
    assert isinstance((await bench.turn("hi"))[-1], Finished)


async def test_an_unknown_price_passes_a_hard_limit_where_it_is_allowed(build: Build) -> None:
    bench = build(
        ScriptedProvider("a", [answer("ok")]),
        catalog=TableCatalog(),
        limits=(day(1),),
        allow_unknown_price=True,
    )
    assert isinstance((await bench.turn("hi"))[-1], Finished)


# -- alerts


async def test_an_alert_comes_once_a_day_and_a_restart_does_not_repeat_it(build: Build) -> None:
    def opened() -> Bench:
        return build(
            ScriptedProvider("a", [answer("ok", prompt=1, output=1)]),
            limits=(day(1_000_000),),
            calls=SHORT,
            spending=SpendSettings(alert_at=(0.5, 0.8), auto_downgrade=False),
        )

    bench = opened()
    spend(bench, 400_000)
    assert not of(LimitAlert, await bench.turn("hi"))
    spend(bench, 100_000)
    (alert,) = of(LimitAlert, await bench.turn("hi"))
    assert (alert.name, alert.share) == ("costs.daily_limit", 0.5)
    assert alert.text == (
        "$0.0005 of $0.0010 (costs.daily_limit) is spent. What could cost more than the rest is refused."
    )
    again = opened()
    assert not of(LimitAlert, await again.turn("hi"))
    spend(again, 300_000)
    (alert,) = of(LimitAlert, await again.turn("hi"))
    assert alert.share == 0.8
    bench.clock.advance(24 * 3600)
    spend(bench, 850_000)
    (tomorrow,) = of(LimitAlert, await bench.turn("hi"))
    assert tomorrow.share == 0.8  # 0.5 was passed on the way and is not told after it
    assert not of(LimitAlert, await bench.turn("hi"))


# -- giving way

DEAR, MIDDLE, CHEAP = (ModelRef("a", name) for name in ("dear", "middle", "cheap"))
PRICES = TableCatalog({"dear": 100, "middle": 50, "cheap": 1, "b-model": 20})
RULES = Rules(
    order=("a", "b"),
    models={"a": "dear", "b": "b-model"},
    task_models={"a": {"summaries": "middle", "quick_questions": "cheap"}},
    tasks={"default": TaskRule(DEAR)},
)
TASK = Wish(task="default")


def ladder(
    build: Build,
    *limits: Limit,
    rules: Rules = RULES,
    fallback: FallbackSettings = FallbackSettings(),  # noqa: B008 - frozen
    **more: object,
) -> Bench:
    return build(
        ScriptedProvider("a", [answer("ok", prompt=1, output=1)]),
        ScriptedProvider("b", [answer("ok", prompt=1, output=1)]),
        catalog=PRICES,
        rules=rules,
        limits=limits,
        calls=SHORT,
        spending=SpendSettings(**more),  # type: ignore[arg-type] - shorthand
        fallback=fallback,
    )


def switched(events: Sequence[Event]) -> list[tuple[ModelRef, ModelRef]]:
    return [(one.wanted, one.to) for one in of(Downgraded, events)]


async def test_near_a_limit_the_next_cheaper_model_takes_over_and_it_is_said(build: Build) -> None:
    bench = ladder(build, day(1_000 * CENT))
    assert not of(Downgraded, await bench.turn("hi", wish=TASK))
    spend(bench, 905 * CENT)
    events = await bench.turn("hi", wish=TASK)
    (said,) = of(Downgraded, events)
    assert (said.wanted, said.to) == (DEAR, MIDDLE)
    assert said.reason == "91% of costs.daily_limit is spent."
    assert of(Started, events)[0].ref == MIDDLE
    assert of(Routed, events)[0].plan.first.reason == "cheaper than a/dear"  # the why is said once
    foreseen = (await bench.engine.preview(TurnRequest("hi", wish=TASK))).plan.first
    assert foreseen.ref == MIDDLE
    assert foreseen.reason == "instead of a/dear, because 91% of costs.daily_limit is spent"


async def test_what_does_not_fit_gives_way_to_what_does(build: Build) -> None:
    # 101 tokens at most: dear 10.1 million nano-dollars, middle 5.05, b 2.02, cheap 0.1.
    bench = ladder(build, day(3_000_000))
    events = await bench.turn("hi", wish=TASK)
    assert switched(events) == [(DEAR, ModelRef("b", "b-model"))]
    assert "is left of costs.daily_limit" in of(Downgraded, events)[0].reason


async def test_the_users_own_path_goes_before_the_next_cheaper(build: Build) -> None:
    bench = ladder(build, day(1_000 * CENT), downgrade={"a/dear": CHEAP})
    spend(bench, 950 * CENT)
    assert switched(await bench.turn("hi", wish=TASK)) == [(DEAR, CHEAP)]
    by_task = ladder(build, day(1_000 * CENT), downgrade={"default": ModelRef("b", "b-model")})
    assert switched(await by_task.turn("hi", wish=TASK)) == [(DEAR, ModelRef("b", "b-model"))]


async def test_a_path_of_several_steps_is_followed_until_it_fits(build: Build) -> None:
    path = {"dear": MIDDLE, "a/middle": CHEAP}
    bench = ladder(build, day(3_000_000), downgrade=path)
    assert switched(await bench.turn("hi", wish=TASK)) == [(DEAR, CHEAP)]


async def test_a_cheaper_model_without_the_features_is_passed_over(build: Build) -> None:
    class Seeing(TableCatalog):
        def facts(self, ref: ModelRef):  # type: ignore[no-untyped-def]
            blind = ref.model in {"middle", "b-model"}
            features = frozenset({"streaming"} if blind else {"streaming", "tools"})
            return replace(super().facts(ref), features=features)

    needy = replace(
        RULES, tasks={"default": TaskRule(DEAR, required_features=frozenset({"tools"}))}
    )
    bench = build(
        ScriptedProvider("a", [answer("ok")]),
        ScriptedProvider("b", [answer("ok")]),
        catalog=Seeing(PRICES.prices),
        rules=needy,
        limits=(day(1_000 * CENT),),
        calls=SHORT,
    )
    spend(bench, 950 * CENT)
    assert switched(await bench.turn("hi", wish=TASK)) == [(DEAR, CHEAP)]


async def test_a_model_that_was_named_gives_way_only_when_it_would_be_refused(build: Build) -> None:
    bench = ladder(build, day(1_000 * CENT))
    spend(bench, 950 * CENT)
    named = Wish(provider="a", model="dear", task="default")
    assert not switched(await bench.turn("hi", wish=named))
    spend(bench, 49_900 * CENT // 1000)
    assert switched(await bench.turn("hi", wish=named)) == [(DEAR, CHEAP)]


async def test_without_auto_downgrade_it_is_refused(build: Build) -> None:
    bench = ladder(build, day(3_000_000), auto_downgrade=False)
    events = await bench.turn("hi", wish=TASK)
    assert error(events).kind == "budget"
    assert "costs.daily_limit" in error(events).hint
    assert "chat.max_output" in error(events).hint
    assert not of(Downgraded, events)
    assert not of(Started, events)


@pytest.mark.parametrize("wish", [TASK, replace(TASK, fallback=False)], ids=["never", "flag"])
async def test_where_no_other_model_may_answer_it_is_refused_as_well(
    build: Build, wish: Wish
) -> None:
    never = FallbackSettings(tasks={} if not wish.fallback else {"default": "never"})
    bench = ladder(build, day(3_000_000), fallback=never)
    events = await bench.turn("hi", wish=wish)
    assert error(events).exit_code == 6
    assert not of(Downgraded, events)
    assert (await bench.engine.preview(TurnRequest("hi", wish=wish))).plan.first.ref == DEAR


ASK_FIRST = FallbackSettings(consent="ask")


async def test_with_the_consent_ask_a_cheaper_model_near_a_limit_is_asked_about(
    build: Build,
) -> None:
    bench = ladder(build, day(1_000 * CENT), fallback=ASK_FIRST)
    spend(bench, 905 * CENT)
    for yes, taken in ((True, MIDDLE), (False, DEAR)):
        events = await ask(bench, yes=yes, wish=TASK)
        (asking,) = of(Asking, events)
        assert asking.question.kind == "downgrade"
        assert asking.question.text == "Ask a/middle instead of a/dear, which is near a limit?"
        assert "of costs.daily_limit is spent" in asking.question.detail
        assert (asking.question.yes, asking.question.no) == ("Ask a/middle", "Keep a/dear")
        assert of(Started, events)[0].ref == taken
        assert of(Routed, events)[0].plan.first.ref == taken
        assert switched(events) == ([(DEAR, MIDDLE)] if yes else [])
    foreseen = (await bench.engine.preview(TurnRequest("hi", wish=TASK))).plan.first
    assert "once you agree" in foreseen.reason


async def test_a_no_to_the_cheaper_model_ends_where_the_wanted_one_does_not_fit(
    build: Build,
) -> None:
    bench = ladder(build, day(3_000_000), fallback=ASK_FIRST)
    events = await ask(bench, yes=False, wish=TASK)
    (asking,) = of(Asking, events)
    assert asking.question.no == "Don't send it"
    assert error(events).exit_code == 6
    assert "a/dear was not asked" in error(events).message
    assert not of(Started, events)
    assert switched(await ask(bench, yes=True, wish=TASK)) == [(DEAR, ModelRef("b", "b-model"))]


async def test_a_no_to_the_cheaper_model_leaves_the_limit_on_one_request_to_be_gone_beyond(
    build: Build,
) -> None:
    bench = ladder(build, single(3_000_000), fallback=ASK_FIRST)
    events = []
    async for event in bench.engine.turn(TurnRequest("hi", wish=TASK)):
        events.append(event)
        if isinstance(event, Asking):
            bench.engine.answer(event.question.id, yes=event.question.kind == "cost")
    assert [one.question.kind for one in of(Asking, events)] == ["downgrade", "cost"]
    assert of(Started, events)[0].ref == DEAR
    assert isinstance(events[-1], Finished)


async def test_what_was_answered_beforehand_of_a_cheaper_model_is_not_asked(build: Build) -> None:
    bench = ladder(build, day(1_000 * CENT), fallback=FallbackSettings(tasks={"default": "ask"}))
    spend(bench, 905 * CENT)
    for yes, taken in ((True, MIDDLE), (False, DEAR)):
        events = await bench.turn("hi", wish=TASK, answers={"downgrade": yes})
        assert not of(Asking, events)
        assert of(Started, events)[0].ref == taken


async def test_a_limit_of_another_provider_or_task_presses_on_nobody(build: Build) -> None:
    bench = ladder(
        build,
        Limit("costs.limits.b_daily", "day", 1_000 * CENT, provider="b"),
        Limit("costs.task_budgets.summaries", "month", 1, task="summaries"),
    )
    spend(bench, 990 * CENT, provider="b")
    assert not switched(await bench.turn("hi", wish=TASK))


# -- asking


@pytest.mark.parametrize("yes", [True, False])
async def test_a_request_above_its_limit_asks(build: Build, yes: bool) -> None:
    provider = ScriptedProvider("a", [answer("ok")])
    bench = build(provider, limits=(single(50_000),), calls=SHORT)
    events = await ask(bench, yes=yes)
    (asking,) = of(Asking, events)
    assert asking.question.kind == "cost"
    assert "costs.per_request_limit" in asking.question.text
    assert len(provider.requests) == yes
    if not yes:
        assert error(events).exit_code == 6
        assert "--yes" in error(events).hint


async def test_whoever_thinks_long_about_the_price_still_has_the_whole_deadline(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = ScriptedProvider("a", [[0.001, *answer("ok")]])
    bench = build(
        provider, limits=(single(50_000),), calls=SHORT, retry=RetrySettings(deadline_s=30)
    )
    loop = asyncio.get_running_loop()
    real = loop.time
    async for event in bench.engine.turn(TurnRequest("hi")):
        if isinstance(event, Asking):
            monkeypatch.setattr(loop, "time", lambda: real() + 60)
            bench.engine.answer(event.question.id, yes=True)
    assert isinstance(event, Finished), event


async def test_a_yes_covers_the_request_but_no_dearer_model_behind_it(build: Build) -> None:
    cheap = ScriptedProvider("a", [[Overloaded("busy")]])
    dear = ScriptedProvider("b", [answer("Never.")])
    bench = build(
        cheap,
        dear,
        catalog=TableCatalog({"a-model": 1, "b-model": 5}),
        limits=(single(50_000),),
        calls=SHORT,
        retry=RetrySettings(max_retries=0),
    )
    events = await ask(bench, yes=True)
    assert dear.requests == []
    assert error(events).kind == "budget"


async def test_the_limit_on_a_request_counts_all_calls_of_a_turn(build: Build) -> None:
    broken = [TextDelta("word " * 40), Overloaded("gone")]
    second = ScriptedProvider("b", [answer("Never.")])
    bench = build(
        ScriptedProvider("a", [broken]),
        second,
        limits=(single(120_000),),
        calls=SHORT,
        spending=SpendSettings(auto_downgrade=False),
    )
    events = await bench.turn("hi")
    assert second.requests == []
    assert "besides the" in error(events).message


async def test_what_another_limit_refuses_is_not_asked_about(build: Build) -> None:
    bench = build(
        ScriptedProvider("a", [answer("ok")]), limits=(single(50_000), day(60_000)), calls=SHORT
    )
    events = await ask(bench, yes=True)
    assert not of(Asking, events)
    assert error(events).kind == "budget"


async def test_spending_unlike_the_past_asks_first(build: Build) -> None:
    bench = build(
        ScriptedProvider("a", [answer("ok")]),
        catalog=TableCatalog({"a-model": 1000}),
        calls=SHORT,
        spending=SpendSettings(unusual_floor_nano=CENT),
    )
    for nano in (100_000, 200_000, 300_000):
        spend(bench, nano, times=7)
    events = await ask(bench, yes=False)
    (asking,) = of(Asking, events)
    assert asking.question.kind == "unusual"
    assert error(events).exit_code == 6
    assert isinstance((await ask(bench, yes=True))[-1], Finished)


async def test_cents_little_history_and_habit_never_ask(build: Build) -> None:
    def opened(**more: object) -> Bench:
        return build(
            ScriptedProvider("a", [answer("ok", prompt=1, output=1)]),
            catalog=TableCatalog({"a-model": 1000}),
            calls=SHORT,
            spending=SpendSettings(**more),  # type: ignore[arg-type] - shorthand
        )

    few = opened(unusual_floor_nano=1)
    spend(few, 1_000, times=18)
    assert not of(Asking, await few.turn("hi"))
    spend(few, 1_000, times=30)
    assert of(Asking, await ask(few, yes=False))
    assert not of(Asking, await opened(unusual_floor_nano=20 * CENT).turn("hi"))  # a few cents
    assert not of(Asking, await opened(unusual_floor_nano=1, unusual_score=0).turn("hi"))
    spend(few, 90_000_000, times=200)
    assert not of(Asking, await few.turn("hi"))


# -- cut at what was held


async def test_a_stream_that_passes_what_was_held_is_cut_and_said(build: Build) -> None:
    runaway = [TextDelta("word " * 10) for _ in range(500)]
    provider = ScriptedProvider("a", [runaway])
    bench = build(provider, limits=(day(1_000_000_000),), calls=SHORT)
    events = await bench.turn("hi")
    assert isinstance(events[-1], Finished)
    result = events[-1].result
    assert (result.finish_reason, result.outcome) == ("budget", "length")
    assert 100 < len(result.text.split()) <= 110
    assert "was cut" in of(Notice, events)[0].text
    (row,) = bench.database.ledger.rows(bench.clock.now().replace(year=2000))
    assert (row.outcome, row.cost.tag) == ("cut", "estimated")
    assert row.cost.nano_usd == 101_000  # all that was held, and no more
    (_, message) = bench.database.sessions.messages(result.session_id)
    assert message.message.text == result.text
    assert bench.engine.budget()[0].held_nano == 0


async def test_a_dearer_prompt_than_thought_is_noticed_when_the_vendor_says_so(
    build: Build,
) -> None:
    script = [UsageReport(Tokens(input=5_000)), *[TextDelta("a ")] * 5]
    bench = build(ScriptedProvider("a", [script]), limits=(day(10**9),), calls=SHORT)
    events = await bench.turn("hi")
    assert events[-1].result.finish_reason == "budget"  # type: ignore[union-attr]


async def test_without_a_hard_limit_no_answer_is_cut(build: Build) -> None:
    script = [*[TextDelta("word " * 10) for _ in range(50)], Finish("stop", "complete")]
    bench = build(ScriptedProvider("a", [script]), limits=(day(10, soft=True),), calls=SHORT)
    events = await bench.turn("hi")
    assert len(events[-1].result.text.split()) == 500  # type: ignore[union-attr]


async def test_an_answer_of_just_the_longest_length_is_not_cut(build: Build) -> None:
    script = [
        *[TextDelta("w ") for _ in range(100)],
        UsageReport(Tokens(input=1, output=100)),
        Finish("length", "length"),
    ]
    bench = build(ScriptedProvider("a", [script]), limits=(day(10**9),), calls=SHORT)
    events = await bench.turn("hi")
    result = events[-1].result  # type: ignore[union-attr]
    assert (result.finish_reason, result.cost.tag) == ("length", "exact")


# -- silence


async def test_a_call_that_timed_out_before_its_answer_counts_its_worst_case(build: Build) -> None:
    silent = TimedOut("no word", provider="a", model="a-model")
    bench = build(
        ScriptedProvider("a", [[silent]]),
        limits=(day(10**9),),
        calls=SHORT,
        retry=RetrySettings(max_retries=0),
    )
    events = await bench.turn("hi")
    (row,) = bench.database.ledger.rows(bench.clock.now().replace(year=2000))
    assert (row.cost.nano_usd, row.cost.tag, row.outcome) == (101_000, "estimated", "timeout")
    assert events[-1].result.cost == replace(row.cost, price_id=row.cost.price_id)  # type: ignore[union-attr]


async def test_our_own_deadline_counts_it_too(build: Build) -> None:
    bench = build(
        ScriptedProvider("a", [[5.0, *answer("late")]]),
        limits=(day(10**9),),
        calls=replace(SHORT, timeout_s=0.02),
        retry=RetrySettings(max_retries=0),
    )
    await asyncio.wait_for(bench.turn("hi"), 5)
    (row,) = bench.database.ledger.rows(bench.clock.now().replace(year=2000))
    assert row.cost.nano_usd == 101_000


async def test_a_timeout_that_a_gateway_reports_costs_nothing(build: Build) -> None:
    gateway = TimedOut("gateway timeout", provider="a", model="a-model", status=504)
    bench = build(
        ScriptedProvider("a", [[gateway]]), calls=SHORT, retry=RetrySettings(max_retries=0)
    )
    await bench.turn("hi")
    assert bench.database.ledger.rows(bench.clock.now().replace(year=2000)) == []
