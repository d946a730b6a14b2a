"""What the month will cost if it goes on like the last days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from aircher.domain.usage import UsageRow
from aircher.policy.windows import month_start

RATE_DAYS = 14
"""Two whole weeks, so that working days and week-ends weigh as they do in a month."""

_ONE_DAY = timedelta(days=1)


def rows_needed_since(now: datetime) -> datetime:
    """From when on ``projected_month`` wants rows."""
    return min(month_start(now), now - RATE_DAYS * _ONE_DAY)


def projected_month(rows: Iterable[UsageRow], now: datetime) -> int | None:
    """Nano-dollars by the month's end: spent so far + the days left at the present rate.

    The rate is the average day of the last 14, or since the first call in them (at least one
    day, so that a first hour does not count as a day's pace).  None without any call of known cost
    in that time.  Unknown costs are left out: say so where rows have them.  ``now`` is aware, in
    the user's time zone.
    """
    begin = month_start(now)
    rate_begin = now - RATE_DAYS * _ONE_DAY
    so_far = 0
    recent: list[UsageRow] = []
    for row in rows:
        if begin <= row.at <= now:
            so_far += row.cost.nano_usd or 0
        if rate_begin <= row.at <= now:
            recent.append(row)
    if all(row.cost.nano_usd is None for row in recent):
        return so_far or None  # a pace of unknown costs is unknown, not nothing
    # In UTC, because differences of local times ignore changes of the clock.
    present = now.astimezone(UTC)
    first = min(row.at for row in recent).astimezone(UTC)
    days = max(_ONE_DAY, present - first) / _ONE_DAY
    left = (_next_month(begin).astimezone(UTC) - present) / _ONE_DAY
    spent = sum(row.cost.nano_usd or 0 for row in recent)
    return so_far + round(spent / days * left)


def _next_month(begin: datetime) -> datetime:
    return month_start(begin.replace(day=28) + timedelta(days=4))
