"""The budget proof: no attempt, crash, fallback or cancelled stream gets past a hard cap.

For each seed four processes run turns of the real engine over one data file: 1,000 attempts in
all, two providers of two prices, answers that end well, that break off in the middle (so that
the other provider takes over), that are refused, that the user stops, and that go silent.
Meanwhile a process is killed with SIGKILL again and again and another one goes on in its place.

The providers keep a bill of their own, as vendors do: the prompt once a call is accepted, and
every token that leaves them, whether anybody still reads it or not.  It is written before the
token is given away, to a file that the engine knows nothing of.  At every look, and at the end,

- what is spent and held by the ledger must not be above the cap,
- nor must be what the providers billed.

    python -m benchmarks.budget [--seeds 100] [--attempts 1000] [--processes 4]
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from multiprocessing.process import BaseProcess
from pathlib import Path

from aircher.bootstrap.clock import SystemClock
from aircher.bootstrap.detection import load_detector
from aircher.bootstrap.guarding import load_guard_rules
from aircher.catalog.catalog import ModelCatalog
from aircher.catalog.facts import CustomModel
from aircher.domain.budget import Cap, CapState
from aircher.domain.chat import ChatRequest, Chunk, Finish, TextDelta, UsageReport
from aircher.domain.errors import Overloaded, TimedOut
from aircher.domain.events import Event, Failed, FallingBack, Finished
from aircher.domain.models import ListedModel, ModelRef
from aircher.domain.routes import Rules, Wish
from aircher.domain.settings import CallSettings, Limit, RetrySettings, Settings, SpendSettings
from aircher.domain.turns import TurnRequest
from aircher.domain.usage import Tokens
from aircher.engine.gate import Gate
from aircher.engine.guard import Guard
from aircher.engine.health import PassiveHealth
from aircher.engine.ports import EnginePorts
from aircher.engine.turn import Engine
from aircher.policy.guard import GuardPolicy
from aircher.policy.windows import month_start
from aircher.storage.database import Database
from aircher.workspace.folder import Folder

NANO_IN, NANO_OUT = 1_000, 2_000
"""The cheaper model's prices per token; the other's are three times as high."""
LONGEST = 400
AT_ONCE = 25
"""Turns under way at the same time in each process."""
TOKEN_S = 0.002
KILLS = 6
ENDS = ("whole", "whole", "whole", "broken", "refused", "stopped", "silent")


class Bill:
    """What a provider will charge: one line for each amount, at once, in an append-only file."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def add(self, nano: int) -> None:
        os.write(self._file, b"%d\n" % nano)

    @staticmethod
    def total(path: Path) -> int:
        return sum(map(int, path.read_text().split())) if path.exists() else 0


