"""What Aircher adds to a turn, without network: detect, route, price, reserve, record."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from aircher.bootstrap.clock import SystemClock
from aircher.bootstrap.detection import load_detector
from aircher.bootstrap.guarding import load_guard_rules
from aircher.catalog.catalog import ModelCatalog
from aircher.domain.chat import ChatRequest, Chunk, Finish, TextDelta, UsageReport
from aircher.domain.models import ListedModel
from aircher.domain.routes import Rules
from aircher.domain.settings import Limit, Settings
from aircher.domain.turns import TurnRequest
from aircher.domain.usage import Tokens
from aircher.engine.gate import Gate
from aircher.engine.guard import Guard
from aircher.engine.health import PassiveHealth
from aircher.engine.ports import EnginePorts
from aircher.engine.turn import Engine
from aircher.policy.detect import Detector
from aircher.policy.guard import GuardPolicy
from aircher.storage.database import Database
from aircher.workspace.folder import Folder

PROMPT = "Please refactor this function so that it reads its file line by line:\n\n" + (
    "def total(path):\n    return sum(int(line) for line in open(path).read().split())\n" * 5
)


class Instant:
    """A provider that answers at once."""

    name = "openai"
    features = frozenset({"streaming"})

    async def stream(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        yield TextDelta("Done.")
        yield UsageReport(Tokens(input=200, output=3))
        yield Finish("stop", "complete")

    async def models(self) -> Sequence[ListedModel]:
        return ()

    async def count_tokens(self, request: ChatRequest) -> int | None:
        return None

    async def aclose(self) -> None:
        pass


class One:
    names = ("openai",)

    async def get(self, name: str) -> Instant:
        return Instant()

    async def aclose(self) -> None:
        pass


def ports(folder: Path, settings: Settings, providers: Any, detector: Detector) -> EnginePorts:
    """The real parts, but for the providers."""
    clock = SystemClock()
    database = Database.open(folder / "bench.db", clock)
    rules = settings.rules
    catalog = ModelCatalog(providers=rules.order, cache_folder=folder / "cache")
    catalog.warm()
    health = PassiveHealth(rules, clock, database.health)
    gate = Gate(health, database.rates, clock, {})
    return EnginePorts(
        settings, detector, providers, catalog, database.ledger, database.sessions,
        database.corrections, Folder(folder), health, gate,
        Guard(load_guard_rules, GuardPolicy(), local=lambda _: False, ignored=lambda _: False),
        clock, lambda: 0.5,
    )  # fmt: skip


def engine(folder: Path) -> Engine:
    rules = Rules(("openai",), {"openai": "gpt-5-nano"})
    settings = Settings(rules, limits=(Limit("costs.daily_limit", "day", 10**12),))
    return Engine(ports(folder, settings, One(), load_detector()))


async def measure(count: int) -> list[float]:
    """Seconds per turn; a new session every ten turns, as people have."""
    with tempfile.TemporaryDirectory() as folder:
        runner = engine(Path(folder))
        times = []
        session = ""
        for number in range(count + 20):
            if number % 10 == 0:
                session = ""
            started = time.perf_counter()
            async for event in runner.turn(TurnRequest(PROMPT, session_id=session)):
                session = getattr(event, "session_id", session)
            times.append(time.perf_counter() - started)
        return times[20:]


def run(*, quick: bool = False) -> tuple[float, float]:
    os.environ["AIRCHER_DISCOVER"] = "false"
    times = sorted(asyncio.run(measure(200 if quick else 2000)))
    p50, p99 = statistics.median(times) * 1e3, times[int(len(times) * 0.99)] * 1e3
    floor = sorted(asyncio.run(_floor(2000)))
    base = statistics.median(floor) * 1e3
    print(f"a turn, no network      p50 {p50:.2f} ms   p99 {p99:.2f} ms")
    print(f"the bare stream         p50 {base:.3f} ms   a turn adds {p50 - base:.2f} ms")
    return p50, p99


async def _floor(count: int) -> list[float]:
    times = []
    for _ in range(count):
        started = time.perf_counter()
        async for _chunk in Instant().stream(ChatRequest("m", ())):
            pass
        times.append(time.perf_counter() - started)
    return times


if __name__ == "__main__":
    run()
