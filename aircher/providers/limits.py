"""What vendors tell of their rate limits in the headers of an answer.

The names are those of real answers: OpenAI's (also Azure's, Groq's, xAI's and many others'),
Anthropic's, Mistral's, and Together's plain ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from aircher.domain.limits import Counted, RateLimit
from aircher.domain.regexes import regex
from aircher.providers.waits import moment_seconds

_NAMES: tuple[tuple[str, Counted], ...] = (
    ("x-ratelimit-{part}-requests", "requests"),
    ("x-ratelimit-{part}-tokens", "tokens"),
    ("anthropic-ratelimit-requests-{part}", "requests"),
    ("anthropic-ratelimit-tokens-{part}", "tokens"),
    ("anthropic-ratelimit-input-tokens-{part}", "input tokens"),
    ("anthropic-ratelimit-output-tokens-{part}", "output tokens"),
    ("x-ratelimit-{part}-req-minute", "requests"),
    ("x-ratelimit-{part}-tokens-minute", "tokens"),
    ("x-ratelimit-{part}", "requests"),
)
"""A header's name with "remaining", "limit" or "reset" for its part, and what it counts."""

_MINUTE = regex(r".*-minute$")


def _whole(text: str | None) -> int | None:
    try:
        return int(float(text)) if text is not None else None
    except (ValueError, OverflowError):
        return None


def rate_limits(headers: Mapping[str, str], now: datetime | None = None) -> tuple[RateLimit, ...]:
    """The limits that lower-case headers tell of; those without a remainder tell nothing."""
    now = now or datetime.now(UTC)
    found = []
    for name, counted in _NAMES:
        remaining = _whole(headers.get(name.format(part="remaining")))
        if remaining is None:
            continue
        reset = headers.get(name.format(part="reset"))
        limit = _whole(headers.get(name.format(part="limit")))
        seconds = moment_seconds(reset, now) if reset is not None else None
        if reset is None and _MINUTE.match(name):
            seconds = 60.0  # the name says it: at the latest a minute from now
        found.append(RateLimit(counted, max(0, remaining), limit, seconds))
    return tuple(found)
