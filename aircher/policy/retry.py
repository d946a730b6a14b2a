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


_SAME_EVERYWHERE = frozenset({"invalid_request"})
"""Errors that another model would only repeat."""


def may_fall_back(error: ProviderError) -> bool:
    """True when another model could do better with the same request."""
    return error.kind not in _SAME_EVERYWHERE
