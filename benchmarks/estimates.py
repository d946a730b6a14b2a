"""Token and cost estimates before sending: exact tables and estimates, by prompt size."""

from __future__ import annotations

import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from aircher.catalog.catalog import ModelCatalog
from aircher.domain.messages import user
from aircher.domain.models import ModelRef
from aircher.domain.usage import Tokens
from benchmarks.documents import document

MODELS = (ModelRef("openai", "gpt-5-nano"), ModelRef("claude", "claude-sonnet-4-5"))


def run(*, quick: bool = False) -> list[tuple[str, int, float, float]]:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        catalog = ModelCatalog(providers=("openai", "claude"), cache_folder=Path(folder))
        catalog.warm(*MODELS)
        text = document("prose", 80_000)
        print(f"{'model':<30}{'tokens':>9}{'count':>11}{'per 1,000':>11}{'cost':>10}")
        for ref in MODELS:
            for size in (400, 4_000, 80_000):
                row = _measure(catalog, ref, text[:size], 5 if quick else 30)
                rows.append(row)
                name, tokens, count_s, cost_s = row
                print(
                    f"{name:<30}{tokens:>9,}{count_s * 1e3:>8.2f} ms"
                    f"{count_s / tokens * 1e6:>8.2f} ms{cost_s * 1e6:>7.0f} us"
                )
    return rows


def _measure(
    catalog: ModelCatalog, ref: ModelRef, text: str, runs: int
) -> tuple[str, int, float, float]:
    counts, costs, tokens = [], [], 0
    for number in range(runs):
        message = user(f"{number} {text}")  # a new text each time: no cache may help
        started = time.perf_counter()
        tokens, _ = catalog.count_tokens(ref, (message,))
        counts.append(time.perf_counter() - started)
        started = time.perf_counter()
        catalog.cost(ref, Tokens(input=tokens, output=500), datetime.now(UTC))
        costs.append(time.perf_counter() - started)
    return str(ref), tokens, statistics.median(counts), statistics.median(costs)


if __name__ == "__main__":
    run()
