"""Choosing a model: microseconds per selection, with the whole catalogue behind it.

``plan`` is the selection alone (the user's rules, a strategy, fitness, a price for each model);
``weigh`` is what one request costs in all: detection, counting its tokens, and the selection.
The second table chooses among 1,500 models, each with a price, that all belong to the pool, which
hardly any configuration has; twenty of them were measured.  The app works the table behind it out
once for each kind of task, which is its "first".  p99 holds the pauses of Python's collector.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from aircher.bootstrap.choosing import Findings, choose
from aircher.bootstrap.detection import load_detector
from aircher.catalog.catalog import ModelCatalog
from aircher.config.load import Places, load
from aircher.domain.models import ModelRef, Speed
from aircher.domain.routes import Complexity, Estimate, Rules, Wish
from aircher.domain.tasks import Signals
from aircher.policy.complexity import complexity
from aircher.policy.estimate import estimate
from aircher.policy.route import STRATEGIES, Board, Situation, plan
from aircher.providers.vendors import vendors

TEXT = "refactor the parser into smaller functions and explain what changed in each of them"
PROVIDERS = {"openai": "OPENAI_API_KEY", "claude": "ANTHROPIC_API_KEY", "gemini": "GEMINI_API_KEY"}
POOL = 1_500


def rules(catalog: ModelCatalog) -> Rules:
    """Those of somebody with three keys and nothing configured."""
    config = load(Places(user=Path("/nonexistent")), environ={})
    found = Findings(keys=PROVIDERS, local_model="not fetched")
    return choose(config, vendors(), found, catalog.facts).rules


def large_pool(chosen: Rules, catalog: ModelCatalog) -> Rules:
    """The same with 1,500 priced models to choose among."""
    priced = [facts.ref for facts in catalog.known() if facts.input_price is not None]
    size = Counter(ref.provider for ref in priced)
    priced = sorted(priced, key=lambda ref: -size[ref.provider])[:POOL]
    order = tuple(dict.fromkeys(ref.provider for ref in priced))
    models = {name: next(r.model for r in priced if r.provider == name) for name in order}
    return replace(
        chosen, order=order, models=models, provider_tiers={}, task_models={}, more=tuple(priced)
    )


def situation(
    catalog: ModelCatalog,
    prompt: int,
    board: Board | None = None,
    speeds: Mapping[ModelRef, Speed] = MappingProxyType({}),
) -> Situation:
    """A fresh one, as for every request: nothing is priced yet."""
    made: dict[ModelRef, Estimate] = {}
    now = datetime(2026, 11, 21, tzinfo=UTC)

    def price(ref: ModelRef) -> Estimate:
        if ref not in made:
            facts = catalog.facts(ref)
            made[ref] = estimate(
                facts, prompt, "refactoring", 4096, lambda tokens: catalog.cost(ref, tokens, now)
            )
        return made[ref]

    return Situation(
        "refactoring", Wish(), catalog.facts, price, complexity=Complexity(3), now=now,
        board=board, speeds=lambda: speeds,
    )  # fmt: skip


def timed(work: Callable[[], object], runs: int) -> list[float]:
    """Microseconds of each run, after a warm-up."""
    for _ in range(20):
        work()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1e6)
    return times


def show(name: str, times: list[float], more: str = "") -> None:
    """Median and 99th percentile."""
    ninety_ninth = sorted(times)[int(len(times) * 0.99)]
    print(f"{name:<34} p50 {statistics.median(times):8.1f} us   p99 {ninety_ninth:8.1f} us{more}")


def run(*, quick: bool = False) -> None:
    """Prints the table."""
    runs = 200 if quick else 2_000
    catalog = ModelCatalog(cache_folder=None)
    catalog.warm(tables=False)
    known = catalog.known()
    chosen = rules(catalog)
    print(f"{len(known):,} models in the catalogue, {len(chosen.order)} providers configured\n")
    for name in STRATEGIES:
        show(f"plan, {name}", timed(planner(replace(chosen, strategy=name), catalog), runs))
    detector = load_detector()
    board = Board(chosen, catalog.facts)

    def weigh() -> object:
        signals = Signals(TEXT)
        detection = detector.detect(signals, ())
        tokens = catalog.count_text(ModelRef("openai", "gpt-6-luna"), TEXT)
        score = complexity(TEXT, detection.task)
        return plan(chosen, replace(situation(catalog, tokens, board), complexity=score))

    show("weigh (detect, count, plan)", timed(weigh, runs))
    large = large_pool(chosen, catalog)
    speeds = {ref: Speed(0.5 + at / 1000, 50, 3) for at, ref in enumerate(large.more[::75])}
    print(f"\n{len(large.more):,} priced models in the pool, {len(large.order)} providers\n")
    for name in STRATEGIES:
        work = planner(replace(large, strategy=name), catalog, speeds)
        started = time.perf_counter()
        work()
        first = f"   first {(time.perf_counter() - started) * 1e3:6.1f} ms"
        show(f"plan, {name}, pool of {len(large.more):,}", timed(work, max(100, runs // 4)), first)


def planner(
    chosen: Rules, catalog: ModelCatalog, speeds: Mapping[ModelRef, Speed] = MappingProxyType({})
) -> Callable[[], object]:
    """A selection as the app makes it: the board is kept, the situation is new."""
    board = Board(chosen, catalog.facts)
    return lambda: plan(chosen, situation(catalog, 900, board, speeds))


if __name__ == "__main__":
    import sys

    run(quick="--quick" in sys.argv)
