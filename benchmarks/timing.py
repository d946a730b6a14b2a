"""Wall-clock times of whole commands, taken in turn so that a drifting machine hits all alike."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple


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


class Run(NamedTuple):
    """One run of a command: seconds by the wall's clock, and of the processor."""

    wall: float
    cpu: float


def interleaved(
    commands: Mapping[str, Sequence[str]], runs: int, env: Mapping[str, str]
) -> dict[str, list[Run]]:
    """Each run of each command, A B A B ..., after one warm-up each."""
    times: dict[str, list[Run]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            started, spent = time.perf_counter(), _children()
            subprocess.run(
                command, env=env, cwd=env["HOME"], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
            if turn:
                times[name].append(Run(time.perf_counter() - started, _children() - spent))
    return times


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def row(name: str, mine: Sequence[Run], floor: Sequence[Run]) -> tuple[str, float, float, float]:
    """Prints and returns a command's median wall ms, and its pairwise ratios (wall, processor)."""
    wall = statistics.median(run.wall for run in mine) * 1000
    extra = wall - statistics.median(run.wall for run in floor) * 1000
    ratios = [
        statistics.median(a[field] / b[field] for a, b in zip(mine, floor, strict=True))
        for field in (0, 1)
    ]
    print(f"{name:<24}{wall:>7.0f} ms{extra:>9.0f} ms{ratios[0]:>9.2f}x{ratios[1]:>9.2f}x")
    return name, wall, ratios[0], ratios[1]


HEAD = f"{'command':<24}{'median':>10}{'over floor':>12}{'x wall':>10}{'x cpu':>10}"
