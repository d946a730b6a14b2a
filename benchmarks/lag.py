"""Ten megabytes pasted, attached and answered: how late the event loop gets round to a key.

The real app over real services; only the engine's turns are played.  A clock on the loop wants
to be called every 5 ms; by how much it is late is the lag, told as median, 99th percentile and
worst, by the clock and (the longest slice of work) in processor time.

    python -m benchmarks.lag [--quick]
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from textual import events

from aircher.tui.app import AircherApp
from benchmarks.chat import Player, running
from benchmarks.documents import FULL, document
from benchmarks.slices import measured

TICK_S = 0.005
WATCHED_S = 6.0
SIZE = (120, 36)


@dataclass(frozen=True)
class Row:
    """Milliseconds; ``slice_ms`` is processor time, the rest the clock's."""

    name: str
    p50: float
    p99: float
    worst: float
    slice_ms: float


@asynccontextmanager
async def lags() -> AsyncIterator[list[float]]:
    """How late each tick of a clock on this loop was, in milliseconds."""
    late: list[float] = []

    async def tick() -> None:
        while True:
            wanted = time.perf_counter() + TICK_S
            await asyncio.sleep(TICK_S)
            late.append(max(0.0, time.perf_counter() - wanted) * 1e3)

    clock = asyncio.create_task(tick())
    try:
        yield late
    finally:
        clock.cancel()


async def _paste(app: AircherApp, player: Player, size: int) -> None:
    app.prompt.post_message(events.Paste(_text(size)))
    await _until(lambda: bool(app.prompt.text))
    await asyncio.sleep(0.5)
    await _send(app, player)


async def _file(app: AircherApp, player: Player, size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "big.txt"
        path.write_text(_text(size))
        app.prompt.put(f"read @{path} ")
        await asyncio.sleep(0.5)
        await _send(app, player)


async def _answer(app: AircherApp, player: Player, size: int) -> None:
    del size
    app.prompt.put("go")
    await _send(app, player)


async def _send(app: AircherApp, player: Player) -> None:
    player.done.clear()
    began = time.perf_counter()
    app.prompt.post_message(events.Key("enter", None))
    await player.done.wait()
    # A user goes on using the app: the figures are those of at least so long.
    await asyncio.sleep(max(1.0, WATCHED_S - (time.perf_counter() - began)))


async def _until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.01)


def _text(size: int) -> str:
    line = "2026-11-21 12:00:00 INFO something happened in the middle of the night\n"
    return (line * (size // len(line) + 1))[:size]


CASES: dict[str, Callable[[AircherApp, Player, int], Awaitable[None]]] = {
    "paste": _paste,
    "file": _file,
    "answer": _answer,
}


async def measure(name: str, size: int) -> Row:
    """One case in an app of its own."""
    pieces = ["fine"]
    if name == "answer":
        whole = document("list", size) if size < FULL else document("list") * (size // FULL + 1)
        pieces = [whole[at : at + 2000] for at in range(0, size, 2000)]
    async with running(pieces, 0, SIZE) as (app, _, player), lags() as late:
        with measured() as slices:
            await CASES[name](app, player, size)
    ranked = sorted(late)
    return Row(
        name,
        statistics.median(ranked),
        ranked[int(len(ranked) * 0.99)],
        ranked[-1],
        slices.worst * 1e3,
    )


def run(*, quick: bool = False) -> None:
    """Prints the table."""
    size = 1_000_000 if quick else 10_000_000
    print(f"{size / 1e6:.0f} MB    lag p50     p99   worst   longest slice (CPU)   ms")
    for name in CASES:
        row = asyncio.run(measure(name, size))
        print(
            f"{row.name:<8}{row.p50:9.1f}{row.p99:8.1f}{row.worst:8.1f}{row.slice_ms:14.1f}",
            flush=True,
        )


if __name__ == "__main__":
    run(quick="--quick" in sys.argv[1:])
