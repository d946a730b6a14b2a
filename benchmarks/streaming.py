"""A 20,000-token Markdown answer streamed into the app: processor time, and how late a key may be.

Four documents, each streamed at 100 chunks a second while a key is pressed twenty times a
second: into the real app over real services (only the engine's turns are played), and into the
transcript alone.  Both write all their escape sequences to a terminal that looks for the echo
of each key.  Beside them, Textual's own Markdown widget fed through its MarkdownStream with the
same document, cut to where it still finishes.

``slice`` is the longest stretch of work on the event loop in processor time, collections of
garbage included: what a key waits for on a machine that does nothing else.  The echo is told by
the clock, so it also counts what other programs take meanwhile.

    python -m benchmarks.streaming [--quick]
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input, Markdown

from aircher.tui import garbage
from aircher.tui.widgets.transcript import Transcript
from benchmarks.chat import paced, running
from benchmarks.documents import FULL, NAMES, chunks, document
from benchmarks.echo import SIZE, Terminal, shown
from benchmarks.slices import measured

CHUNKS_PER_SECOND = 100
QUICK_CHUNKS_PER_SECOND = 400
BESIDE = 6_000
"""Characters of a document that Textual's Markdown is given; its time grows with the square."""
UNIT = 20_000
KEYS_ALONE_S = 1.5
"""Seconds for which keys are pressed while nothing streams: twenty keys a second, each drawn, take
more of the processor than the answer does, and are left out of its figure."""


@dataclass(frozen=True)
class Row:
    """One document in one app.  Seconds; ``cpu`` per 20 kB, without what the keys take."""

    name: str
    app: str
    kilobytes: float
    cpu: float
    echo_median: float
    echo_99: float
    echo_worst: float
    slice_worst: float
    collection_worst: float
    load: float

    def __str__(self) -> str:
        kilobytes = f"{self.name:<8}{self.app:<12}{self.kilobytes:>5.0f}{self.cpu:>9.2f}"
        times = (
            self.echo_median,
            self.echo_99,
            self.echo_worst,
            self.slice_worst,
            self.collection_worst,
        )
        return kilobytes + "".join(f"{t * 1e3:>8.0f}" for t in times) + f"{self.load:>7.1f}"


HEAD = (
    f"{'':<8}{'':<12}{'':>5}{'cpu s':>9}{'echo ms':>8}{'':>8}{'':>8}{'slice':>8}{'garbage':>8}\n"
    f"{'document':<8}{'  app':<12}{'kB':>5}{'/20 kB':>9}{'median':>8}{'99 %':>8}{'worst':>8}"
    f"{'ms':>8}{'ms':>8}{'load':>7}"
)

Stream = Callable[[], Awaitable[None]]


async def timed(name: str, app: str, size: int, terminal: Terminal, stream: Stream) -> Row:
    """``stream`` of ``size`` characters, while keys are pressed."""
    with measured() as slices, terminal.typing():
        await asyncio.sleep(0.3)
        began, clock = time.thread_time(), time.perf_counter()
        await asyncio.sleep(KEYS_ALONE_S)
        keys = (time.thread_time() - began) / (time.perf_counter() - clock)
        began, clock = time.thread_time(), time.perf_counter()
        await stream()
        spent = time.thread_time() - began
        spent = max(0.0, spent - keys * (time.perf_counter() - clock))
        await asyncio.sleep(0.3)
    delays = sorted(terminal.delays)
    return Row(
        name,
        app,
        size / 1000,
        spent * UNIT / size,
        statistics.median(delays),
        delays[int(len(delays) * 0.99)],
        delays[-1],
        slices.worst,
        slices.worst_collection,
        os.getloadavg()[0],
    )


async def whole_app(name: str, text: str, per_second: float) -> Row:
    """The real app; the stretch ends when it is idle again and all is drawn."""
    async with running(chunks(text), per_second, SIZE) as (app, terminal, player):

        async def stream() -> None:
            app.submit("go on")
            await player.done.wait()
            while app.chat.busy:
                await asyncio.sleep(0.02)

        return await timed(name, "aircher", len(text), terminal, stream)


class TranscriptApp(App[None]):
    """The transcript alone, and a line to type in."""

    def compose(self) -> ComposeResult:
        yield Transcript()
        yield Input()


class MarkdownApp(App[None]):
    """Textual's Markdown alone, following its end, and a line to type in."""

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False) as scroll:
            scroll.anchor()
            yield Markdown(open_links=False)
        yield Input()


async def transcript_alone(name: str, text: str, per_second: float) -> Row:
    app = TranscriptApp()
    garbage.begin()
    try:
        async with shown(app, Input) as terminal:
            transcript = app.query_one(Transcript)
            transcript.add("assistant", "```python\nimport this\n```\n**a** https://a.invalid")
            garbage.spare()

            async def stream() -> None:
                key = transcript.begin("assistant")
                async for piece in paced(chunks(text), per_second):
                    transcript.append(key, piece)
                transcript.end(key, "done")

            return await timed(name, "transcript", len(text), terminal, stream)
    finally:
        garbage.end()


async def beside(name: str, text: str, per_second: float) -> Row:
    app = MarkdownApp()
    async with shown(app, Input) as terminal:

        async def stream() -> None:
            sink = Markdown.get_stream(app.query_one(Markdown))
            async for piece in paced(chunks(text), per_second):
                await sink.write(piece)
            await sink.stop()

        return await timed(name, "Markdown", len(text), terminal, stream)


def measure(name: str, size: int, compared: int, per_second: float) -> Sequence[Row]:
    """One document in all three, printed as they are measured."""
    text, short = document(name, size), document(name, compared)
    rows = []
    for run_one, given in ((whole_app, text), (transcript_alone, text), (beside, short)):
        row = asyncio.run(run_one(name, given, per_second))
        print(row, flush=True)
        rows.append(row)
    print(f"{'':<8}{rows[2].cpu / rows[0].cpu:.1f} times the processor time in Markdown, per 20 kB")
    return rows


def run(*, quick: bool = False) -> list[Row]:
    """All four documents; quick: less than a minute, 20 kB each, four times as fast."""
    print(HEAD)
    size, compared = (UNIT, 2_000) if quick else (FULL, BESIDE)
    pace = QUICK_CHUNKS_PER_SECOND if quick else CHUNKS_PER_SECOND
    return [row for name in NAMES for row in measure(name, size, compared, pace)]


if __name__ == "__main__":
    run(quick="--quick" in sys.argv[1:])