@dataclass
class Vendor:
    """One provider; ``times`` is how much dearer than the cheapest it is."""

    name: str
    times: int
    bill: Bill
    draw: random.Random
    features: frozenset[str] = frozenset({"streaming"})

    async def stream(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        end = self.draw.choice(ENDS)
        if end == "refused":
            raise Overloaded("busy", provider=self.name, model=request.model)
        prompt = sum(len(message.text.split()) + 4 for message in request.messages) + 3
        self.bill.add(prompt * NANO_IN * self.times)
        if end == "silent":
            # It works on, unheard, up to the longest answer.
            self.bill.add((request.max_output or 0) * NANO_OUT * self.times)
            raise TimedOut("silent", provider=self.name, model=request.model)
        length = min(self.draw.randrange(1, LONGEST), request.max_output or LONGEST)
        for number in range(length):
            await asyncio.sleep(TOKEN_S)
            if end == "broken" and number > length // 2:
                raise Overloaded("gone", provider=self.name, model=request.model)
            self.bill.add(NANO_OUT * self.times)
            yield TextDelta(" word")
        yield UsageReport(Tokens(input=prompt, output=length))
        yield Finish("stop", "complete")

    async def models(self) -> Sequence[ListedModel]:
        return ()

    async def count_tokens(self, request: ChatRequest) -> int | None:
        return None

    async def aclose(self) -> None:
        pass


class Vendors:
    def __init__(self, *vendors: Vendor) -> None:
        self._by_name = {vendor.name: vendor for vendor in vendors}

    @property
    def names(self) -> Sequence[str]:
        return tuple(self._by_name)

    async def get(self, name: str) -> Vendor:
        return self._by_name[name]

    async def aclose(self) -> None:
        pass


def _engine(folder: Path, cap_nano: int, draw: random.Random) -> tuple[Engine, Database]:
    clock = SystemClock()
    database = Database.open(folder / "proof.db", clock)
    bill = Bill(folder / "bill")
    vendors = Vendors(Vendor("dear", 3, bill, draw), Vendor("cheap", 1, bill, draw))
    rules = Rules(("dear", "cheap"), {"dear": "m", "cheap": "m"})
    catalog = ModelCatalog(
        custom={
            ModelRef(name, "m"): CustomModel(
                context_window=100_000,
                input_price=Decimal(times),
                output_price=Decimal(2 * times),
            )
            for name, times in (("dear", 3), ("cheap", 1))
        },
        providers=("dear", "cheap"),
        cache_folder=folder / "cache",
    )
    settings = Settings(
        rules,
        limits=(Limit("costs.monthly_budget", "month", cap_nano),),
        calls=CallSettings(max_output=LONGEST),
        retry=RetrySettings(max_retries=1, initial_delay_s=0.01, max_delay_s=0.02),
        spending=SpendSettings(unusual_score=0),
    )
    health = PassiveHealth(rules, clock, database.health)
    ports = EnginePorts(
        settings=settings,
        detector=load_detector(),
        providers=vendors,
        catalog=catalog,
        ledger=database.ledger,
        sessions=database.sessions,
        corrections=database.corrections,
        workspace=Folder(folder),
        health=health,
        gate=Gate(health, database.rates, clock, {}),
        guard=Guard(
            load_guard_rules, GuardPolicy(), local=lambda _: False, ignored=lambda _: False
        ),
        clock=clock,
        roll=draw.random,
    )
    return Engine(ports), database


async def _attempt(engine: Engine, text: str, draw: random.Random, tally: Bill) -> None:
    """One turn; a fifth of them is stopped after some events."""
    stop_after = draw.randrange(4, 80) if draw.random() < 0.2 else 10**9
    last: Event | None = None
    fell_back = False
    turn = engine.turn(TurnRequest(text, wish=Wish(task="quick_questions")))
    async with aclosing(turn) as events:
        async for event in events:
            last = event
            fell_back |= isinstance(event, FallingBack)
            stop_after -= 1
            if stop_after <= 0:
                break
    match last:
        case Finished():
            outcome = 0
        case Failed(error, _):
            outcome = 1 if error.kind == "budget" else 2
        case _:
            outcome = 3
    tally.add(outcome + (10 if fell_back else 0))


def _worker(folder: str, cap_nano: int, seed: int, number: int, share: int) -> None:
    """Makes what is left of ``share`` attempts; ``number`` tells the process from all others."""
    draw = random.Random(f"{seed}/{number}")
    path = Path(folder)
    begun = path / f"begun-{number % 100}"
    attempts, tally = Bill(begun), Bill(path / "tally")

    async def run() -> None:
        engine, database = _engine(path, cap_nano, draw)
        todo = iter(range(share - Bill.total(begun)))

        async def one_after_another() -> None:
            for _ in todo:
                attempts.add(1)
                await asyncio.sleep(draw.uniform(0, 0.05))
                await _attempt(engine, "why " * draw.randrange(1, 40), draw, tally)

        await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))
        database.close()

    # A copy of the parent must not run the parent's own handlers.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    asyncio.run(run())


@dataclass(frozen=True)
class Result:
    """One seed: nano-dollars by the ledger and by the providers, and what happened."""

    seed: int
    cap: int
    spent: int
    billed: int
    most_seen: int
    kills: int
    aborted: int
    tally: dict[str, int]

    @property
    def overshoot(self) -> int:
        return max(0, self.spent - self.cap, self.billed - self.cap, self.most_seen - self.cap)


