"""Breakers, rate limits and health, seen through turns over the real database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from aircher.domain.chat import Opened
from aircher.domain.errors import (
    AuthenticationFailed,
    InvalidRequest,
    Overloaded,
    PermissionDenied,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    ServerFailed,
)
from aircher.domain.events import Event, FallingBack, Finished, Queued, Routed, Started
from aircher.domain.limits import Rate, RateLimit
from aircher.domain.models import ModelRef
from aircher.domain.routes import Wish
from aircher.domain.settings import RetrySettings
from aircher.engine.health import PassiveHealth
from aircher.engine.probe import probe
from tests.engine.conftest import Bench, Build
from tests.support.chat import ScriptedProvider, Step, answer

A, B = ModelRef("a", "a-model"), ModelRef("b", "b-model")
ONCE = RetrySettings(max_retries=0)


def failing(error: ProviderError, name: str = "a") -> ScriptedProvider:
    return ScriptedProvider(name, [[error]])


def asked(events: Sequence[Event]) -> list[str]:
    return [event.ref.provider for event in events if isinstance(event, Started)]


def reason(events: Sequence[Event]) -> str:
    return next(event.plan.first.reason for event in events if isinstance(event, Routed))


def row(bench: Bench, name: str = "a"):
    return next(health for health in bench.ports.health.all() if health.provider == name)


async def test_after_five_failures_the_next_model_is_asked_at_once_and_told_why(
    build: Build,
) -> None:
    bench = build(failing(Overloaded("full")), ScriptedProvider("b", [answer("hi")]), retry=ONCE)
    for _ in range(5):
        assert asked(await bench.turn("hello")) == ["a", "b"]
    bench.clock.advance(18)
    events = await bench.turn("hello")
    assert asked(events) == ["b"]
    assert "a/a-model is left out: paused for 42 s (overloaded 5 times)" in reason(events)
    health = row(bench)
    assert (health.state, health.breaker) == ("unhealthy", "open")
    assert health.breaker_until == bench.clock.now() + timedelta(seconds=42)
    assert "42 s" in health.note


async def test_the_breaker_is_the_models_and_not_the_providers(build: Build) -> None:
    bench = build(failing(Overloaded("full")), ScriptedProvider("b", [answer("hi")]), retry=ONCE)
    for _ in range(5):
        await bench.turn("hello")
    other = await bench.turn("hello", wish=Wish(provider="a", model="other"))
    assert asked(other)[0] == "a"


async def test_the_users_own_mistakes_pause_nothing(build: Build) -> None:
    bench = build(failing(InvalidRequest("no")), retry=ONCE)
    for _ in range(8):
        await bench.turn("hello")
    assert bench.ports.health.blocked() == {}
    assert row(bench).state == "unknown"
    assert row(bench).last_error == "no"


async def test_of_two_turns_at_once_one_is_the_probe(build: Build) -> None:
    slow: list[Step] = [0.05, *answer("back")]
    a = ScriptedProvider("a", [[Overloaded("full")]] * 5 + [slow, answer("well")])
    bench = build(a, ScriptedProvider("b", [answer("hi")]), retry=ONCE)
    for _ in range(5):
        await bench.turn("hello")
    bench.clock.advance(61)
    assert row(bench).breaker == "half_open"
    both = await asyncio.gather(bench.turn("one"), bench.turn("two"))
    assert sorted(asked(events)[-1] for events in both) == ["a", "b"]
    assert len(a.requests) == 6
    assert row(bench).breaker == "closed"
    assert asked(await bench.turn("three")) == ["a"]


async def test_with_nobody_else_to_ask_the_second_turn_waits_for_the_probe(build: Build) -> None:
    slow: list[Step] = [0.05, *answer("back")]
    a = ScriptedProvider("a", [[Overloaded("full")]] * 5 + [slow, answer("well")])
    bench = build(a, retry=ONCE)
    for _ in range(5):
        await bench.turn("hello")
    both = await asyncio.gather(bench.turn("one"), bench.turn("two"))
    assert all(isinstance(events[-1], Finished) for events in both)
    queued = [event for events in both for event in events if isinstance(event, Queued)]
    [told] = queued
    assert told.reason == "another request is trying it (overloaded)"


async def test_a_probe_that_is_stopped_is_given_back(build: Build) -> None:
    a = ScriptedProvider("a", [[Overloaded("full")]] * 5 + [[30.0], answer("back")])
    bench = build(a, ScriptedProvider("b", [answer("hi")]), retry=ONCE)
    for _ in range(5):
        await bench.turn("hello")
    bench.clock.advance(61)
    turn = asyncio.ensure_future(bench.turn("one"))
    while len(a.requests) < 6:
        await asyncio.sleep(0.01)
    assert bench.ports.health.blocked()[A].startswith("another request is trying it")
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    assert asked(await bench.turn("two")) == ["a"]


@pytest.mark.parametrize("error", [AuthenticationFailed("bad key"), QuotaExhausted("no credit")])
async def test_a_wrong_key_is_not_tried_first_with_every_message(
    build: Build, error: ProviderError
) -> None:
    bench = build(failing(error), ScriptedProvider("b", [answer("hi")]))
    assert asked(await bench.turn("hello")) == ["a", "b"]
    bench.clock.advance(120)
    events = await bench.turn("hello")
    assert asked(events) == ["b"]
    assert "a/a-model is left out: paused for 8 min" in reason(events)
    # All models of that provider are meant, and another model's success does not help them.
    assert ModelRef("a", "other") in bench.ports.health.blocked()
    bench.clock.advance(481)
    assert asked(await bench.turn("hello"))[0] == "a"


async def test_a_missing_permission_is_the_models(build: Build) -> None:
    bench = build(failing(PermissionDenied("not this")), ScriptedProvider("b", [answer("hi")]))
    await bench.turn("hello")
    assert A in bench.ports.health.blocked()
    assert ModelRef("a", "other") not in bench.ports.health.blocked()


async def test_a_new_key_ends_what_the_old_one_brought_about(build: Build) -> None:
    bench = build(failing(AuthenticationFailed("bad key")), ScriptedProvider("b", [answer("hi")]))
    rules, clock, store = bench.ports.settings.rules, bench.clock, bench.database.health
    old = PassiveHealth(rules, clock, store, fingerprint=lambda name: "old")
    old.failure(A, AuthenticationFailed("bad key"))
    assert A in old.blocked()
    new = PassiveHealth(rules, clock, store, fingerprint=lambda name: "new")
    assert A not in new.blocked()
    assert new.admit(A, "1", 10, last=False, patience_s=30).allowed
    assert A in old.blocked()


async def test_it_outlives_the_process_and_a_reset_ends_it(build: Build) -> None:
    providers = failing(Overloaded("full")), ScriptedProvider("b", [answer("hi")])
    bench = build(*providers, retry=ONCE)
    for _ in range(5):
        await bench.turn("hello")
    bench.database.close()
    again = build(*providers, retry=ONCE)
    assert asked(await again.turn("hello")) == ["b"]
    assert row(again).failures == 5
    again.ports.health.reset("a", "other")
    assert A in again.ports.health.blocked()
    again.ports.health.reset("a")
    assert again.ports.health.blocked() == {}
    assert row(again).failures == 0


async def test_a_clock_set_back_prolongs_nothing(build: Build) -> None:
    bench = build(failing(Overloaded("full")), ScriptedProvider("b", [answer("hi")]), retry=ONCE)
    for _ in range(5):
        await bench.turn("hello")
    bench.clock.advance(-86_400)
    assert A in bench.ports.health.blocked()
    bench.clock.advance(61)
    assert A not in bench.ports.health.blocked()


async def test_a_disk_that_refuses_does_not_end_the_turn(build: Build) -> None:
    bench = build(failing(Overloaded("full")))
    bench.database.close()
    bench.ports.health.failure(A, Overloaded("full"))
    assert bench.ports.health.blocked() == {}
    assert [health.state for health in bench.ports.health.all()] == ["unknown"]


# -- the user's own limits


async def test_requests_per_minute_are_kept_and_the_wait_is_told(build: Build) -> None:
    a = ScriptedProvider("a", [answer("hi")])
    bench = build(a, rates={"a": Rate(requests=2)})
    assert [
        event for _ in range(2) for event in await bench.turn("hello") if type(event) is Queued
    ] == []
    bench.clock.advance(10)
    queued = [event for event in await bench.turn("hello") if isinstance(event, Queued)]
    assert queued[0] == Queued(A, 1, 50.0, "your limit of 2 requests a minute")
    assert sum(bench.clock.slept) == pytest.approx(50)
    assert len(a.requests) == 3


async def test_tokens_per_minute_count_what_was_really_used(build: Build) -> None:
    bench = build(ScriptedProvider("a", [answer("hi")]), rates={"a": Rate(tokens=5_000)})
    # Each holds 4,096 tokens of answer at first, and turns out to take 15.
    for _ in range(20):
        await bench.turn("hello")
    assert bench.clock.slept == []


async def test_a_long_queue_is_left_for_the_next_model(build: Build) -> None:
    a, b = ScriptedProvider("a", [answer("hi")]), ScriptedProvider("b", [answer("hi")])
    bench = build(a, b, rates={"a": Rate(requests=1)})
    await bench.turn("hello")
    events = await bench.turn("hello")
    assert asked(events) == ["b"]
    [switch] = [event for event in events if isinstance(event, FallingBack)]
    assert "your limit of 1 requests a minute is reached" in switch.error.message
    bench.clock.advance(40)
    assert asked(await bench.turn("hello")) == ["a"]  # 20 s are waited for
    assert sum(bench.clock.slept) == pytest.approx(20)


async def test_a_prompt_above_the_limit_is_told_at_once(build: Build) -> None:
    bench = build(ScriptedProvider("a", [answer("hi")]), rates={"a": Rate(tokens=3)})
    last = (await bench.turn("one two three four five six"))[-1]
    assert "providers.a.tokens_per_min = 3" in last.error.message
    assert bench.clock.slept == []


async def test_a_wait_can_be_skipped(build: Build) -> None:
    bench = build(ScriptedProvider("a", [answer("hi")]), rates={"a": Rate(requests=1)})
    await bench.turn("hello")
    events = []
    async for event in bench.engine.turn(bench.request("hello")):
        events.append(event)
        if isinstance(event, Queued):
            bench.engine.skip_wait()
    assert asked(events) == ["a"]
    assert sum(bench.clock.slept) <= 1


async def test_a_turn_that_is_stopped_in_the_queue_leaves_no_hole(build: Build) -> None:
    bench = build(ScriptedProvider("a", [answer("hi")]), rates={"a": Rate(requests=1)})
    await bench.turn("hello")
    stopped = bench.engine.turn(bench.request("hello"))
    async for event in stopped:
        if isinstance(event, Queued):
            break
    await stopped.aclose()
    queued = [event for event in await bench.turn("hello") if isinstance(event, Queued)]
    assert queued[0].wait_s <= 60


# -- the vendor's limits


def told(*limits: RateLimit) -> list[Step]:
    return [Opened(limits=limits), *answer("hi")]


async def test_a_short_reset_is_waited_for(build: Build) -> None:
    a = ScriptedProvider("a", [told(RateLimit("requests", 0, 50, 12.0)), answer("hi")])
    bench = build(a, ScriptedProvider("b", [answer("hi")]))
    await bench.turn("hello")
    events = await bench.turn("hello")
    assert asked(events) == ["a"]
    [queued] = [event for event in events if isinstance(event, Queued)]
    assert queued.reason.startswith("its rate limit")
    assert sum(bench.clock.slept) == pytest.approx(12)


async def test_a_long_reset_is_another_models_turn_and_told(build: Build) -> None:
    a = ScriptedProvider("a", [told(RateLimit("requests", 0, 50, 80.0)), answer("hi")])
    bench = build(a, ScriptedProvider("b", [answer("hi")]))
    await bench.turn("hello")
    events = await bench.turn("hello")
    assert asked(events) == ["b"]
    assert "a/a-model is left out: its rate limit is used up for 80 s" in reason(events)
    assert bench.clock.slept == []
    bench.clock.advance(80)
    assert asked(await bench.turn("hello")) == ["a"]


async def test_a_prompt_that_the_rest_of_a_limit_does_not_hold_waits(build: Build) -> None:
    a = ScriptedProvider("a", [told(RateLimit("tokens", 3, 10_000, 6.0)), answer("hi")])
    bench = build(a)
    await bench.turn("hello")
    events = await bench.turn("one two three four five")
    assert [event.wait_s for event in events if isinstance(event, Queued)] == [6.0]


async def test_a_limit_that_a_refusal_tells_is_known_to_the_next_turn(build: Build) -> None:
    a = ScriptedProvider("a", [[RateLimited("slow down", retry_after=90.0)], answer("hi")])
    bench = build(a, ScriptedProvider("b", [answer("hi")]))
    assert asked(await bench.turn("hello")) == ["a", "b"]
    assert asked(await bench.turn("hello")) == ["b"]
    assert len(a.requests) == 1


# -- health


async def test_states_and_latencies_come_from_real_calls(build: Build) -> None:
    bench = build(ScriptedProvider("a", [answer("hi")]), ScriptedProvider("b", [answer("hi")]))
    assert row(bench).state == "unknown"
    for _ in range(3):
        await bench.turn("hello")
    health = row(bench)
    assert (health.state, health.calls, health.failures) == ("healthy", 3, 0)
    assert health.latency_p50 is not None
    assert health.latency_p50 <= health.latency_p95 <= health.latency_p99
    assert row(bench, "b").state == "unknown"
    bench.clock.advance(3_601)
    assert row(bench).state == "unknown"  # too long ago to say anything


async def test_a_look_at_the_model_list_is_noted_and_moves_no_breaker(build: Build) -> None:
    a = ScriptedProvider("a", [[Overloaded("full")]])
    bench = build(a, retry=ONCE)
    for _ in range(5):
        await bench.turn("hello")
    bench.clock.advance(61)
    before = len(a.requests)
    await probe(bench.ports.providers, bench.ports.health, bench.clock, "a")
    assert len(a.requests) == before  # never a completion
    assert row(bench).breaker == "half_open"
    assert bench.ports.health.quiet(bench.clock.now() - timedelta(seconds=5)) == []
    assert bench.ports.health.quiet(bench.clock.now() + timedelta(seconds=5)) == ["a"]


async def test_the_last_error_is_told_in_words(build: Build) -> None:
    bench = build(failing(ServerFailed("broken")), retry=ONCE)
    await bench.turn("hello")
    assert row(bench).state == "unhealthy"
    assert row(bench).last_error == "broken"
