"""How long the transcript may work before keys get their turn."""

from __future__ import annotations

import time

SLICE_S = 0.012
"""Seconds of processor time that reading or laying out may take at a stretch.  What is left goes
on after keys and paintings had theirs: with the painting that follows, a slice stays far below
the 100 ms after which an echo feels late."""

LEAST_LINES = 40
"""Lines that are read however long it takes, so that a short text is always whole at once."""

LEAST_BLOCKS = 40
"""Blocks that are laid out however long it takes."""


class Budget:
    """Processor time of this thread, to be spent by whoever is given it."""

    __slots__ = ("_until",)

    def __init__(self, seconds: float = SLICE_S) -> None:
        self._until = time.thread_time() + seconds

    @property
    def spent(self) -> bool:
        """True when it is used up."""
        return time.thread_time() >= self._until


ENDLESS = Budget(float("inf"))
"""For those who wait for the whole."""
