"""The road as a user of events sees it: order, money, retries, fallback, stopping, compaction."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta

import pytest

from aircher.domain.chat import Finish, Opened, TextDelta, ThinkingDelta, UsageReport
from aircher.domain.errors import (
    AuthenticationFailed,
    InvalidRequest,
    Overloaded,
    ProviderError,
    RateLimited,
    StorageError,
)
from aircher.domain.events import (
    Compacted,
    Detected,
    Downgraded,
    Event,
    Failed,
    FallingBack,
    Finished,
    Reserved,
    Retrying,
    Routed,
    Started,
    Usage,
)
from aircher.domain.models import ModelRef
from aircher.domain.routes import Wish
from aircher.domain.settings import FallbackSettings, Limit, RetrySettings
from aircher.domain.turns import TurnRequest
from aircher.domain.usage import Tokens
from tests.engine.conftest import Build
from tests.support.chat import ScriptedProvider, TableCatalog, answer
from tests.support.clock import START


def kinds(events: list[Event]) -> list[type]:
    return [type(event) for event in events]


def last(events: list[Event]) -> Finished:
    assert isinstance(events[-1], Finished), events[-1]
    return events[-1]


def failed(events: list[Event]) -> Failed:
    assert isinstance(events[-1], Failed), events[-1]
    return events[-1]


async def test_events_of_a_plain_turn_come_in_the_documented_order(build: Build) -> None:
    bench = build(ScriptedProvider("a", [answer("Hello.", prompt=7, output=2)]))
    events = await bench.turn("how do I undo a commit?")
    assert kinds(events) == [Detected, Routed, Reserved, Started, TextDelta, Usage, Finished]
    result = last(events).result
    assert (result.text, result.task, result.ref) == (
        "Hello.",
        "quick_questions",
        ModelRef("a", "a-model"),
    )
    assert result.tokens == Tokens(input=7, output=2)
    assert result.cost.nano_usd == 9_000
    assert result.cost.tag == "exact"


async def test_question_and_answer_are_on_disk_with_their_facts(build: Build) -> None:
    bench = build(ScriptedProvider("a", [answer("Use revert.")]))
    result = last(await bench.turn("how do I undo a commit?")).result
    question, reply = bench.database.sessions.messages(result.session_id)
    assert question.message.text == "how do I undo a commit?"
    assert question.task == "quick_questions"
    assert reply.message.text == "Use revert."
    assert (reply.state, reply.ref) == ("complete", ModelRef("a", "a-model"))
    assert reply.cost.nano_usd == 15_000
    assert "'how do'" in reply.evidence


async def test_the_second_turn_sends_the_first(build: Build) -> None:
    provider = ScriptedProvider("a", [answer("One."), answer("Two.")])
    bench = build(provider)
    session = last(await bench.turn("first")).result.session_id
    await bench.turn("second", session_id=session)
    assert [(m.role, m.text) for m in provider.requests[1].messages] == [
        ("user", "first"),
        ("assistant", "One."),
        ("user", "second"),
    ]


async def test_a_retryable_error_is_tried_again_after_its_wait(build: Build) -> None:
    provider = ScriptedProvider("a", [[Overloaded("busy")], answer("Now.")])
    bench = build(provider, retry=RetrySettings(initial_delay_s=2.0))
    events = await bench.turn("hi")
    waits = [event.wait_s for event in events if isinstance(event, Retrying)]
    assert waits == bench.clock.slept == [2.0]
    assert [a.outcome for a in last(events).result.attempts] == ["overloaded", "ok"]
    assert len(bench.database.sessions.messages(last(events).result.session_id)) == 2


async def test_calls_are_the_sum_over_the_chain_of_one_plus_retries(build: Build) -> None:
    broken = [[Overloaded("busy")]]
    chain = [ScriptedProvider(name, broken) for name in "abc"]
    bench = build(*chain, retry=RetrySettings(max_retries=2))
    events = await bench.turn("hi")
    assert [len(provider.requests) for provider in chain] == [3, 3, 3]
    assert len(failed(events).result.attempts) == 9
    assert failed(events).error.kind == "overloaded"


async def test_a_vendor_that_asks_for_too_long_a_wait_is_left_for_the_next(build: Build) -> None:
    slow = ScriptedProvider("a", [[RateLimited("slow down", retry_after=3600)]])
    bench = build(slow, ScriptedProvider("b", [answer("Here.")]))
    events = await bench.turn("hi")
    assert bench.clock.slept == []
    moved = next(event for event in events if isinstance(event, FallingBack))
    assert (moved.failed.provider, moved.to.provider, moved.kept) == ("a", "b", 0)
    assert last(events).result.ref == ModelRef("b", "b-model")


@pytest.mark.parametrize(
    "error", [AuthenticationFailed("no key"), RateLimited("x", retry_after=99)]
)
async def test_without_fallback_the_first_model_has_the_last_word(
    build: Build, error: ProviderError
) -> None:
    spare = ScriptedProvider("b", [answer("Never.")])
    bench = build(ScriptedProvider("a", [[error]]), spare)
    events = await bench.turn("hi", wish=Wish(fallback=False))
    assert failed(events).error.kind == error.kind
    assert spare.requests == []


async def test_a_wrong_request_is_not_sent_to_the_next_model(build: Build) -> None:
    spare = ScriptedProvider("b", [answer("Never.")])
    bench = build(ScriptedProvider("a", [[InvalidRequest("bad tool schema")]]), spare)
    assert failed(await bench.turn("hi")).error.kind == "invalid_request"
    assert spare.requests == []


async def test_a_part_that_was_shown_is_kept_and_never_asked_for_twice(build: Build) -> None:
    breaking = ScriptedProvider("a", [[Opened("m"), TextDelta("Half an "), Overloaded("gone")]])
    begin_anew = FallbackSettings(broken_answer="restart")
    other = ScriptedProvider("b", [answer("A whole answer.")])
    bench = build(breaking, other, fallback=begin_anew)
    events = await bench.turn("hi")
    assert len(breaking.requests) == 1
    assert next(e.kept for e in events if isinstance(e, FallingBack)) == len("Half an ")
    result = last(events).result
    stored = bench.database.sessions.messages(result.session_id)
    assert [(m.message.text, m.state) for m in stored] == [
        ("hi", "complete"),
        ("Half an ", "failed"),
        ("A whole answer.", "complete"),
    ]
    # Both legs are billed: the broken one by estimate.
    assert [a.cost.tag for a in result.attempts] == ["estimated", "exact"]
    assert result.cost.tag == "estimated"
    assert bench.database.ledger.spend(bench.clock.now() - timedelta(days=1)).calls == 2


async def test_only_the_whole_answer_of_two_legs_is_sent_later(build: Build) -> None:
    breaking = ScriptedProvider("a", [[TextDelta("Half"), Overloaded("gone")]])
    other = ScriptedProvider("b", [answer("Whole."), answer("Later.")])
    bench = build(breaking, other, fallback=FallbackSettings(broken_answer="restart"))
    session = last(await bench.turn("hi")).result.session_id
    await bench.turn("and?", session_id=session, wish=Wish(provider="b"))
    assert [m.text for m in other.requests[1].messages] == ["hi", "Whole.", "and?"]


async def test_a_stream_without_its_end_is_not_taken_for_an_answer(build: Build) -> None:
    bench = build(ScriptedProvider("a", [[TextDelta("cut")]]))
    events = await bench.turn("hi")
    assert failed(events).error.kind == "malformed"
    assert failed(events).result.text == "cut"


async def test_an_unanswered_question_is_not_sent_again(build: Build) -> None:
    provider = ScriptedProvider("a", [[InvalidRequest("no")], answer("Yes.")])
    bench = build(provider)
    session = failed(await bench.turn("lost")).result.session_id
    await bench.turn("asked anew", session_id=session)
    assert [m.text for m in provider.requests[1].messages] == ["asked anew"]


async def test_closing_the_turn_keeps_text_and_cost(build: Build) -> None:
    provider = ScriptedProvider("a", [[TextDelta("one two three"), 30.0]])
    bench = build(provider)
    async with aclosing(bench.engine.turn(TurnRequest("tell me"))) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break
    assert provider.closed == 1
    (session,) = bench.database.sessions.list()
    reply = bench.database.sessions.messages(session.id)[1]
    assert (reply.message.text, reply.state) == ("one two three", "stopped")
    assert reply.cost.tag == "estimated"
    spent = bench.database.ledger.spend(bench.clock.now() - timedelta(days=1))
    assert (spent.calls, spent.estimated, spent.output_tokens) == (1, 1, 3)


async def test_a_stop_before_the_first_word_still_pays_for_the_prompt(build: Build) -> None:
    provider = ScriptedProvider("a", [[30.0, TextDelta("late")]])
    bench = build(provider)
    task = asyncio.ensure_future(bench.turn("three words here"))
    while not provider.requests:
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    spent = bench.database.ledger.spend(bench.clock.now() - timedelta(days=1))
    assert (spent.calls, spent.nano_usd, spent.estimated) == (1, 3_000, 1)


async def test_a_refused_call_costs_nothing(build: Build) -> None:
    bench = build(ScriptedProvider("a", [[InvalidRequest("no")]]))
    assert failed(await bench.turn("hi")).result.cost.nano_usd == 0
    assert bench.database.ledger.spend(bench.clock.now() - timedelta(days=1)).calls == 0


async def test_a_write_that_fails_in_mid_stream_costs_no_answer_and_no_traceback(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = [TextDelta("One "), 0.1, *answer("two.")]
    bench = build(ScriptedProvider("a", [script]))
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    monkeypatch.setattr("aircher.engine.leg.WRITE_EVERY_S", 0.01)
    tries = []

    def locked(*_: object) -> None:
        tries.append(1)
        raise StorageError("locked")

    monkeypatch.setattr(bench.database.sessions, "write", locked)
    assert last(await bench.turn("hi")).result.text == "One two."
    assert tries
    assert told == []


async def test_cancelling_the_reader_at_every_moment_leaves_no_open_message(build: Build) -> None:
    """Cancels after each possible number of loop steps; nothing may be left half done."""
    for steps in range(40):
        provider = ScriptedProvider(
            "a", [[Opened("m"), ThinkingDelta("hm"), TextDelta("x"), *answer("y")]]
        )
        limits = (Limit("costs.daily_limit", "day", 10**12),)
        bench = build(provider, limits=limits)

        async def read(bench: object = bench) -> None:
            await bench.turn("hi")  # type: ignore[attr-defined] - bound per loop

        task = asyncio.ensure_future(read())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for session in bench.database.sessions.list():
            states = [m.state for m in bench.database.sessions.messages(session.id)]
            assert "streaming" not in states, steps
        assert all(state.held_nano == 0 for state in bench.engine.budget()), steps


async def test_a_limit_stops_a_call_before_it_is_made(build: Build) -> None:
    provider = ScriptedProvider("a", [answer("Never.")])
    bench = build(provider, limits=(Limit("costs.daily_limit", "day", 100),))
    events = await bench.turn("hi")
    assert failed(events).error.kind == "budget"
    assert "costs.daily_limit" in failed(events).error.message
    assert (failed(events).result.cost.nano_usd, failed(events).result.cost.tag) == (0, "exact")
    assert provider.requests == []


async def test_a_cheaper_model_takes_over_under_a_limit_and_it_is_said(build: Build) -> None:
    catalog = TableCatalog({"a-model": 100, "b-model": 1})
    bench = build(
        ScriptedProvider("a", [answer("Dear.")]),
        ScriptedProvider("b", [answer("Cheap.")]),
        catalog=catalog,
        limits=(Limit("costs.per_request_limit", "request", 10_000_000),),
    )
    events = await bench.turn("hi")
    assert next(e.to for e in events if isinstance(e, Downgraded)) == ModelRef("b", "b-model")
    assert last(events).result.text == "Cheap."


async def test_an_unknown_price_is_refused_under_a_limit_and_unknown_without(build: Build) -> None:
    limit = (Limit("costs.daily_limit", "day", 10**12),)
    provider = ScriptedProvider("a", [answer("Free?")])
    bench = build(provider, catalog=TableCatalog(), limits=limit)
    assert failed(await bench.turn("hi")).error.kind == "budget"
    bench = build(provider, catalog=TableCatalog())
    assert last(await bench.turn("hi")).result.cost.nano_usd is None


async def test_a_wait_can_be_skipped(build: Build) -> None:
    bench = build(ScriptedProvider("a", [[Overloaded("busy")], answer("Now.")]))

    async def for_ever(seconds: float) -> None:
        await asyncio.sleep(3600)

    bench.clock.sleep = for_ever  # type: ignore[method-assign] - a wait that never ends by itself
    events = []
    async for event in bench.engine.turn(TurnRequest("hi")):
        events.append(event)
        if isinstance(event, Retrying):
            asyncio.get_running_loop().call_later(0.01, bench.engine.skip_wait)
    assert last(events).result.text == "Now."


async def test_the_whole_turn_has_one_deadline(build: Build) -> None:
    bench = build(
        ScriptedProvider("a", [[TextDelta("x"), 5.0]]), retry=RetrySettings(deadline_s=0.05)
    )
    assert failed(await bench.turn("hi")).error.kind == "timeout"


async def test_a_conversation_that_outgrows_every_window_is_summarised_openly(
    build: Build,
) -> None:
    long = " ".join(["word"] * 300)
    provider = ScriptedProvider(
        "a",
        [*[answer(long)] * 3, answer("They spoke of words.")],
    )
    bench = build(provider, catalog=TableCatalog({"a-model": 1}, {"a-model": 1400}))
    session, turns = "", []
    for text in ("one", "two", "three"):
        turns.append(last(await bench.turn(text, session_id=session)))
        session = turns[-1].result.session_id
    events = await bench.turn("and four " + "x " * 300, session_id=session)
    assert last(events).result.text == "They spoke of words."
    compacted = next(event for event in events if isinstance(event, Compacted))
    assert compacted.summary == "They spoke of words."
    assert compacted.after < compacted.before
    # The summary's calls are part of the turn's bill.
    spent = bench.database.ledger.spend(bench.clock.now() - timedelta(days=1)).nano_usd
    assert spent == sum(turn.result.cost.nano_usd or 0 for turn in (*turns, last(events)))
    sent = provider.requests[-1].messages
    assert "They spoke of words." in sent[0].text
    assert sent[-1].text.startswith("and four")
    # Nothing was deleted, and the next turn starts from the summary.
    stored = bench.database.sessions.messages(session)
    assert sum(m.message.text == long for m in stored) == 3
    assert "They spoke of words." in [m.message.text for m in stored if m.summary_of]


async def test_a_message_longer_than_every_window_is_refused_with_the_way_out(
    build: Build,
) -> None:
    provider = ScriptedProvider("a", [answer("Never.")])
    bench = build(provider, catalog=TableCatalog({"a-model": 1}, {"a-model": 400}))
    error = failed(await bench.turn("x " * 500)).error
    assert error.kind == "context_length"
    assert "longer window" in error.hint
    assert provider.requests == []


async def test_a_longer_window_is_preferred_to_a_summary(build: Build) -> None:
    catalog = TableCatalog({"a-model": 1, "b-model": 1}, {"a-model": 400, "b-model": 9000})
    bench = build(
        ScriptedProvider("a", [answer("Small.")]),
        ScriptedProvider("b", [answer("Large.")]),
        catalog=catalog,
    )
    events = await bench.turn("x " * 500)
    assert last(events).result.text == "Large."
    assert "window" in next(e.plan.rejected[0].reason for e in events if isinstance(e, Routed))


async def test_escape_sequences_never_reach_a_front_end(build: Build) -> None:
    script = [TextDelta("a\x1b"), TextDelta("]52;c;eA==\x07b\r\n"), Finish("stop", "complete")]
    bench = build(ScriptedProvider("a", [script]))
    assert last(await bench.turn("hi")).result.text == "a]52;c;eA==b\n"


async def test_a_reply_without_usage_is_priced_by_estimate(build: Build) -> None:
    script = [TextDelta("four words are here"), Finish("stop", "complete")]
    bench = build(ScriptedProvider("a", [script]))
    result = last(await bench.turn("two words")).result
    assert result.tokens == Tokens()  # what was not said is not shown as said
    assert (result.cost.nano_usd, result.cost.tag) == (6_000, "estimated")


async def test_preview_sends_and_stores_nothing(build: Build) -> None:
    provider = ScriptedProvider("a", [answer("Never.")])
    bench = build(provider)
    preview = await bench.engine.preview(TurnRequest("fix this: Traceback (most recent call last)"))
    assert preview.detection.task == "debugging"
    estimate = preview.plan.first.estimate
    assert estimate is not None
    assert estimate.likely.nano_usd is not None
    assert provider.requests == []
    assert bench.database.sessions.list() == []


async def test_usage_that_came_before_a_stop_is_used(build: Build) -> None:
    script = [UsageReport(Tokens(input=50, output=1)), TextDelta("one two three"), 30.0]
    bench = build(ScriptedProvider("a", [script]))
    async with aclosing(bench.engine.turn(TurnRequest("hi"))) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break
    (session,) = bench.database.sessions.list()
    reply = bench.database.sessions.messages(session.id)[1]
    assert reply.tokens.input == 50
    assert reply.tokens.output == 3


async def test_a_conversation_is_summarised_when_the_user_asks(build: Build) -> None:
    provider = ScriptedProvider("a", [*[answer("Words.")] * 3, answer("In short."), answer("Ok.")])
    bench = build(provider)
    session = ""
    for text in ("one", "two", "three"):
        session = last(await bench.turn(text, session_id=session)).result.session_id
    events = [event async for event in bench.engine.compact(session)]
    assert isinstance(events[-1], Compacted)
    assert (events[-1].messages, events[-1].summary) == (4, "In short.")
    await bench.turn("four", session_id=session)
    sent = [message.text for message in provider.requests[-1].messages]
    assert sent[1:] == ["three", "Words.", "four"]
    assert "In short." in sent[0]


async def test_nothing_to_summarise_is_said(build: Build) -> None:
    bench = build(ScriptedProvider("a", [answer("Hi.")]))
    session = last(await bench.turn("one")).result.session_id
    events = [event async for event in bench.engine.compact(session)]
    assert failed(events).error.kind == "usage"


async def test_a_turn_that_is_not_kept_costs_but_leaves_no_session(build: Build) -> None:
    provider = ScriptedProvider("a", [answer('{"x": 1}')])
    bench = build(provider)
    shape = {"type": "object"}
    events = await bench.turn(
        "traceback exception error", keep=False, json_schema=shape, sample="", command="commit"
    )
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert finished.result.text == '{"x": 1}'
    assert finished.result.task == "commit_messages"  # what it carries does not sway it
    assert provider.requests[0].json_schema == shape
    assert bench.ports.sessions.list() == []
    rows = bench.database.ledger.rows(START.replace(year=2000))
    assert [row.task for row in rows] == ["commit_messages"]


async def test_a_barred_model_is_left_out_with_its_reason(build: Build) -> None:
    bench = build(ScriptedProvider("a", [answer("A")]), ScriptedProvider("b", [answer("B")]))
    wish = Wish(barred={ModelRef("a", "a-model"): "too small for this"})
    events = await bench.turn("hello", wish=wish)
    routed = next(event for event in events if isinstance(event, Routed))
    assert [str(c.ref) for c in routed.plan.candidates] == ["b/b-model"]
    assert routed.plan.rejected[0].reason == "too small for this"
