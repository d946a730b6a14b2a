"""A conversation of 1,000 messages: open it, scroll it, add to it, and what it weighs.

Times are processor time of the event loop's thread, escape sequences included, under the app's
own rules for garbage; ``clock`` is the worst by the clock, on a machine that others use too.

    python -m benchmarks.transcript [--quick]
"""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from textual.app import App, ComposeResult

from aircher.tui import garbage
from aircher.tui.widgets.transcript import Entry, Transcript
from benchmarks.documents import conversation
from benchmarks.echo import shown


class Row(NamedTuple):
    """One quantity: median and worst, in ``unit``; ``clock`` is the worst in wall time."""

    name: str
    median: float
    worst: float
    unit: str
    clock: float | None = None


class Times:
    """Processor and wall milliseconds of some steps."""

    def __init__(self) -> None:
        self.work: list[float] = []
        self.clock: list[float] = []

    @contextmanager
    def step(self) -> Iterator[None]:
        work, clock = time.thread_time(), time.perf_counter()
        yield
        self.work.append((time.thread_time() - work) * 1e3)
        self.clock.append((time.perf_counter() - clock) * 1e3)

    def row(self, name: str) -> Row:
        return Row(name, statistics.median(self.work), max(self.work), "ms", max(self.clock))


class _App(App[None]):
    def compose(self) -> ComposeResult:
        yield Transcript()


async def _painted(app: App[None]) -> None:
    """Wait until what changed has been drawn."""
    done = asyncio.Event()
    app.call_after_refresh(done.set)
    await done.wait()


async def _measure(count: int, steps: int) -> list[Row]:
    entries = [Entry(role, text, footer="gpt-5 · 1.2 s") for role, text in conversation(count)]
    opened, scrolled, jumped, appended = Times(), Times(), Times(), Times()
    app = _App()
    garbage.begin()
    async with shown(app, Transcript):
        transcript = app.query_one(Transcript)
        transcript.load(entries[:10])
        await _painted(app)
        garbage.spare()

        for _ in range(3):
            with opened.step():
                transcript.load(entries)
                await _painted(app)
        rendered = float(transcript.rendered)

        for _ in range(steps):
            with scrolled.step():
                transcript.scroll_relative(y=-30, animate=False)
                await _painted(app)

        for number in range(steps):
            with jumped.step():
                share = (number * 37 % 100) / 100
                transcript.scroll_to(y=transcript.max_scroll_y * share, animate=False)
                await _painted(app)

        transcript.follow()
        for _ in range(50):
            with appended.step():
                transcript.add("user", "One more question.")
        await _painted(app)

        gc.collect()
        tracemalloc.start()
        transcript.load(entries)
        await _painted(app)
        weight = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
    garbage.end()
    return [
        opened.row("open"),
        scrolled.row("scroll step"),
        jumped.row("jump"),
        appended.row("append"),
        Row("messages laid out", rendered, rendered, ""),
        Row("memory", weight / 1e6, weight / 1e6, "MB"),
    ]


def run(*, quick: bool = False) -> list[Row]:
    """Measure and print: 1,000 messages beside 10, as the floor."""
    count = 200 if quick else 1000
    rows = asyncio.run(_measure(count, 20 if quick else 100))
    floor = {row.name: row for row in asyncio.run(_measure(10, 20))}
    head = f"{f'{count:,} messages':<20}{'median':>10}{'worst':>10}{'':4}{'clock':>10}"
    print(f"{head}{'x 10 messages':>14}   load {os.getloadavg()[0]:.1f}")
    for row in rows:
        base = floor[row.name].median
        # Ten messages leave nothing to scroll.
        ratio = "-" if row.name in {"scroll step", "jump"} else f"{row.median / base:.1f}x"
        clock = f"{row.clock:>9.2f}" if row.clock is not None else " " * 9
        print(
            f"{row.name:<20}{row.median:>10.2f}{row.worst:>10.2f} {row.unit:<4}{clock}{ratio:>14}"
        )
    return rows


if __name__ == "__main__":
    run(quick="--quick" in sys.argv[1:])
