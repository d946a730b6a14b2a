"""A 20,000-token answer streamed into the app: processor time and how late a key may be.

Four documents, each streamed at about 100 chunks a second into a real (headless) app while a
key is pressed twenty times a second.  Beside each, Textual's own Markdown widget fed through
its MarkdownStream in the same way, with the same document cut to where it still finishes; the
ratio compares processor seconds per 20 kB.

    python -m benchmarks.streaming [--quick]
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from textual import events
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Markdown

from aircher.tui.widgets.transcript import Transcript
from benchmarks.documents import FULL, NAMES, chunks, document

CHUNKS_PER_SECOND = 100
KEY_EVERY = 0.05
SIZE = (120, 36)
BESIDE = 6_000
"""Characters of a document that Textual's Markdown is given; its time grows with the square."""
UNIT = 20_000


class Row(NamedTuple):
    """One document: seconds of the processor per 20 kB, and seconds that keys waited."""

    name: str
    kilobytes: float
    cpu_per_20kb: float
    key_median: float
    key_99: float
    key_worst: float
    beside_per_20kb: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times more processor Textual's Markdown takes."""
        return None if self.beside_per_20kb is None else self.beside_per_20kb / self.cpu_per_20kb


class KeyTimer(App[None]):
    """Measures how long keys wait: from when they are pressed, busy loop or not, to their handler."""

    def __init__(self) -> None:
        super().__init__()
        self.pressed: list[float] = []
        self.delays: list[float] = []

    def on_key(self, event: events.Key) -> None:
        if event.key == "x":
            self.delays.append(time.perf_counter() - self.pressed[len(self.delays)])

    async def press_keys(self) -> None:
        """Post a key twenty times a second until cancelled."""
        due = time.perf_counter()
        while True:
            due += KEY_EVERY
            await asyncio.sleep(max(0, due - time.perf_counter()))
            self.pressed.append(due)
            self.post_message(events.Key("x", "x"))


class OurApp(KeyTimer):
    """The transcript alone."""

    def compose(self) -> ComposeResult:
        yield Transcript()


class MarkdownApp(KeyTimer):
    """Textual's Markdown alone, following its end."""

    def compose(self) -> ComposeResult:
        with VerticalScroll() as scroll:
            scroll.anchor()
            yield Markdown(open_links=False)


async def _feed(pieces: list[str], write: Callable[[str], Awaitable[None]]) -> None:
    """Write the pieces at their pace; late ones follow at once, as from a socket."""
    began = time.perf_counter()
    for number, piece in enumerate(pieces):
        ahead = began + number / CHUNKS_PER_SECOND - time.perf_counter()
        if ahead > 0:
            await asyncio.sleep(ahead)
        elif number % 8 == 0:
            await asyncio.sleep(0)
        await write(piece)


async def _timed(
    app: KeyTimer, stream: Callable[[], Awaitable[None]], warm: Callable[[], Awaitable[None]]
) -> float:
    """Processor seconds that ``stream`` takes in the running ``app``."""
    await warm()
    await asyncio.sleep(0.2)
    keys = asyncio.create_task(app.press_keys())
    began = time.process_time()
    await stream()
    spent = time.process_time() - began
    await asyncio.sleep(2 * KEY_EVERY)
    keys.cancel()
    return spent


async def ours(text: str) -> tuple[float, list[float]]:
    """Processor seconds and key delays of streaming ``text`` into the transcript."""
    app = OurApp()
    async with app.run_test(size=SIZE) as pilot:
        transcript = app.query_one(Transcript)

        async def write(piece: str) -> None:
            transcript.append(key, piece)

        async def warm() -> None:
            transcript.add(
                "assistant", "```python\nimport this\n```\n**warm** https://example.invalid"
            )
            await pilot.pause()

        async def stream() -> None:
            await _feed(chunks(text), write)
            transcript.end(key, "done")
            await pilot.pause()

        key = transcript.begin("assistant")
        spent = await _timed(app, stream, warm)
    return spent, app.delays


async def beside(text: str) -> float:
    """Processor seconds of streaming ``text`` through Textual's MarkdownStream."""
    app = MarkdownApp()
    async with app.run_test(size=SIZE) as pilot:
        markdown = app.query_one(Markdown)
        sink = Markdown.get_stream(markdown)

        async def warm() -> None:
            await pilot.pause()

        async def stream() -> None:
            await _feed(chunks(text), sink.write)
            await sink.stop()
            await pilot.pause()

        return await _timed(app, stream, warm)


def measure(name: str, size: int = FULL, compared: int = BESIDE) -> Row:
    """One document."""
    text = document(name, size)
    spent, delays = asyncio.run(ours(text))
    other = document(name, compared)
    theirs = asyncio.run(beside(other)) * UNIT / len(other) if compared else None
    return Row(
        name,
        len(text) / 1000,
        spent * UNIT / len(text),
        statistics.median(delays),
        statistics.quantiles(delays, n=100)[98],
        max(delays),
        theirs,
    )


def run(*, quick: bool = False) -> list[Row]:
    """All four documents, printed as they are measured."""
    print(
        f"{'document':<10}{'kB':>6}{'cpu s / 20 kB':>15}{'key median':>12}{'99 %':>9}{'worst':>9}",
        end="",
    )
    print(f"{'Markdown, cut':>15}{'ratio':>8}")
    rows = []
    for name in NAMES:
        row = measure(name, 20_000 if quick else FULL, 3_000 if quick else BESIDE)
        rows.append(row)
        print(
            f"{row.name:<10}{row.kilobytes:>6.0f}{row.cpu_per_20kb:>15.2f}"
            f"{row.key_median * 1e3:>9.1f} ms{row.key_99 * 1e3:>6.1f} ms{row.key_worst * 1e3:>6.1f} ms"
            f"{row.beside_per_20kb or 0:>15.2f}{row.ratio or 0:>7.1f}x"
        )
    return rows


if __name__ == "__main__":
    run(quick="--quick" in sys.argv[1:])
