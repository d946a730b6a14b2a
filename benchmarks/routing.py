"""Choosing a model: microseconds per selection, with the whole catalogue behind it.

``plan`` is the selection alone (the user's rules, a strategy, fitness, a price for each model);
``weigh`` is what one request costs in all: detection, counting its tokens, and the selection.
The last rows choose among 1,500 models that all belong to the pool, which no configuration has.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from aircher.bootstrap.choosing import Findings, choose
from aircher.bootstrap.detection import load_detector
from aircher.catalog.catalog import ModelCatalog
from aircher.config.load import Places, load
from aircher.domain.models import ModelRef
from aircher.domain.routes import Complexity, Estimate, Rules, Wish
from aircher.domain.tasks import Signals
from aircher.policy.complexity import complexity
from aircher.policy.estimate import estimate
from aircher.policy.route import STRATEGIES, Situation, plan
from aircher.providers.vendors import vendors

TEXT = "refactor the parser into smaller functions and explain what changed in each of them"
PROVIDERS = {"openai": "OPENAI_API_KEY", "claude": "ANTHROPIC_API_KEY", "gemini": "GEMINI_API_KEY"}
POOL = 1_500


def rules(catalog: ModelCatalog) -> Rules:
    """Those of somebody with three keys and nothing configured."""
    config = load(Places(user=Path("/nonexistent")), environ={})
    found = Findings(keys=PROVIDERS, local_model="not fetched")
    return choose(config, vendors(), found, catalog.facts).rules


def situation(catalog: ModelCatalog, prompt: int) -> Situation:
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

    return Situation("refactoring", Wish(), catalog.facts, price, complexity=Complexity(3), now=now)


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


def show(name: str, times: list[float]) -> None:
    """Median and 99th percentile."""
    ninety_ninth = sorted(times)[int(len(times) * 0.99)]
    print(f"{name:<34} p50 {statistics.median(times):8.1f} us   p99 {ninety_ninth:8.1f} us")


def run(*, quick: bool = False) -> None:
    """Prints the table."""
    runs = 200 if quick else 2_000
    catalog = ModelCatalog(cache_folder=None)
    catalog.warm(tables=False)
    known = catalog.known()
    chosen = rules(catalog)
    print(f"{len(known):,} models in the catalogue, {len(chosen.order)} providers configured\n")
    for name in STRATEGIES:
        of_strategy = replace(chosen, strategy=name)
        work = lambda r=of_strategy: plan(r, situation(catalog, 900))  # noqa: E731
        show(f"plan, strategy {name}", timed(work, runs))
    detector = load_detector()

    def weigh() -> object:
        signals = Signals(TEXT)
        detection = detector.detect(signals, ())
        tokens = catalog.count_text(ModelRef("openai", "gpt-6-luna"), TEXT)
        score = complexity(TEXT, detection.task)
        return plan(chosen, replace(situation(catalog, tokens), complexity=score))

    show("weigh (detect, count, plan)", timed(weigh, runs))
    large = replace(chosen, order=("openrouter",), models={"openrouter": known[0].ref.model})
    refs = tuple(ModelRef("openrouter", facts.ref.model) for facts in known[:POOL])
    large = replace(large, provider_tiers={}, task_models={}, more=refs)
    for name in ("task", "cost", "quality"):
        of_strategy = replace(large, strategy=name)
        work = lambda r=of_strategy: plan(r, situation(catalog, 900))  # noqa: E731
        show(f"plan, {name}, pool of {len(refs):,}", timed(work, max(20, runs // 50)))


if __name__ == "__main__":
    import sys

    run(quick="--quick" in sys.argv)
