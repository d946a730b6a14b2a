"""The sliding window: never too many in any minute, first come first served, no longer than need be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aircher.domain.limits import Rate, RateLimit, Taken
from aircher.policy.rates import WINDOW_S, slot, used_up

arrivals = st.lists(st.tuples(st.floats(0, 40), st.integers(0, 700)), min_size=1, max_size=40)


@given(arrivals, st.integers(1, 6), st.integers(500, 2_000))
def test_no_minute_holds_more_than_the_limits(
    calls: list[tuple[float, int]], requests: int, tokens: int
) -> None:
    rate, now, taken = Rate(requests, tokens), 0.0, []
    for gap, need in calls:
        now += gap
        taken.append(Taken(slot(taken, now, rate, need), need))
        assert taken[-1].at >= now
    order = [one.at for one in taken]
    assert order == sorted(order)
    for one in taken:
        inside = [other for other in taken if one.at < other.at + WINDOW_S and other.at <= one.at]
        assert len(inside) <= requests
        # A call that is larger than the limit stands alone.
        assert sum(other.tokens for other in inside) <= tokens or inside == [one]


@given(arrivals, st.integers(1, 6))
def test_nobody_waits_without_need(calls: list[tuple[float, int]], requests: int) -> None:
    rate, now, taken = Rate(requests), 0.0, []
    for gap, _ in calls:
        now += gap
        at = slot(taken, now, rate, 0)
        earlier = max([now, *(one.at for one in taken)])
        if at > earlier:  # then a moment before it the window was still full
            inside = [one for one in taken if at - 1e-6 < one.at + WINDOW_S]
            assert len(inside) >= requests
        taken.append(Taken(at, 0))


def test_without_limits_every_call_goes_at_once() -> None:
    assert slot([Taken(5.0, 10**9)] * 1000, 7.0, Rate(), 10**9) == 7.0


def test_a_used_up_limit_is_waited_for_until_its_reset() -> None:
    none_left = RateLimit("requests", 0, 50, 12.0)
    few = RateLimit("tokens", 900, 10_000, 30.0)
    silent = RateLimit("requests", 0, 50)
    assert used_up([none_left], 10, 0) == 12.0
    assert used_up([none_left], 10, 5) == 7.0
    assert used_up([none_left], 10, 20) == 0.0
    assert used_up([few], 900, 0) == 0.0
    assert used_up([few], 901, 0) == 30.0
    assert used_up([few], 20_000, 0) == 0.0  # it never fits: waiting helps nobody
    assert used_up([silent], 10, 0) == 0.0
