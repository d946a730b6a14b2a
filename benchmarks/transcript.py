"""A conversation of 1,000 messages: open it, scroll it, add to it, and what it weighs.

python -m benchmarks.transcript [--quick]
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import time
import tracemalloc
from typing import NamedTuple

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from aircher.tui.widgets.transcript import Entry, Transcript
from benchmarks.documents import conversation

SIZE = (120, 36)


class Row(NamedTuple):
    """One quantity: median and worst, in ``unit``."""

    name: str
    median: float
    worst: float
    unit: str


class _App(App[None]):
    def compose(self) -> ComposeResult:
        yield Transcript()


async def _painted(pilot: Pilot[None]) -> None:
    """Wait until what changed has been drawn."""
    done = asyncio.Event()
    pilot.app.call_after_refresh(done.set)
    await done.wait()


async def _measure(count: int, steps: int) -> list[Row]:
    entries = [Entry(role, text, footer="gpt-5 · 1.2 s") for role, text in conversation(count)]
    app = _App()
    async with app.run_test(size=SIZE) as pilot:
        transcript = app.query_one(Transcript)
        transcript.load(entries[:10])
        await _painted(pilot)

        opened = []
        for _ in range(3):
            began = time.perf_counter()
            transcript.load(entries)
            await _painted(pilot)
            opened.append(time.perf_counter() - began)
        rendered = float(transcript.rendered)

        scrolled = []
        for _ in range(steps):
            began = time.perf_counter()
            transcript.scroll_relative(y=-30, animate=False)
            await _painted(pilot)
            scrolled.append(time.perf_counter() - began)

        transcript.follow()
        appended = []
        for _ in range(50):
            began = time.perf_counter()
            transcript.add("user", "One more question.")
            appended.append(time.perf_counter() - began)
        await _painted(pilot)

        gc.collect()
        tracemalloc.start()
        transcript.load(entries)
        await _painted(pilot)
        weight = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
    return [
        Row("open", statistics.median(opened) * 1e3, max(opened) * 1e3, "ms"),
        Row("scroll step", statistics.median(scrolled) * 1e3, max(scrolled) * 1e3, "ms"),
        Row("append", statistics.median(appended) * 1e3, max(appended) * 1e3, "ms"),
        Row("messages laid out", rendered, rendered, ""),
        Row("memory", weight / 1e6, weight / 1e6, "MB"),
    ]


def run(*, quick: bool = False) -> list[Row]:
    """Measure and print: 1,000 messages beside 10, as the floor."""
    count = 200 if quick else 1000
    rows = asyncio.run(_measure(count, 20 if quick else 100))
    floor = {row.name: row for row in asyncio.run(_measure(10, 20))}
    print(f"{f'{count:,} messages':<20}{'median':>10}{'worst':>10}{'':4}{'x 10 messages':>14}")
    for row in rows:
        base = floor[row.name].median
        # Ten messages leave nothing to scroll.
        ratio = "-" if row.name == "scroll step" else f"{row.median / base:.1f}x"
        print(f"{row.name:<20}{row.median:>10.2f}{row.worst:>10.2f} {row.unit:<4}{ratio:>13}")
    return rows


if __name__ == "__main__":
    run(quick="--quick" in sys.argv[1:])
