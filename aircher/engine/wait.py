"""A wait that a key can end."""

from __future__ import annotations

import asyncio

from aircher.domain.ports import Clock


class Wait:
    """Waits by the given clock until the time is over or ``skip`` is called."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._skipped = asyncio.Event()

    def skip(self) -> None:
        """Ends the present wait, if there is one."""
        self._skipped.set()

    async def seconds(self, seconds: float) -> None:
        """Returns after that long, or as soon as it is skipped."""
        self._skipped.clear()
        tasks = [
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._skipped.wait()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
