"""The real clock."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

_DAY_S = 24 * 60 * 60


def _local(stamp: float) -> time.struct_time:
    """The machine's local time; UTC where TZ names an offset that no place on earth has."""
    local = time.localtime(stamp)
    return local if abs(local.tm_gmtoff) < _DAY_S else time.gmtime(stamp)


@lru_cache(maxsize=64)
def _offset(year: int, month: int, day: int, hour: int, minute: int) -> timedelta:
    """Asked several times a turn, for the same minute."""
    stamp = time.mktime((year, month, day, hour, minute, 0, 0, 0, -1))
    return timedelta(seconds=_local(stamp).tm_gmtoff)


class LocalZone(tzinfo):
    """The machine's own zone with its summer times, as the C library knows it."""

    def utcoffset(self, dt: datetime | None) -> timedelta:
        """The offset in force at that local time."""
        if dt is None:
            return timedelta(seconds=_local(time.time()).tm_gmtoff)
        return _offset(dt.year, dt.month, dt.day, dt.hour, dt.minute)

    def dst(self, dt: datetime | None) -> timedelta | None:  # noqa: ARG002 - tzinfo's signature
        """Not told apart from the offset."""
        return None

    def tzname(self, dt: datetime | None) -> str:
        """The zone's abbreviation."""
        return time.tzname[0] if dt is None else time.strftime("%Z", dt.timetuple())

    def fromutc(self, dt: datetime) -> datetime:
        """Local time of an instant."""
        stamp = dt.replace(tzinfo=UTC).timestamp()
        local = _local(stamp)
        return datetime(*local[:6], dt.microsecond, tzinfo=self)


LOCAL = LocalZone()


class SystemClock:
    """Wall clock in the user's zone, a monotonic clock, and sleep."""

    def now(self) -> datetime:
        """Now, aware, in the machine's zone."""
        return datetime.now(LOCAL)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds)
