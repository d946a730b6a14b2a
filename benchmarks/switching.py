"""What a switch to the next model adds: from one model's failure to the next one's call."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aircher.bootstrap.detection import load_detector
from aircher.domain.chat import ChatRequest, Chunk, Finish, TextDelta, UsageReport
from aircher.domain.errors import ContentFiltered
from aircher.domain.routes import Rules
from aircher.domain.settings import Limit, Settings
from aircher.domain.turns import TurnRequest
from aircher.domain.usage import Tokens
from aircher.engine.turn import Engine
from benchmarks.turn import PROMPT, Instant, ports

PART = "The function reads its file line by line, so that " * 40


class Failing(Instant):
    """Fails, after a part of an answer or before its first word."""

    def __init__(self, part: str) -> None:
        self.part = part
        self.failed = 0.0

    async def stream(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        if self.part:
            yield TextDelta(self.part)
        self.failed = time.perf_counter()
        # A failure that no breaker counts: each turn begins with this model again.
        raise ContentFiltered("no", provider="openai")


class Taking(Instant):
    """Answers, and notes when it was asked."""

    name = "claude"
    asked = 0.0

    async def stream(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        self.asked = time.perf_counter()
        yield TextDelta("the rest.")
        yield UsageReport(Tokens(input=200, output=3))
        yield Finish("stop", "complete")


class Two:
    names = ("openai", "claude")

    def __init__(self, part: str) -> None:
        self.made: dict[str, Any] = {"openai": Failing(part), "claude": Taking()}

    async def get(self, name: str) -> Any:
        return self.made[name]

    async def aclose(self) -> None:
        pass


async def measure(part: str, count: int) -> list[float]:
    """Seconds per switch; money is held, the session written, the ledger settled in each."""
    rules = Rules(("openai", "claude"), {"openai": "gpt-5-nano", "claude": "claude-haiku-4-5"})
    settings = Settings(rules, limits=(Limit("costs.daily_limit", "day", 10**12),))
    with tempfile.TemporaryDirectory() as folder:
        two = Two(part)
        runner = Engine(ports(Path(folder), settings, two, load_detector()))
        times = []
        for _ in range(count + 20):
            async for _event in runner.turn(TurnRequest(PROMPT)):
                pass
            times.append(two.made["claude"].asked - two.made["openai"].failed)
        return times[20:]


def run(*, quick: bool = False) -> dict[str, float]:
    os.environ["AIRCHER_DISCOVER"] = "false"
    found = {}
    for name, part in (("before the first word", ""), ("in mid-answer", PART)):
        times = sorted(asyncio.run(measure(part, 100 if quick else 1000)))
        p50, p99 = statistics.median(times) * 1e3, times[int(len(times) * 0.99)] * 1e3
        print(f"a switch {name:<22} p50 {p50:.2f} ms   p99 {p99:.2f} ms")
        found[name] = p50
    return found
