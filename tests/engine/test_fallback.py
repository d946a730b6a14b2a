"""Who takes over after which error, with whose consent, and how a broken-off answer goes on."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aircher.domain.chat import Finish, Opened, TextDelta, ThinkingDelta, ToolCallDelta
from aircher.domain.errors import (
    PROVIDER_KINDS,
    AuthenticationFailed,
    ContentFiltered,
    ContextTooLong,
    NetworkFailed,
    Overloaded,
    ProviderError,
    QuotaExhausted,
)
from aircher.domain.events import (
    Asking,
    Downgraded,
    Event,
    Failed,
    FallingBack,
    Finished,
    Reserved,
    Retrying,
    Started,
)
from aircher.domain.models import ModelRef
from aircher.domain.routes import Rules, TaskRule, Wish
from aircher.domain.settings import (
    REACTIONS,
    FallbackSettings,
    Limit,
    RetrySettings,
)
from aircher.domain.turns import TurnRequest
from aircher.policy.continuing import LEAST_OVERLAP, Seam, open_fence
from tests.engine.conftest import Bench, Build
from tests.support.chat import ScriptedProvider, Step, TableCatalog, answer

A, B, C = (ModelRef(name, f"{name}-model") for name in "abc")


def last(events: list[Event]) -> Finished:
    assert isinstance(events[-1], Finished), events[-1]
    return events[-1]


def failed(events: list[Event]) -> Failed:
    assert isinstance(events[-1], Failed), events[-1]
    return events[-1]


def moves(events: list[Event]) -> list[FallingBack]:
    return [event for event in events if isinstance(event, FallingBack)]


async def answering(bench: Bench, yes: bool, **more: Any) -> list[Event]:
    """A turn of a user who answers every question alike."""
    events = []
    async for event in bench.engine.turn(TurnRequest("hi", **more)):
        events.append(event)
        if isinstance(event, Asking):
            bench.engine.answer(event.question.id, yes=yes)
    return events


# -- triggers


def test_every_kind_of_error_has_a_reaction() -> None:
    assert set(REACTIONS) == {*PROVIDER_KINDS, "paused"}


@pytest.mark.parametrize("kind", sorted(PROVIDER_KINDS))
async def test_what_follows_an_error_is_by_the_table(build: Build, kind: str) -> None:
    broken = ScriptedProvider("a", [[PROVIDER_KINDS[kind]("no")]])
    other = ScriptedProvider("b", [answer("Here.")])
    bench = build(broken, other, retry=RetrySettings(max_retries=0))
    events = await bench.turn("hi")
    assert bool(other.requests) is (REACTIONS[kind] != "stop")
    assert [move.to for move in moves(events)] == [B] * len(other.requests)


@pytest.mark.parametrize("kind", sorted(PROVIDER_KINDS))
async def test_the_user_may_change_what_follows(build: Build, kind: str) -> None:
    for reaction in ("stop", "next"):
        other = ScriptedProvider("b", [answer("Here.")])
        bench = build(
            ScriptedProvider("a", [[PROVIDER_KINDS[kind]("no")]]),
            other,
            retry=RetrySettings(max_retries=0),
            fallback=FallbackSettings(on={kind: reaction}),
        )
        await bench.turn("hi")
        assert len(other.requests) == (reaction == "next")


async def test_a_prompt_that_is_too_long_goes_to_a_longer_window_only(build: Build) -> None:
    small, long = (ScriptedProvider(name, [answer(name)]) for name in "bc")
    catalog = TableCatalog(
        {"a-model": 1, "b-model": 1, "c-model": 1},
        {"a-model": 4_000, "b-model": 3_000, "c-model": 9_000},
    )
    first = ScriptedProvider("a", [[ContextTooLong("too long")]])
    events = await build(first, small, long, catalog=catalog).turn("hi")
    (move,) = moves(events)
    assert (move.to, move.reason) == (C, "its window of 9,000 tokens is longer")
    assert last(events).result.text == "c"
    assert small.requests == []


async def test_a_longer_window_is_looked_for_among_all_configured_models(build: Build) -> None:
    long = ModelRef("a", "long")
    rules = Rules(
        order=("a",),
        models={"a": "a-model"},
        tasks={"code_review": TaskRule(long)},
    )
    catalog = TableCatalog({"a-model": 1, "long": 1}, {"a-model": 4_000, "long": 9_000})
    first = ScriptedProvider("a", [[ContextTooLong("too long")], answer("Read.")])
    events = await build(first, rules=rules, catalog=catalog).turn("hi")
    assert [move.to for move in moves(events)] == [long]
    assert first.requests[1].model == "long"


async def test_without_a_longer_window_a_prompt_that_is_too_long_is_refused(build: Build) -> None:
    other = ScriptedProvider("b", [answer("Never.")])
    catalog = TableCatalog({"a-model": 1, "b-model": 1}, {"a-model": 4_000, "b-model": 4_000})
    first = ScriptedProvider("a", [[ContextTooLong("too long")]])
    assert (
        failed(await build(first, other, catalog=catalog).turn("hi")).error.kind == "context_length"
    )
    assert other.requests == []


async def test_an_answer_that_a_filter_took_away_is_no_answer(build: Build) -> None:
    empty: list[Step] = [Opened("m"), Finish("content_filter", "content_filter")]
    bench = build(ScriptedProvider("a", [empty]), ScriptedProvider("b", [answer("Here.")]))
    events = await bench.turn("hi")
    assert moves(events)[0].error.kind == ContentFiltered.kind
    assert last(events).result.text == "Here."
    alone = await build(ScriptedProvider("a", [empty])).turn("hi")
    assert isinstance(last(alone), Finished)  # nobody else is there: it is told as it came
    assert (last(alone).result.text, last(alone).result.outcome) == ("", "content_filter")
    refused = build(ScriptedProvider("a", [[ContentFiltered("not allowed")]]))
    assert failed(await refused.turn("hi")).error.kind == "content_filter"


async def test_a_part_that_a_filter_left_is_an_answer(build: Build) -> None:
    part: list[Step] = [TextDelta("Some"), Finish("content_filter", "content_filter")]
    other = ScriptedProvider("b", [answer("Never.")])
    events = await build(ScriptedProvider("a", [part]), other).turn("hi")
    assert (last(events).result.text, last(events).result.outcome) == ("Some", "content_filter")
    assert other.requests == []


# -- consent


async def test_the_user_is_asked_before_another_model_is(build: Build) -> None:
    for yes in (True, False):
        other = ScriptedProvider("b", [answer("Here.")])
        bench = build(
            ScriptedProvider("a", [[QuotaExhausted("no credit", hint="Top up.")]]),
            other,
            fallback=FallbackSettings(consent="ask"),
            file=f"{yes}.db",
        )
        events = await answering(bench, yes)
        (asked,) = [event.question for event in events if isinstance(event, Asking)]
        assert (asked.kind, asked.text) == ("fallback", "Ask b/b-model instead?")
        assert asked.detail.splitlines()[:2] == ["a/a-model: no credit", "Top up."]
        assert "It would cost about $" in asked.detail
        assert (asked.yes, asked.no) == ("Ask b/b-model", "Stop here")
        assert len(other.requests) == yes
        assert isinstance(events[-1], Finished if yes else Failed)
        if not yes:
            assert failed(events).error.kind == "quota"


async def test_consent_is_by_task(build: Build) -> None:
    consents = FallbackSettings(consent="auto", tasks={"debugging": "never", "summaries": "ask"})
    for task, asks, calls in (("debugging", 0, 0), ("summaries", 1, 0), ("default", 0, 1)):
        other = ScriptedProvider("b", [answer("Here.")])
        bench = build(
            ScriptedProvider("a", [[AuthenticationFailed("no")]]),
            other,
            fallback=consents,
            file=f"{task}.db",
        )
        events = await answering(bench, yes=False, wish=Wish(task=task))
        assert sum(isinstance(event, Asking) for event in events) == asks, task
        assert len(other.requests) == calls, task


async def test_a_pause_is_no_consent(build: Build) -> None:
    for consent, asks in (("ask", 1), ("never", 0)):
        other = ScriptedProvider("b", [answer("Here.")])
        bench = build(
            ScriptedProvider("a", [[AuthenticationFailed("no")]]),
            other,
            fallback=FallbackSettings(consent=consent),
            file=f"{consent}.db",
        )
        await answering(bench, yes=False)  # from now on "a" is paused
        events = await answering(bench, yes=False)
        assert sum(isinstance(event, Asking) for event in events) == asks, consent
        assert isinstance(events[-1], Failed), events[-1]
        assert not other.requests, consent


async def test_an_answer_given_beforehand_is_not_asked_for(build: Build) -> None:
    bench = build(
        ScriptedProvider("a", [[AuthenticationFailed("no")]]),
        ScriptedProvider("b", [answer("Here.")]),
        fallback=FallbackSettings(consent="ask"),
    )
    events = await bench.turn("hi", answers={"fallback": True})
    assert last(events).result.text == "Here."
    assert not any(isinstance(event, Asking) for event in events)


async def test_thinking_about_a_question_costs_nothing_of_the_deadline(build: Build) -> None:
    bench = build(
        ScriptedProvider("a", [[AuthenticationFailed("no")]]),
        ScriptedProvider("b", [answer("Here.")]),
        fallback=FallbackSettings(consent="ask"),
        retry=RetrySettings(deadline_s=0.3),
    )
    events = []
    async for event in bench.engine.turn(TurnRequest("hi")):
        events.append(event)
        if isinstance(event, Asking):
            await asyncio.sleep(0.4)
            bench.engine.answer(event.question.id, yes=True)
    assert last(events).result.text == "Here."


async def test_a_broken_answer_is_begun_anew_only_with_consent(build: Build) -> None:
    bench = build(
        ScriptedProvider("a", [[TextDelta("Half"), Overloaded("gone")]]),
        ScriptedProvider("b", [answer("Whole.")]),
        fallback=FallbackSettings(consent="ask", broken_answer="restart"),
    )
    events = await answering(bench, yes=False)
    (asked,) = [event.question for event in events if isinstance(event, Asking)]
    assert (asked.kind, asked.text) == ("fresh_start", "Let b/b-model begin the answer anew?")
    assert failed(events).result.text == "Half"


# -- how it ends


async def test_when_all_fail_the_most_useful_error_is_told_with_their_number(build: Build) -> None:
    bench = build(
        ScriptedProvider("a", [[NetworkFailed("a is not reachable.")]]),
        ScriptedProvider("b", [[AuthenticationFailed("b does not take the key.", hint="Set it.")]]),
        ScriptedProvider("c", [[Overloaded("c is full.")]]),
        retry=RetrySettings(max_retries=1),
    )
    events = await bench.turn("hi")
    error = failed(events).error
    assert error.kind == "auth"
    assert error.message == (
        "b does not take the key. 3 models were tried "
        "(a/a-model: network, b/b-model: auth, c/c-model: overloaded); the question is kept."
    )
    assert error.hint == "Set it."
    assert [attempt.outcome for attempt in failed(events).result.attempts] == [
        "network", "network", "auth", "overloaded", "overloaded",
    ]  # fmt: skip


async def test_the_next_model_reserves_its_own_price(build: Build) -> None:
    catalog = TableCatalog({"a-model": 10, "b-model": 3})
    bench = build(
        ScriptedProvider("a", [[AuthenticationFailed("no")]]),
        ScriptedProvider("b", [answer("Here.", prompt=10, output=5)]),
        catalog=catalog,
        limits=(Limit("costs.daily_limit", "day", 10**12),),
    )
    events = await bench.turn("hi")
    held = [event.nano_usd for event in events if isinstance(event, Reserved)]
    assert held[0] == held[1] * 10 // 3  # type: ignore[operator] - both are known
    assert last(events).result.cost.nano_usd == 15 * 3_000
    assert bench.engine.budget()[0].held_nano == 0


async def test_no_wait_and_no_call_goes_past_the_deadline(build: Build) -> None:
    slow = ScriptedProvider("a", [[Overloaded("busy", retry_after=20)]])
    other = ScriptedProvider("b", [[Overloaded("busy", retry_after=20)]])
    bench = build(slow, other, retry=RetrySettings(deadline_s=10, max_retries=5))
    events = await bench.turn("hi")
    assert bench.clock.slept == []
    assert [len(one.requests) for one in (slow, other)] == [1, 1]
    assert failed(events).error.kind == "overloaded"


async def test_after_the_deadline_no_other_model_is_asked(build: Build) -> None:
    other = ScriptedProvider("b", [answer("Late.")])
    bench = build(ScriptedProvider("a", [[5.0]]), other, retry=RetrySettings(deadline_s=0.05))
    assert failed(await bench.turn("hi")).error.kind == "timeout"
    assert other.requests == []


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    retries=st.integers(0, 4),
    kinds=st.lists(st.sampled_from(sorted(PROVIDER_KINDS)), min_size=1, max_size=4),
    shown=st.booleans(),
)
def test_calls_are_never_more_than_the_sum_of_one_plus_retries(
    build: Build, retries: int, kinds: list[str], shown: bool
) -> None:
    script: list[Step] = [TextDelta("a part of it ")] if shown else []
    chain = [
        ScriptedProvider(name, [[*script, PROVIDER_KINDS[kind]("no")]])
        for name, kind in zip("abcd", kinds, strict=False)
    ]
    retry = RetrySettings(max_retries=retries, initial_delay_s=0.01)
    bench = build(*chain, retry=retry, file=f"{uuid4()}.db")
    events = asyncio.run(bench.turn("hi"))
    calls = sum(len(provider.requests) for provider in chain)
    assert calls <= len(chain) * (1 + retries)
    assert all(len(provider.requests) <= 1 + retries for provider in chain)
    assert calls == len(failed(events).result.attempts)
    assert calls == sum(isinstance(event, Started) for event in events)
    assert sum(isinstance(event, Retrying) for event in events) == calls - 1 - len(
        [move for move in moves(events) if move.failed != move.to]
    )


@pytest.mark.parametrize("error", [AuthenticationFailed("no"), QuotaExhausted("no")])
async def test_a_key_or_account_that_failed_is_not_asked_first_again(
    build: Build, error: ProviderError
) -> None:
    broken = ScriptedProvider("a", [[error]])
    bench = build(broken, ScriptedProvider("b", [answer("Here.")]))
    await bench.turn("one")
    events = await bench.turn("two")
    assert last(events).result.text == "Here."
    assert moves(events) == []
    assert len(broken.requests) == 1


# -- an answer that breaks off


def half(text: str, *more: Step) -> list[Step]:
    return [Opened("m"), TextDelta(text), *(more or (NetworkFailed("cut"),))]


async def test_the_next_model_goes_on_where_the_answer_broke_off(build: Build) -> None:
    other = ScriptedProvider("b", [answer("jumps over the dog.", prompt=40, output=6)])
    bench = build(ScriptedProvider("a", [half("The quick fox ")]), other)
    events = await bench.turn("tell me")
    (move,) = moves(events)
    assert (move.failed, move.to, move.kept, move.continues) == (A, B, 14, True)
    result = last(events).result
    assert result.text == "The quick fox jumps over the dog."
    assert result.ref == B
    *_, question, part, told = other.requests[0].messages
    assert (question.role, part.role, part.text) == ("user", "assistant", "The quick fox ")
    assert told.role == "user"
    assert told.text.endswith("The quick fox ")
    # Both parts are on disk, each with its model; both legs are priced.
    stored = bench.database.sessions.messages(result.session_id)
    assert [(m.message.text, m.state, m.ref) for m in stored[1:]] == [
        ("The quick fox ", "continued", A),
        ("jumps over the dog.", "complete", B),
    ]
    assert stored[1].error == "cut"
    assert [a.cost.tag for a in result.attempts] == ["estimated", "exact"]
    spent = bench.database.ledger.spend(bench.clock.now() - timedelta(days=1))
    assert (spent.calls, spent.nano_usd) == (2, result.cost.nano_usd)


async def test_a_later_turn_sends_the_parts_as_one_answer(build: Build) -> None:
    other = ScriptedProvider("b", [answer("is round."), answer("Yes.")])
    bench = build(ScriptedProvider("a", [half("The earth ")]), other)
    session = last(await bench.turn("hi")).result.session_id
    await bench.turn("and?", session_id=session, wish=Wish(provider="b"))
    sent = other.requests[1].messages
    assert [(m.role, m.text) for m in sent] == [
        ("user", "hi"),
        ("assistant", "The earth is round."),
        ("user", "and?"),
    ]


async def test_three_models_may_write_one_answer(build: Build) -> None:
    bench = build(
        ScriptedProvider("a", [half("one ")]),
        ScriptedProvider("b", [half("two ")]),
        ScriptedProvider("c", [answer("three")]),
    )
    events = await bench.turn("hi")
    assert last(events).result.text == "one two three"
    assert [move.kept for move in moves(events)] == [4, 8]


async def test_a_model_that_fails_before_going_on_hands_the_part_on(build: Build) -> None:
    last_one = ScriptedProvider("c", [answer("two")])
    bench = build(
        ScriptedProvider("a", [half("one ")]),
        ScriptedProvider("b", [[AuthenticationFailed("no")]]),
        last_one,
    )
    events = await bench.turn("hi")
    assert last(events).result.text == "one two"
    assert [(move.kept, move.continues) for move in moves(events)] == [(4, True), (4, True)]
    stored = bench.database.sessions.messages(last(events).result.session_id)
    assert [m.state for m in stored] == ["complete", "continued", "complete"]


async def test_the_same_model_goes_on_where_there_is_no_other(build: Build) -> None:
    provider = ScriptedProvider("a", [half("One "), answer("two.")])
    bench = build(provider, retry=RetrySettings(initial_delay_s=1.0))
    events = await bench.turn("hi")
    assert last(events).result.text == "One two."
    (move,) = moves(events)
    assert (move.failed, move.to, move.continues) == (A, A, True)
    assert [e.wait_s for e in events if isinstance(e, Retrying)] == bench.clock.slept == [1.0]


async def test_going_on_with_the_same_model_counts_as_a_retry(build: Build) -> None:
    provider = ScriptedProvider("a", [half(f"part {n} ") for n in range(9)])
    bench = build(provider, retry=RetrySettings(max_retries=2))
    events = await bench.turn("hi")
    assert failed(events).result.text == "part 0 part 1 part 2 "
    assert len(provider.requests) == 3


async def test_what_a_continuation_repeats_is_shown_once(build: Build) -> None:
    pieces = ["the qu", "ick brown f", "ox jumps"]
    other = ScriptedProvider(
        "b", [[*(TextDelta(piece) for piece in pieces), Finish("stop", "complete")]]
    )
    bench = build(ScriptedProvider("a", [half("Look: the quick brown ")]), other)
    events = await bench.turn("hi")
    assert last(events).result.text == "Look: the quick brown fox jumps"
    shown = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert shown == "Look: the quick brown fox jumps"


async def test_an_answer_of_a_prescribed_shape_is_begun_anew(build: Build) -> None:
    other = ScriptedProvider("b", [answer('{"a": 1}')])
    bench = build(ScriptedProvider("a", [half('{"a": ')]), other)
    events = await bench.turn("hi", json_schema={"type": "object"})
    assert last(events).result.text == '{"a": 1}'


@pytest.mark.parametrize(
    "script",
    [
        [ThinkingDelta("hm"), NetworkFailed("cut")],
        [TextDelta("I call "), ToolCallDelta(0, "1", "ls", '{"pa'), NetworkFailed("cut")],
    ],
)
async def test_what_cannot_be_gone_on_with_is_begun_anew(build: Build, script: list[Step]) -> None:
    other = ScriptedProvider("b", [answer("Whole.")])
    bench = build(ScriptedProvider("a", [script]), other)
    events = await bench.turn("hi")
    assert not moves(events)[0].continues
    assert last(events).result.text == "Whole."
    assert len(other.requests[0].messages) == 1


async def test_an_answer_too_long_for_the_next_window_is_begun_anew(build: Build) -> None:
    catalog = TableCatalog({"a-model": 1, "b-model": 1}, {"a-model": 9_000, "b-model": 600})
    bench = build(
        ScriptedProvider("a", [half("word " * 500)]),
        ScriptedProvider("b", [answer("Short.")]),
        catalog=catalog,
    )
    events = await bench.turn("hi")
    assert not moves(events)[0].continues
    assert last(events).result.text == "Short."


async def test_a_user_may_want_a_broken_answer_left_alone(build: Build) -> None:
    other = ScriptedProvider("b", [answer("Never.")])
    bench = build(
        ScriptedProvider("a", [half("Half")]),
        other,
        fallback=FallbackSettings(broken_answer="stop"),
    )
    assert failed(await bench.turn("hi")).result.text == "Half"
    assert other.requests == []


async def test_the_rest_of_an_answer_is_reserved_with_the_part_in_its_prompt(build: Build) -> None:
    catalog = TableCatalog({"a-model": 1, "b-model": 1})
    bench = build(
        ScriptedProvider("a", [half("word " * 300)]),
        ScriptedProvider("b", [answer("end.")]),
        catalog=catalog,
        limits=(Limit("costs.daily_limit", "day", 10**12),),
    )
    events = await bench.turn("hi", max_output=1000)
    first, second = [event.candidate.estimate for event in events if isinstance(event, Reserved)]
    assert first is not None
    assert second is not None
    assert second.prompt >= first.prompt + 300
    assert second.max_output == 1000 - 300


async def test_a_stop_while_going_on_keeps_both_parts(build: Build) -> None:
    bench = build(
        ScriptedProvider("a", [half("one ")]), ScriptedProvider("b", [[TextDelta("two"), 30.0]])
    )
    task = asyncio.ensure_future(bench.turn("hi"))
    while True:
        await asyncio.sleep(0.01)
        (session,) = bench.database.sessions.list() or [None]
        if session and len(bench.database.sessions.messages(session.id)) == 3:
            break
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    stored = bench.database.sessions.messages(session.id)
    assert [(m.message.text, m.state) for m in stored[1:]] == [
        ("one ", "continued"),
        ("two", "stopped"),
    ]


async def test_a_model_over_a_limit_is_passed_over_in_mid_chain(build: Build) -> None:
    bench = build(
        ScriptedProvider("a", [[AuthenticationFailed("no")]]),
        ScriptedProvider("b", [answer("Dear.")]),
        ScriptedProvider("c", [answer("Cheap.")]),
        catalog=TableCatalog({"a-model": 1, "b-model": 100, "c-model": 1}),
        limits=(Limit("costs.per_request_limit", "request", 10_000_000),),
    )
    events = await bench.turn("hi")
    (passed,) = [event for event in events if isinstance(event, Downgraded)]
    assert (passed.wanted, passed.to) == (B, C)
    assert last(events).result.text == "Cheap."


# -- the seam itself


@given(
    st.text(min_size=0, max_size=60),
    st.text(min_size=0, max_size=60),
    st.lists(st.integers(1, 9), max_size=12),
    st.booleans(),
)
def test_a_seam_loses_nothing_and_drops_only_what_repeats(
    before: str, rest: str, cuts: list[int], repeat: bool
) -> None:
    sent = before[-20:] + rest if repeat else rest
    seam, out, at = Seam(before), "", 0
    for size in [*cuts, len(sent)]:
        out += seam.add(sent[at : at + size])
        at += size
    out += seam.end()
    assert sent.endswith(out)
    dropped = sent[: len(sent) - len(out)]
    assert dropped == "" or (len(dropped.strip()) and before.endswith(dropped.lstrip()))
    if dropped:
        assert len(dropped) >= LEAST_OVERLAP


@pytest.mark.parametrize(
    ("text", "fence"),
    [
        ("a\n```python\nx = 1", "```python"),
        ("a\n```\nx\n```\nb", ""),
        ("~~~~\n```\n~~~", "~~~~"),
        ("no code", ""),
        ("```\n```js\n", "```"),
    ],
)
def test_an_open_code_block_is_found(text: str, fence: str) -> None:
    assert open_fence(text) == fence
