"""Wall-clock times of whole commands, taken in turn so that a drifting machine hits all alike."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence


def environment() -> dict[str, str]:
    """This environment with an empty HOME, and without keys."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith("_API_KEY") and not name.startswith(("AIRCHER_", "XDG_"))
    }
    # Bytecode is cached as for any installed program.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "HOME": tempfile.mkdtemp(prefix="aircher-bench-"), "AIRCHER_DISCOVER": "false"}


def python(*words: str) -> list[str]:
    return [sys.executable, *words]


def interleaved(
    commands: Mapping[str, Sequence[str]], runs: int, env: Mapping[str, str]
) -> dict[str, list[float]]:
    """Seconds of each run of each command, A B A B ..., after one warm-up each."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            started = time.perf_counter()
            subprocess.run(
                command, env=env, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
            if turn:
                times[name].append(time.perf_counter() - started)
    return times


def median_ms(values: Sequence[float]) -> float:
    return statistics.median(values) * 1000


def ratio(mine: Sequence[float], floor: Sequence[float]) -> float:
    """Median of the pairwise ratios."""
    return statistics.median(a / b for a, b in zip(mine, floor, strict=True))
