"""Whether to try the same model again, and after how long."""

from __future__ import annotations

from aircher.domain.errors import ProviderError
from aircher.domain.settings import RetrySettings


def retry_delay(
    error: ProviderError, retries: int, settings: RetrySettings, roll: float
) -> float | None:
    """Seconds to wait before retry number ``retries`` + 1, or None: do not retry.

    Exponential backoff with full jitter: ``roll`` (0..1, uniform) times the capped
    exponential, which spreads clients best (Brooker, "Exponential Backoff And Jitter", AWS
    2015).  A vendor's own retry-after is a floor; one above ``max_delay_s`` means that
    another model should answer instead.
    """
    if retries >= settings.max_retries or error.kind not in settings.retryable:
        return None
    asked = error.retry_after or 0.0
    if asked > settings.max_delay_s:
        return None
    ceiling = settings.initial_delay_s * settings.backoff_factor**retries
    return max(asked, roll * min(settings.max_delay_s, ceiling))


_PASSING = frozenset({"network", "timeout", "overloaded", "server", "rate_limit"})
"""Errors that cut an answer short from outside.  A stream without its end marker is none of
them: where a server never sends one, going on would only add to an answer that is whole."""


def may_go_on(error: ProviderError) -> bool:
    """True when the same model could go on with an answer that this error cut short."""
    return error.kind in _PASSING
