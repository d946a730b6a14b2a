"""How long a vendor asks us to wait, from its headers or its words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from aircher.domain.regexes import regex

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = regex(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_DURATION = regex(r"(?:\d+(?:\.\d+)?\s*(?:ms|s|m|h|d))+")
_IN_WORDS = regex(
    r"(?:retry|try again|wait)\D{0,24}?\b(?:in|after|for)\s+"
    r"(?P<d>(?:\d+(?:\.\d+)?\s*(?:ms|milliseconds?|seconds?|secs?|s|minutes?|mins?|m|hours?|h)\b\s*"
    r"|\d+(?:\.\d+)?[hms])+)",
    re.IGNORECASE,
)
_LONG_UNITS = (
    (regex(r"milliseconds?", re.IGNORECASE), "ms"),
    (regex(r"sec(ond)?s?", re.IGNORECASE), "s"),
    (regex(r"min(ute)?s?", re.IGNORECASE), "m"),
    (regex(r"hours?", re.IGNORECASE), "h"),
)


def duration_seconds(text: str) -> float | None:
    """Seconds of "1.4s", "6m0s", "120ms", "2m59.56s"; None if it is no duration."""
    text = text.strip()
    if not _DURATION.fullmatch(text):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def moment_seconds(text: str, now: datetime) -> float | None:
    """Seconds from ``now`` to a moment: a number of seconds, an epoch (s or ms), an HTTP date,
    an RFC 3339 time, or a duration.  Never negative; None if it is none of these.
    """
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        if not 0 <= number < 1e14:
            return None
        if number > 1e12:
            number /= 1000
        return max(0.0, number - now.timestamp()) if number > 1e9 else number
    if (seconds := duration_seconds(text)) is not None:
        return seconds
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
        except (ValueError, TypeError):
            continue
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - now).total_seconds())
    return None


def _in_words(message: str) -> float | None:
    """The delay in a sentence such as "Please retry in 48.6s." or "retry after 6 seconds"."""
    found = _IN_WORDS.search(message)
    if found is None:
        return None
    text = found["d"]
    for long, short in _LONG_UNITS:
        text = long.sub(short, text)
    return duration_seconds(re.sub(r"\s+", "", text).lower())


_RESET = regex(r"(?:x-ratelimit-reset(?P<a>-[a-z-]+)?|[a-z]+-ratelimit-(?P<b>[a-z-]+)-reset)")


def _remaining_name(name: str) -> str:
    return name.replace("-reset", "-remaining", 1)


def _resets(headers: Mapping[str, str], now: datetime, *, all_of_them: bool) -> list[float]:
    """When the limits that are used up start anew.

    A vendor names several windows at once (a minute's and a day's): only those with nothing
    remaining count, and those of unknown remainder only where nothing else tells the delay.
    """
    waits = []
    for name, value in headers.items():
        if not _RESET.fullmatch(name):
            continue
        remaining = headers.get(_remaining_name(name), "0" if all_of_them else "1")
        if remaining.strip() in {"0", "0.0"} and (wait := moment_seconds(value, now)) is not None:
            waits.append(wait)
    return waits


def wait_seconds(
    headers: Mapping[str, str],
    message: str = "",
    *,
    limited: bool = False,
    told: float | None = None,
    now: datetime | None = None,
) -> float | None:
    """The longest delay that the vendor asks for, in seconds; None where it asks for none.

    ``headers`` have lower-case names.  ``limited`` says that this was a rate limit: only then
    do the limits' reset times matter.  ``told`` is a delay from the body.
    """
    now = now or datetime.now(UTC)
    waits = [told] if told is not None else []
    if (seconds := moment_seconds(headers.get("retry-after", ""), now)) is not None:
        waits.append(seconds)
    if (millis := moment_seconds(headers.get("retry-after-ms", ""), now)) is not None:
        waits.append(millis / 1000)
    if (said := _in_words(message)) is not None:
        waits.append(said)
    if limited:
        waits.extend(_resets(headers, now, all_of_them=not waits))
    return max(waits, default=None)
