"""Windows of time as people name them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

from aircher.domain.errors import UsageError
from aircher.policy.windows import day_start, month_start

EVER = datetime(1970, 1, 1, tzinfo=UTC)

_NAMED: Mapping[str, Callable[[datetime], datetime]] = {
    "today": day_start,
    "month": month_start,
    "all": lambda _: EVER,
}


def window_start(text: str, now: datetime) -> datetime:
    """The instant since when rows count: "today", "month", "all", or a date "2026-03-31".

    ``now`` is aware and in the user's time zone; a date begins at its midnight there, also
    on a day whose length daylight saving changes.  Raises ``UsageError`` for anything else.
    """
    if text in _NAMED:
        return _NAMED[text](now)
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not a time to count from.",
            hint="Use today, month, all, or a date such as 2026-03-31.",
        ) from error
    return datetime(day.year, day.month, day.day, tzinfo=now.tzinfo)