def prove(seed: int, *, attempts: int = 1_000, processes: int = 4) -> Result:
    """One seed in a fresh folder.  The worst of all looks is in ``most_seen``."""
    draw = random.Random(seed)
    cap_nano = draw.randrange(60, 200) * 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        watch = Database.open(folder / "proof.db", SystemClock())
        cap = Cap("costs.monthly_budget", cap_nano, month_start(datetime.now(UTC).astimezone()))
        fork = multiprocessing.get_context("fork")

        def start(number: int) -> BaseProcess:
            process = fork.Process(
                target=_worker,
                args=(name, cap_nano, seed, number, attempts // processes),
                daemon=True,
            )
            process.start()
            return process

        kills, most = _drive(start, processes, draw, lambda: watch.ledger.state([cap])[0])
        watch.ledger.free_abandoned()
        (state,) = watch.ledger.state([cap])
        aborted = sum(row.outcome == "aborted" for row in watch.ledger.rows(cap.since))
        watch.close()
        return Result(
            seed,
            cap_nano,
            state.spent_nano + state.held_nano,
            Bill.total(folder / "bill"),
            most,
            kills,
            aborted,
            _tally(folder / "tally"),
        )


def _drive(
    start: Callable[[int], BaseProcess],
    processes: int,
    draw: random.Random,
    look: Callable[[], CapState],
) -> tuple[int, int]:
    """Runs the processes to their end, killing now and then; returns kills and the worst look."""
    running = {number: start(number) for number in range(processes)}
    kills, most = 0, 0
    next_kill = 0.0
    while running:
        time.sleep(0.01)
        state = look()
        most = max(most, state.spent_nano + state.held_nano)
        for number, process in list(running.items()):
            if not process.is_alive():
                process.join()
                del running[number]
                if process.exitcode != 0:
                    # Killed: another process takes over what it had left to do.
                    assert process.exitcode == -signal.SIGKILL, process.exitcode
                    again = number + 100
                    running[again] = start(again)
        # Only while calls are under way: that is when a crash could lose or free money.
        if running and kills < KILLS and state.held_nano and time.monotonic() > next_kill:
            victim = running[draw.choice(list(running))]
            victim.kill()
            kills += 1
            next_kill = time.monotonic() + draw.uniform(0.3, 0.7)
    return kills, most


_OUTCOMES = ("finished", "over the cap", "failed", "stopped")


def _tally(path: Path) -> dict[str, int]:
    numbers = [int(line) for line in path.read_text().split()] if path.exists() else []
    counts = {
        name: sum(one % 10 == place for one in numbers) for place, name in enumerate(_OUTCOMES)
    }
    return counts | {"fell back": sum(one >= 10 for one in numbers)}


def run(*, quick: bool = False, seeds: int = 100, attempts: int = 1_000, processes: int = 4) -> int:
    """Prints a line for each seed and the sum; returns how many seeds passed the cap."""
    results = []
    for seed in range(3 if quick else seeds):
        result = prove(seed, attempts=attempts, processes=processes)
        results.append(result)
        share = result.spent / result.cap
        told = ", ".join(f"{count} {name}" for name, count in result.tally.items())
        print(
            f"seed {seed:>3}  cap ${result.cap / 1e9:.3f}  ledger {share:>6.1%}  billed"
            f" {result.billed / result.cap:>6.1%}  {result.kills} kills, {result.aborted} holds"
            f" freed; {told}{'  OVERSHOOT' if result.overshoot else ''}",
            flush=True,
        )
    over = sum(result.overshoot > 0 for result in results)
    used = sum(result.billed / result.cap for result in results) / len(results)
    print(
        f"{len(results) - over}/{len(results)} seeds without overshoot; {attempts:,} attempts over"
        f" {processes} processes each, {sum(r.kills for r in results)} kills in all,"
        f" {sum(r.aborted for r in results)} holds of killed processes freed;"
        f" on average {used:.0%} of the cap was really spent"
    )
    return over


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--attempts", type=int, default=1_000)
    parser.add_argument("--processes", type=int, default=4)
    args = parser.parse_args()
    return 1 if run(seeds=args.seeds, attempts=args.attempts, processes=args.processes) else 0


if __name__ == "__main__":
    sys.exit(main())
