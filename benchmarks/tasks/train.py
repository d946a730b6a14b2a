"""Trains the shipped model: ``make train-tasks``.

All labelled prompts are used; the temperature is the one that cross-validation over the
development set finds, since a model is always surer of what it was trained on.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar

from aircher.domain.tasks import TASKS
from aircher.policy import detect
from aircher.policy.detect.model import pack
from aircher.policy.detect.needs import needed
from benchmarks.tasks.data import items
from benchmarks.tasks.learn import (
    INDEX,
    SCALES,
    crossed,
    doubled,
    fit,
    linear,
    matrix,
    shares,
    targets,
    weighed,
)

MOST_FEATURES = 10_000
"""Those with the largest weights are shipped; 13 bytes each before packing."""


def temperature(z: np.ndarray, y: np.ndarray) -> float:
    """What scores must be multiplied with for their shares to be true of held-out rows."""
    rows = np.arange(len(y))
    found = minimize_scalar(
        lambda t: -np.log(shares(t * z)[rows, y] + 1e-12).mean(), bounds=(0.2, 5), method="bounded"
    )
    return float(found.x)


def main() -> None:
    rows = items()
    x, keys, blocks = matrix(rows)
    whole = fit(doubled(x, rows), targets(rows), weighed(rows), rounds=200)
    w = np.vstack([whole[: len(keys)], whole[-1]])
    size = np.abs(w[:-1]).max(1)
    kept = np.argsort(-size)[:MOST_FEATURES]
    largest = {block: max(size[at] for at in kept if blocks[at] == block) for block in SCALES}
    weights: dict[int, list[float]] = defaultdict(lambda: [0.0] * len(TASKS))
    for at in kept:
        weights[keys[at]] = list(w[at] / largest[blocks[at]])
    dev = np.array([INDEX[row["label"]] for row in rows if row["set"] == "dev"])
    heat = temperature(crossed(rows, linear(rows), seed=0), dev)
    scales = {block: SCALES[block] * largest[block] for block in SCALES}
    table = tomllib.loads(Path(detect.__file__).with_name("tasks.toml").read_text("utf-8"))
    patterns = (one for signs in table.values() for one in signs.get("message_patterns", ()))
    needs = {pattern: needed(pattern) for pattern in patterns}
    file = Path(detect.__file__).with_name("model.bin")
    file.write_bytes(pack(TASKS, list(w[-1]), scales, heat, weights, needs))
    print(f"{len(kept)} of {len(keys)} features, {file.stat().st_size / 1000:.0f} KB, x{heat:.2f}")


if __name__ == "__main__":
    main()
