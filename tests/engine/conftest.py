"""An engine over the real database, with scripted providers, a table of prices and a fake clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aircher.bootstrap.detection import load_detector
from aircher.domain.events import Event
from aircher.domain.routes import Rules
from aircher.domain.settings import Settings
from aircher.domain.turns import TurnRequest
from aircher.engine.gate import Gate
from aircher.engine.guard import Guard
from aircher.engine.health import PassiveHealth
from aircher.engine.ports import EnginePorts
from aircher.engine.turn import Engine
from aircher.storage.database import Database
from tests.support.chat import PlainWorkspace, ScriptedProvider, ScriptedProviders, TableCatalog
from tests.support.clock import FakeClock
from tests.support.guard import guarding

DETECTOR = load_detector()


@dataclass
class Bench:
    """An engine and all that it stands on."""

    engine: Engine
    ports: EnginePorts
    database: Database
    clock: FakeClock

    def request(self, text: str, **more: object) -> TurnRequest:
        return TurnRequest(text, **more)  # type: ignore[arg-type] - test shorthand

    async def turn(self, text: str, **more: object) -> list[Event]:
        request = TurnRequest(text, **more)  # type: ignore[arg-type] - test shorthand
        return [event async for event in self.engine.turn(request)]


Build = Callable[..., Bench]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """build(provider, ..., catalog=..., **settings) -> Bench; providers stand in their order."""
    opened: list[Database] = []

    def make(
        *providers: ScriptedProvider,
        catalog: TableCatalog | None = None,
        rules: Rules | None = None,
        state: PlainWorkspace | None = None,
        guard: Guard | None = None,
        file: str = "aircher.db",
        **settings: object,
    ) -> Bench:
        clock = FakeClock()
        database = Database.open(tmp_path / file, clock)
        opened.append(database)
        names = tuple(provider.name for provider in providers)
        rules = rules or Rules(order=names, models={name: f"{name}-model" for name in names})
        chosen = Settings(rules=rules, **settings)  # type: ignore[arg-type] - test shorthand
        prices = {f"{name}-model": 1 for name in names}
        health = PassiveHealth(rules, clock, database.health)
        ports = EnginePorts(
            settings=chosen,
            detector=DETECTOR,
            providers=ScriptedProviders(*providers),
            catalog=catalog or TableCatalog(prices),
            ledger=database.ledger,
            sessions=database.sessions,
            corrections=database.corrections,
            workspace=state or PlainWorkspace(),
            health=health,
            gate=Gate(health, database.rates, clock, chosen.rates),
            guard=guard or guarding(chosen),
            clock=clock,
            roll=lambda: 1.0,
        )
        return Bench(Engine(ports), ports, database, clock)

    yield make
    for database in opened:
        database.close()
