"""The real clock."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta, tzinfo


class LocalZone(tzinfo):
    """The machine's own zone with its summer times, as the C library knows it."""

    def utcoffset(self, dt: datetime | None) -> timedelta:
        """The offset in force at that local time."""
        if dt is None:
            return timedelta(seconds=-time.timezone)
        stamp = time.mktime((dt.year, dt.month, dt.day, dt.hour, dt.minute, dt.second, 0, 0, -1))
        return timedelta(seconds=time.localtime(stamp).tm_gmtoff)

    def dst(self, dt: datetime | None) -> timedelta | None:  # noqa: ARG002 - tzinfo's signature
        """Not told apart from the offset."""
        return None

    def tzname(self, dt: datetime | None) -> str:
        """The zone's abbreviation."""
        return time.tzname[0] if dt is None else time.strftime("%Z", dt.timetuple())

    def fromutc(self, dt: datetime) -> datetime:
        """Local time of an instant."""
        stamp = dt.replace(tzinfo=UTC).timestamp()
        local = time.localtime(stamp)
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
