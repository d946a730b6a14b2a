"""``python -m tests.support.shifted aircher WORDS``: the program with a wall clock that is wrong.

FAULT_SHIFT moves it by so many seconds; with FAULT_LEAP it leaps by so many more once FAULT_LEAP_AT
seconds of the run have passed.  Only the program's two clocks are moved: files and the kernel keep
the real time, as with a clock that was set while the machine was on.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime, timedelta

_BEGAN = time.monotonic()


def shifted(now: datetime) -> datetime:
    """The wrong time."""
    seconds = float(os.environ.get("FAULT_SHIFT", "0"))
    if time.monotonic() - _BEGAN > float(os.environ.get("FAULT_LEAP_AT", "1e9")):
        seconds += float(os.environ["FAULT_LEAP"])
    return now + timedelta(seconds=seconds)


def main() -> int:
    """The program, with its clocks moved."""
    from aircher import entry
    from aircher.bootstrap import clock
    from aircher.storage import times

    real = datetime
    clock.SystemClock.now = lambda _: shifted(real.now(UTC)).astimezone(clock.LOCAL)  # type: ignore[method-assign]  # the point
    times.SystemNow.now = lambda _: shifted(real.now(UTC))  # type: ignore[method-assign]  # the point
    sys.argv = sys.argv[1:]
    return entry.main()


if __name__ == "__main__":
    sys.exit(main())
