"""A circuit breaker as a value: closed, open until an instant, then half open for one probe.

Five failures in a row open it for 60 s (the defaults of Nygard's "Release It!" in most
libraries); the user's own mistakes never count.  Some errors say by themselves that the next
call will fail too (a wrong key, no credit): one is enough, and it waits longer.  Times are
seconds since 1970 by a wall clock that may be set back: see ``steady``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from aircher.domain.classes import dataclass
from aircher.domain.errors import ProviderError
from aircher.domain.health import Admission, Breaker, BreakerState

CLOSED = Breaker()

FORGET_S = 3600.0
"""A failure so long after the last one begins a new row."""

LEASE_S = 900.0
"""How long a probe may take before another may begin: more than the longest turn by default."""

CLOCK_SLACK_S = 2.0
"""A time so little ahead of the clock is not taken for a clock that was set back."""


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """[breaker]: ``failures`` in a row open it for ``reset_s``; an error that only the user can
    mend keeps calls away for ``key_reset_s``.
    """

    failures: int = 5
    reset_s: float = 60.0
    key_reset_s: float = 600.0


Scope = Literal["model", "provider"]

AT_ONCE: dict[str, Scope] = {"auth": "provider", "quota": "provider", "permission": "model"}
"""Kinds of error of which one is enough, and what they keep calls away from."""

_WHY = {
    "auth": "its key was not accepted",
    "quota": "out of credit or quota",
    "permission": "its key may not use this model",
    "rate_limit": "rate limit",
    "overloaded": "overloaded",
    "server": "server error",
    "network": "no connection",
    "timeout": "too slow",
    "malformed": "broken answer",
    "address": "wrong address",
}


def scope(error: Exception) -> Scope:
    """What a failure counts against."""
    kind = error.kind if isinstance(error, ProviderError) else ""
    return AT_ONCE.get(kind, "model")


def state(breaker: Breaker, now: float) -> BreakerState:
    """What the breaker is at that time."""
    if breaker.open_until == 0.0:
        return "closed"
    return "open" if now < breaker.open_until else "half_open"


def probing(breaker: Breaker, now: float) -> bool:
    """True while one call is finding out."""
    return breaker.prober != "" and now < breaker.probe_until


def after_success(breaker: Breaker, now: float) -> Breaker:
    """One success closes it; what the vendor said of its rate limit stays."""
    if breaker.limit_until <= now:
        return CLOSED
    return Breaker(limit_at=breaker.limit_at, limit_until=breaker.limit_until)


def after_failure(
    breaker: Breaker, error: Exception, now: float, rules: BreakerRules, fingerprint: str = ""
) -> Breaker:
    """Counts the failure, unless it was the request's fault; a later deadline wins.

    A vendor's own retry-after may be later than ours.
    """
    if not isinstance(error, ProviderError) or error.ours:
        return breaker
    in_a_row = now - breaker.failed_at <= FORGET_S or breaker.open_until
    failures = (breaker.failures if in_a_row else 0) + 1
    failed = replace(breaker, failures=failures, failed_at=now, kind=error.kind)
    at_once = error.kind in AT_ONCE
    if not at_once and failures < rules.failures and breaker.open_until == 0.0:
        return failed
    rest = max(rules.key_reset_s if at_once else rules.reset_s, error.retry_after or 0.0)
    until = max(breaker.open_until, now + rest)
    return replace(failed, open_until=until, fingerprint=fingerprint if at_once else "")


def limited(breaker: Breaker, now: float, wait_s: float) -> Breaker:
    """The vendor's rate limit is used up for so long; a later deadline wins."""
    return replace(breaker, limit_at=now, limit_until=max(breaker.limit_until, now + wait_s))


def admitted(
    breaker: Breaker, now: float, who: str, *, last: bool, patience_s: float
) -> tuple[Breaker, Admission]:
    """Whether the call ``who`` may be made, and the breaker with its probe taken.

    At any time at most one call goes to a model whose breaker is not closed.  ``last`` says
    that no other model is left to ask: then the one probe may go before its time, which is
    better than no answer.  A rate limit that is over within ``patience_s`` is waited for; a
    longer one is for another model, and the vendor has the last word where there is none.
    """
    left = breaker.limit_until - now
    if 0 < left <= patience_s or (left > 0 and not last):
        return breaker, Admission(False, left, why(breaker, now), soon=left <= patience_s)
    if breaker.open_until == 0.0:
        return breaker, Admission(allowed=True)
    if probing(breaker, now):
        return breaker, Admission(False, 1.0, why(breaker, now), soon=last)
    rest = breaker.open_until - now
    if rest > 0 and not last:
        return breaker, Admission(False, rest, why(breaker, now))
    return replace(breaker, prober=who, probe_until=now + LEASE_S), Admission(allowed=True)


def released(breaker: Breaker, who: str) -> Breaker:
    """The probe is over, however it went; another's stays."""
    return replace(breaker, prober="", probe_until=0.0) if breaker.prober == who else breaker


def steady(breaker: Breaker, now: float) -> Breaker:
    """The breaker by a clock that was set back: what was left is left, and no more."""
    back = breaker.failed_at - now
    if back > CLOCK_SLACK_S:
        breaker = replace(
            breaker,
            failed_at=now,
            open_until=max(now, breaker.open_until - back) if breaker.open_until else 0.0,
        )
    if breaker.probe_until - now > LEASE_S + CLOCK_SLACK_S:
        breaker = replace(breaker, probe_until=now + LEASE_S)
    back = breaker.limit_at - now
    if back > CLOCK_SLACK_S:
        breaker = replace(breaker, limit_at=now, limit_until=breaker.limit_until - back)
    return breaker


def keeps_away(breaker: Breaker, now: float, patience_s: float) -> bool:
    """True while routing should prefer another model."""
    shape = state(breaker, now)
    if shape == "open" or (shape == "half_open" and probing(breaker, now)):
        return True
    return breaker.limit_until - now > patience_s


def free_at(breaker: Breaker, now: float) -> float:
    """When it lets a call through, in seconds since 1970; 0 if it does already."""
    until = max(breaker.open_until, breaker.limit_until)
    return until if until > now else 0.0


def why(breaker: Breaker, now: float) -> str:
    """In words, for a routing reason: why calls are kept away, and how long still."""
    shape = state(breaker, now)
    cause = _WHY.get(breaker.kind, breaker.kind)
    if shape != "closed" and probing(breaker, now):
        return f"another request is trying it ({cause})"
    if shape == "open":
        times = f" {breaker.failures} times" if breaker.kind not in AT_ONCE else ""
        return f"paused for {_span(breaker.open_until - now)} ({cause}{times})"
    if breaker.limit_until > now:
        return f"its rate limit is used up for {_span(breaker.limit_until - now)}"
    return ""


def _span(seconds: float) -> str:
    """Such as "42 s", "9 min", "3 h"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"
