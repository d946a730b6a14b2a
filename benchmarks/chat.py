"""The real app over real services, with an engine that plays a document as its answer."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from aircher.bootstrap.compose import open_services
from aircher.bootstrap.services import Services
from aircher.domain import events as ev
from aircher.domain.chat import TextDelta
from aircher.domain.models import ModelRef
from aircher.domain.tasks import Detection
from aircher.domain.turns import TurnRequest
from aircher.domain.usage import UNKNOWN_COST, Tokens
from aircher.tui.app import AircherApp
from benchmarks.echo import Terminal, terminal_of
from benchmarks.timing import environment

REF = ModelRef("openai", "gpt-5-nano")


async def paced(pieces: Sequence[str], per_second: float) -> AsyncIterator[str]:
    """The pieces at their pace; late ones follow at once, as from a socket."""
    began = time.perf_counter()
    for number, piece in enumerate(pieces):
        ahead = began + number / per_second - time.perf_counter() if per_second else 0.0
        if ahead > 0 or number % 8 == 0:
            await asyncio.sleep(max(0.0, ahead))
        yield piece


class Player:
    """Answers every turn with ``pieces``; all else is the real engine's."""

    def __init__(self, engine: Any, pieces: Sequence[str], per_second: float) -> None:
        self._engine = engine
        self._pieces = pieces
        self._per_second = per_second
        self.done = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def turn(self, request: TurnRequest) -> AsyncGenerator[ev.Event, None]:
        yield ev.Detected(Detection("default", 0.9))
        yield ev.Started(REF, 1, "", 0)
        async for piece in paced(self._pieces, self._per_second):
            yield TextDelta(piece)
        text = "".join(self._pieces)
        tokens = Tokens(input=100, output=len(text) // 4)
        yield ev.Finished(ev.TurnResult("", "default", REF, text, tokens=tokens, cost=UNKNOWN_COST))
        self.done.set()


@asynccontextmanager
async def running(
    pieces: Sequence[str], per_second: float, size: tuple[int, int]
) -> AsyncIterator[tuple[AircherApp, Terminal, Player]]:
    """The app in a terminal that only measures, ready to be asked; nothing is read from HOME."""
    for name in list(os.environ):
        if name.endswith("_API_KEY") or name.startswith(("AIRCHER_", "XDG_")):
            del os.environ[name]
    os.environ |= {**environment(), "OPENAI_API_KEY": "k"}
    players: list[Player] = []

    def services() -> Services:
        real = open_services()
        players.append(Player(real.engine, pieces, per_second))
        return replace(real, engine=players[0])  # type: ignore[arg-type]  # a stand-in

    app = AircherApp(services)
    app.driver_class = Terminal
    alive = asyncio.create_task(app.run_async(size=size))
    while app.services is None:
        await asyncio.sleep(0.05)
    while any(not worker.is_finished for worker in app.workers if worker.group == "warm-up"):
        await asyncio.sleep(0.05)
    try:
        with app._context():
            yield app, terminal_of(app), players[0]
    finally:
        app.exit(0)
        await alive
