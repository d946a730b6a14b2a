"""A circuit breaker as a value: closed, open until an instant, then half open for one probe.

Five failures in a row open it for 60 s (the defaults of Nygard's "Release It!" in most
libraries); the user's own mistakes never count.  Times are seconds of a monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from aircher.domain.errors import ProviderError
from aircher.domain.health import BreakerState

THRESHOLD = 5
RESET_S = 60.0


@dataclass(frozen=True, slots=True)
class Breaker:
    """``failures`` in a row, and until when calls are kept away (0 = not open)."""

    failures: int = 0
    open_until: float = 0.0


CLOSED = Breaker()


def state(breaker: Breaker, now: float) -> BreakerState:
    """What the breaker is at that time."""
    if breaker.open_until == 0.0:
        return "closed"
    return "open" if now < breaker.open_until else "half_open"


def after_success(_: Breaker) -> Breaker:
    """One success closes it."""
    return CLOSED


def after_failure(breaker: Breaker, error: Exception, now: float) -> Breaker:
    """Counts the failure, unless it was the request's fault; a later deadline wins."""
    if isinstance(error, ProviderError) and error.ours:
        return breaker
    failures = breaker.failures + 1
    if failures < THRESHOLD:
        return replace(breaker, failures=failures)
    wait = RESET_S
    if isinstance(error, ProviderError) and error.retry_after:
        wait = max(wait, error.retry_after)
    return Breaker(failures, max(breaker.open_until, now + wait))
