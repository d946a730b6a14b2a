"""The breaker against a simple model, and each rule by itself."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from aircher.domain.errors import (
    AuthenticationFailed,
    ContentFiltered,
    ContextTooLong,
    InvalidRequest,
    ModelNotFound,
    Overloaded,
    PermissionDenied,
    ProviderError,
    QuotaExhausted,
    RateLimited,
)
from aircher.domain.health import Breaker
from aircher.policy.breaker import (
    CLOCK_SLACK_S,
    CLOSED,
    LEASE_S,
    BreakerRules,
    admitted,
    after_failure,
    after_success,
    keeps_away,
    limited,
    released,
    scope,
    state,
    steady,
    why,
)

RULES = BreakerRules(failures=5, reset_s=60.0, key_reset_s=600.0)
NOW = 1_000_000.0


def failed(times: int, error: ProviderError, now: float = NOW, start: Breaker = CLOSED) -> Breaker:
    for _ in range(times):
        start = after_failure(start, error, now, RULES)
    return start


def test_it_opens_after_the_threshold_and_is_half_open_later() -> None:
    assert state(failed(4, Overloaded("")), NOW) == "closed"
    opened = failed(5, Overloaded(""))
    assert state(opened, NOW + 59.9) == "open"
    assert state(opened, NOW + 60) == "half_open"
    assert state(after_success(opened, NOW + 61), NOW + 61) == "closed"


@pytest.mark.parametrize(
    "error", [InvalidRequest(""), ModelNotFound(""), ContextTooLong(""), ContentFiltered("")]
)
def test_the_users_own_mistakes_never_count(error: ProviderError) -> None:
    assert failed(50, error) == CLOSED


def test_a_row_of_failures_is_forgotten_after_an_hour() -> None:
    four = failed(4, Overloaded(""))
    assert state(failed(1, Overloaded(""), NOW + 3_601, four), NOW + 3_601) == "closed"
    assert state(failed(1, Overloaded(""), NOW + 3_599, four), NOW + 3_599) == "open"


def test_the_vendors_later_deadline_wins_and_an_earlier_one_does_not() -> None:
    opened = failed(5, RateLimited("", retry_after=600.0))
    again = failed(1, Overloaded("", retry_after=1.0), NOW + 5, opened)
    assert state(again, NOW + 599) == "open"
    assert state(again, NOW + 600) == "half_open"


@pytest.mark.parametrize(
    ("error", "whose"),
    [
        (AuthenticationFailed(""), "provider"),
        (QuotaExhausted(""), "provider"),
        (PermissionDenied(""), "model"),
        (Overloaded(""), "model"),
    ],
)
def test_one_failure_is_enough_where_only_the_user_can_mend_it(
    error: ProviderError, whose: str
) -> None:
    assert scope(error) == whose
    once = after_failure(CLOSED, error, NOW, RULES, "mark")
    if isinstance(error, Overloaded):
        assert state(once, NOW) == "closed"
        assert not once.fingerprint
    else:
        assert state(once, NOW + 599) == "open"
        assert once.fingerprint == "mark"


def test_while_half_open_one_call_goes_and_no_other() -> None:
    opened = failed(5, Overloaded(""))
    later = NOW + 61
    taken, first = admitted(opened, later, "one", last=False, patience_s=30)
    assert first.allowed
    for last in (False, True):
        same, second = admitted(taken, later, "two", last=last, patience_s=30)
        assert not second.allowed
        assert same == taken
        assert second.soon is last  # with nobody else to ask it is worth waiting for
    assert keeps_away(taken, later, 30)
    assert released(taken, "two") == taken
    assert admitted(released(taken, "one"), later, "two", last=False, patience_s=30)[1].allowed


def test_the_probe_may_go_early_only_where_nobody_else_can_be_asked() -> None:
    opened = failed(5, Overloaded(""))
    assert not admitted(opened, NOW + 1, "one", last=False, patience_s=30)[1].allowed
    taken, answer = admitted(opened, NOW + 1, "one", last=True, patience_s=30)
    assert answer.allowed
    assert not admitted(taken, NOW + 1, "two", last=True, patience_s=30)[1].allowed


def test_a_probe_that_never_ends_is_given_up() -> None:
    opened = failed(5, Overloaded(""))
    taken, _ = admitted(opened, NOW + 61, "one", last=False, patience_s=30)
    assert admitted(taken, NOW + 61 + LEASE_S, "two", last=False, patience_s=30)[1].allowed


def test_a_vendors_limit_is_waited_for_or_another_models_turn() -> None:
    short, long = limited(CLOSED, NOW, 10), limited(CLOSED, NOW, 90)
    answer = admitted(short, NOW, "one", last=False, patience_s=30)[1]
    assert (answer.allowed, answer.soon, answer.wait_s) == (False, True, 10)
    answer = admitted(long, NOW, "one", last=False, patience_s=30)[1]
    assert (answer.allowed, answer.soon) == (False, False)
    assert admitted(long, NOW, "one", last=True, patience_s=30)[1].allowed
    assert not keeps_away(short, NOW, 30)
    assert keeps_away(long, NOW, 30)
    assert limited(long, NOW + 1, 5).limit_until == NOW + 90  # the later one wins


def test_a_success_keeps_what_the_vendor_said_of_its_limit() -> None:
    both = limited(failed(5, Overloaded("")), NOW, 90)
    after = after_success(both, NOW + 1)
    assert (state(after, NOW + 1), after.limit_until) == ("closed", NOW + 90)
    assert after_success(both, NOW + 91) == CLOSED


@given(back=st.floats(3, 1e9), passed=st.floats(0, 59))
def test_a_clock_set_back_never_makes_a_pause_longer_than_it_was(
    back: float, passed: float
) -> None:
    opened = limited(failed(5, Overloaded("")), NOW, 90)
    now = NOW + passed - back
    if now > NOW:
        return
    kept = steady(opened, now)
    assert kept.open_until - now <= 60 + CLOCK_SLACK_S
    assert kept.limit_until - now <= 90 + CLOCK_SLACK_S
    assert steady(kept, now) == kept


def test_the_reason_names_cause_and_time() -> None:
    assert why(failed(5, Overloaded("")), NOW + 18) == "paused for 42 s (overloaded 5 times)"
    held = after_failure(CLOSED, AuthenticationFailed(""), NOW, RULES, "m")
    assert why(held, NOW) == "paused for 10 min (its key was not accepted)"
    assert why(limited(CLOSED, NOW, 42), NOW) == "its rate limit is used up for 42 s"
    assert why(CLOSED, NOW) == ""


@dataclass
class Model:
    """The same in the plainest words: how many failed in a row, when it may be asked, by whom."""

    row: int = 0
    until: float | None = None
    out: set[str] = field(default_factory=set)


class BreakerAgainstModel(RuleBasedStateMachine):
    """Calls come and go in any order; time passes, less than a lease or the forgetting takes."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.breaker = CLOSED
        self.model = Model()
        self.calls = 0
        self.flying: list[str] = []
        self.successes = 0

    @rule(seconds=st.sampled_from([0.5, 10.0, 60.0, 300.0]))
    def time_passes(self, seconds: float) -> None:
        if self.now + seconds - NOW > LEASE_S - 1:
            return
        before = state(self.breaker, self.now)
        self.now += seconds
        # It never closes by itself.
        assert (state(self.breaker, self.now) == "closed") == (before == "closed")

    @rule(last=st.booleans())
    def a_call_comes(self, last: bool) -> None:
        who = str(self.calls)
        self.calls += 1
        self.breaker, answer = admitted(self.breaker, self.now, who, last=last, patience_s=0)
        closed = self.model.until is None
        due = self.model.until is not None and (self.now >= self.model.until or last)
        assert answer.allowed == (closed or (due and not self.model.out))
        if answer.allowed:
            self.flying.append(who)
            if not closed:
                self.model.out.add(who)
        if self.model.until is not None:
            assert len(self.model.out) <= 1

    @rule(data=st.data(), wait=st.sampled_from([None, 5.0, 500.0]))
    def a_call_fails(self, data: st.DataObject, wait: float | None) -> None:
        if not self.flying:
            return
        who = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        error = Overloaded("", retry_after=wait)
        before = self.breaker.open_until
        self.breaker = released(after_failure(self.breaker, error, self.now, RULES), who)
        assert self.breaker.open_until >= before  # the later deadline wins
        self.model.out.discard(who)
        self.model.row += 1
        if self.model.row >= 5 or self.model.until is not None:
            asked = self.now + max(60.0, wait or 0.0)
            self.model.until = max(self.model.until or 0.0, asked)

    @rule(data=st.data())
    def a_call_succeeds(self, data: st.DataObject) -> None:
        if not self.flying:
            return
        who = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        self.breaker = released(after_success(self.breaker, self.now), who)
        self.model = Model()

    @rule(data=st.data())
    def a_call_is_stopped(self, data: st.DataObject) -> None:
        if not self.flying:
            return
        who = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        self.breaker = released(self.breaker, who)
        self.model.out.discard(who)

    @rule()
    def the_request_was_wrong(self) -> None:
        assert after_failure(self.breaker, InvalidRequest(""), self.now, RULES) == self.breaker

    @invariant()
    def both_agree(self) -> None:
        expected = (
            "closed"
            if self.model.until is None
            else "open"
            if self.now < self.model.until
            else "half_open"
        )
        assert state(self.breaker, self.now) == expected


TestBreakerAgainstModel = BreakerAgainstModel.TestCase
