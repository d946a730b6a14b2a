"""Days and months in the user's time zone."""

from __future__ import annotations

import calendar
from datetime import datetime


def day_start(now: datetime) -> datetime:
    """Local midnight of ``now``'s day; right on days of 23 or 25 hours, as its zone knows them."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)


def month_start(now: datetime) -> datetime:
    """Local midnight of the first day of ``now``'s month."""
    return day_start(now).replace(day=1)


def month_share(now: datetime) -> float:
    """How much of the month is over, 0..1; never 0, so that it may divide."""
    days = calendar.monthrange(now.year, now.month)[1]
    seconds = (now.day - 1) * 86_400 + now.hour * 3_600 + now.minute * 60 + now.second
    return max(seconds, 1) / (days * 86_400)
