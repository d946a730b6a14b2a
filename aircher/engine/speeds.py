"""How fast models were here: medians over the calls of the last days, from the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from aircher.domain.models import ModelRef, Speed
from aircher.domain.ports import Clock, UsageReader
from aircher.domain.usage import UsageRow

DAYS = 14
"""How far back is looked: models are moved to other machines, so older speeds say little."""

FRESH_S = 60.0
"""For so long what was read is not read again."""

LEAST_TOKENS = 20
"""An answer shorter than this says nothing of tokens per second."""


class Speeds:
    """Reads the ledger when first asked, and again when that is old."""

    def __init__(self, usage: UsageReader, clock: Clock) -> None:
        self._usage = usage
        self._clock = clock
        self._read_at: float | None = None
        self._speeds: Mapping[ModelRef, Speed] = {}

    def all(self) -> Mapping[ModelRef, Speed]:
        """The speed of every model that answered here of late."""
        now = self._clock.monotonic()
        if self._read_at is None or now - self._read_at > FRESH_S:
            since = self._clock.now() - timedelta(days=DAYS)
            self._speeds = speeds(self._usage.rows(since))
            self._read_at = now
        return self._speeds


def speeds(rows: Iterable[UsageRow]) -> dict[ModelRef, Speed]:
    """The median time to the first token and tokens per second after it, by model.

    Only whole answers count: one that was stopped or broke off says little.
    """
    from statistics import median  # takes a while to import, and a start needs no speeds

    firsts: dict[ModelRef, list[float]] = {}
    rates: dict[ModelRef, list[float]] = {}
    for row in rows:
        if row.outcome not in {"ok", "complete"} or row.first_token_s is None:
            continue
        firsts.setdefault(row.ref, []).append(row.first_token_s)
        lasted = row.duration_s - row.first_token_s
        written = row.tokens.output or 0
        if written >= LEAST_TOKENS and lasted > 0.05:
            rates.setdefault(row.ref, []).append(written / lasted)
    return {
        ref: Speed(median(values), median(rates[ref]) if ref in rates else None, calls=len(values))
        for ref, values in firsts.items()
    }
