"""The linear model: weights of hashed feature names, a score per task, in words where from.

A file is a line of JSON (tasks, bias, scale per block, temperature) and, zlib-packed, the sorted
CRC-32s of the feature names followed by one signed byte per feature and task.  Names are hashed
so that the file holds no text of anybody's messages.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from math import exp, sqrt
from typing import Any

from aircher.domain.classes import dataclass

BLOCKS = "=~+*!"
"""First characters of feature names: ask, rest, concepts, facts, rules (features.py)."""

EVEN = frozenset("*!")
"""Blocks whose features count in full; of the others each counts 1/sqrt(how many there are)."""

_LEVELS = 127
_KEPT = 8_192

Known = dict[str, list[tuple[str, list[int]]]]
"""By block, names of features with their weights per task."""


@dataclass(frozen=True, slots=True)
class Model:
    """Weights per hashed feature; a task's score is linear in them."""

    tasks: tuple[str, ...]
    bias: tuple[float, ...]
    scales: Mapping[str, float]
    temperature: float
    row: Callable[[str], list[int] | None]
    """A feature's weights by its name, one for each task; None where it has none."""
    needs: Mapping[str, Sequence[str]]
    """What rules' patterns need, worked out in advance (needs.py)."""

    def known(self, names: Sequence[str]) -> Known:
        """The names that the model has weights for, by block."""
        found: Known = {block: [] for block in BLOCKS}
        row = self.row
        for name in names:
            if (levels := row(name)) is not None:
                found[name[0]].append((name, levels))
        return found

    def scores(self, known: Known) -> list[float]:
        """A score per task, before ``shares``."""
        total = list(self.bias)
        for block, pairs in known.items():
            if pairs:
                scale = self._scale(block, len(pairs))
                sums = map(sum, zip(*[row for _, row in pairs], strict=True))
                total = [one + scale * other for one, other in zip(total, sums, strict=True)]
        return total

    def reasons(
        self, known: Known, task: str, other: str, most: int = 12
    ) -> list[tuple[str, float]]:
        """The features that speak most for a task and against another one, strongest first."""
        at, against = self.tasks.index(task), self.tasks.index(other)
        weighed = [
            (scale * (row[at] - row[against]), name)
            for block, pairs in known.items()
            if pairs
            for scale in (self._scale(block, len(pairs)),)
            for name, row in pairs
        ]
        weighed.sort(reverse=True)
        return [(name, weight) for weight, name in weighed[:most] if weight > 0]

    def _scale(self, block: str, count: int) -> float:
        return self.scales[block] if block in EVEN else self.scales[block] / sqrt(count)

    def shares(self, scores: Sequence[float]) -> list[float]:
        """Calibrated probabilities that sum to 1."""
        top = max(scores)
        raised = [exp((score - top) * self.temperature) for score in scores]
        whole = sum(raised)
        return [one / whole for one in raised]


def parse(data: bytes) -> Model:
    """The model in a file's bytes."""
    head, _, packed = data.partition(b"\n")
    facts: dict[str, Any] = json.loads(head)
    raw = memoryview(zlib.decompress(packed))
    count, tasks = int(facts["features"]), tuple(facts["tasks"])
    hashes = raw[: 4 * count].cast("I").tolist()
    return Model(
        tasks,
        tuple(facts["bias"]),
        {block: scale / _LEVELS for block, scale in facts["scales"].items()},
        facts["temperature"],
        _rows(hashes, raw[4 * count :].cast("b"), len(tasks)),
        facts["needs"],
    )


def _rows(
    hashes: Sequence[int], levels: memoryview, many: int
) -> Callable[[str], list[int] | None]:
    """Finds a feature's weights; the names seen last are kept, since words come again."""
    places = dict(zip(hashes, range(0, len(hashes) * many, many), strict=True))

    @lru_cache(maxsize=_KEPT)
    def row(name: str) -> list[int] | None:
        place = places.get(zlib.crc32(name.encode()))
        return None if place is None else levels[place : place + many].tolist()

    return row


def pack(
    tasks: Sequence[str],
    bias: Sequence[float],
    scales: Mapping[str, float],
    temperature: float,
    weights: Mapping[int, Sequence[float]],
    needs: Mapping[str, Sequence[str]],
) -> bytes:
    """A file's bytes; ``weights`` in -1..1 by feature hash, ``scales`` what a full one counts."""
    order = sorted(weights)
    head = {
        "features": len(order),
        "tasks": list(tasks),
        "bias": [round(one, 5) for one in bias],
        "scales": {block: round(scale, 6) for block, scale in scales.items()},
        "temperature": round(temperature, 4),
        "needs": {pattern: list(texts) for pattern, texts in needs.items()},
    }
    levels: Iterable[int] = (
        round(_LEVELS * max(-1.0, min(1.0, one))) & 0xFF
        for one in chain.from_iterable(weights[key] for key in order)
    )
    packed = b"".join(key.to_bytes(4, "little") for key in order) + bytes(levels)
    return json.dumps(head).encode() + b"\n" + zlib.compress(packed, 9)
