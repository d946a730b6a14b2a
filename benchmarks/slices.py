"""How long the event loop works at a stretch, in processor time of its thread.

A key waits for the slice of work under way.  On a shared machine the clock also counts what
other programs do meanwhile; the thread's own processor time does not.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Slices:
    """Processor seconds of each callback that the loop ran, and of each garbage collection."""

    work: list[float] = field(default_factory=list)
    collections: list[float] = field(default_factory=list)

    @property
    def worst(self) -> float:
        """The longest slice, 0 if there was none; collections that ran within it count."""
        return max(self.work, default=0.0)

    @property
    def worst_collection(self) -> float:
        return max(self.collections, default=0.0)


@contextmanager
def measured() -> Iterator[Slices]:
    """Measures every callback that any loop of this thread runs meanwhile."""
    slices = Slices()
    now = time.thread_time
    run = asyncio.Handle._run
    began = 0.0

    def timed(handle: asyncio.Handle) -> None:
        start = now()
        run(handle)
        slices.work.append(now() - start)

    def collected(phase: str, _: dict[str, int]) -> None:
        nonlocal began
        if phase == "start":
            began = now()
        else:
            slices.collections.append(now() - began)

    asyncio.Handle._run = timed  # type: ignore[method-assign]
    gc.callbacks.append(collected)
    try:
        yield slices
    finally:
        asyncio.Handle._run = run  # type: ignore[method-assign]
        gc.callbacks.remove(collected)
