"""Breakers and what was seen of providers: the port ``HealthStore`` on SQLite.

A call that went well is not written a second time: its row in the ledger tells when it was and
how long the first token took.  So a turn without trouble costs no write here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, fields, replace
from datetime import datetime, timedelta

from aircher.domain.health import Breaker, Sample
from aircher.domain.inert import encodable
from aircher.domain.models import ModelRef
from aircher.storage.connection import Connection
from aircher.storage.processes import lives, myself
from aircher.storage.rows import ref_columns
from aircher.storage.times import from_ms, to_ms

KEPT = timedelta(days=7)
"""Notes older than this are deleted."""

_COLUMNS = tuple(field.name for field in fields(Breaker))
_TIMES = frozenset({"failed_at", "open_until", "probe_until", "limit_at", "limit_until"})
_PUT = (
    f"INSERT OR REPLACE INTO breakers (provider, model, {', '.join(_COLUMNS)})"  # noqa: S608 - ours
    f" VALUES ({', '.join('?' * (2 + len(_COLUMNS)))})"
)
_SAMPLES = """
    SELECT at, provider, model, first_token_s AS latency_s, '' AS kind, '' AS error, 0 AS probe
    FROM usage
    WHERE at >= :since AND outcome IN ('ok', 'stopped') AND first_token_s IS NOT NULL
    UNION ALL
    SELECT at, provider, model, latency_s, kind, error, probe
    FROM health_notes WHERE at >= :since
    ORDER BY 1
"""


def _breaker(row: sqlite3.Row) -> Breaker:
    values = {
        name: row[name] / 1000 if name in _TIMES else row[name]
        for name in _COLUMNS
    }  # fmt: skip
    breaker = Breaker(**values)
    if breaker.prober and not lives(breaker.prober.partition("#")[0]):
        return replace(breaker, prober="", probe_until=0.0)
    return breaker


def _values(breaker: Breaker) -> tuple[object, ...]:
    pairs = zip(_COLUMNS, astuple(breaker), strict=True)
    return tuple(round(value * 1000) if name in _TIMES else value for name, value in pairs)


class HealthRecords:
    """Health in one data file."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.me = myself()

    def breakers(self) -> Mapping[ModelRef, Breaker]:
        """All that are not plainly closed.  A probe of a process that is gone is no probe."""
        with self._connection.reading() as raw:
            rows = raw.execute("SELECT * FROM breakers").fetchall()
        return {ModelRef(row["provider"], row["model"]): _breaker(row) for row in rows}

    def change(
        self,
        refs: Sequence[ModelRef],
        decide: Callable[[Sequence[Breaker]], Sequence[Breaker]],
    ) -> None:
        """Replaces breakers by what ``decide`` makes of them, in one transaction."""
        with self._connection.writing() as raw:
            found = [self._one(raw, ref) for ref in refs]
            for ref, old, new in zip(refs, found, decide(found), strict=True):
                if new == Breaker():
                    raw.execute(
                        "DELETE FROM breakers WHERE provider = ? AND model = ?", ref_columns(ref)
                    )
                elif new != old:
                    raw.execute(_PUT, (*ref_columns(ref), *_values(new)))

    @staticmethod
    def _one(raw: sqlite3.Connection, ref: ModelRef) -> Breaker:
        row = raw.execute(
            "SELECT * FROM breakers WHERE provider = ? AND model = ?", ref_columns(ref)
        ).fetchone()
        return Breaker() if row is None else _breaker(row)

    def note(self, sample: Sample) -> None:
        """Keeps a failure, or what a look at a model list gave; old notes go."""
        with self._connection.writing() as raw:
            raw.execute("DELETE FROM health_notes WHERE at < ?", (to_ms(sample.at - KEPT),))
            raw.execute(
                "INSERT INTO health_notes (at, provider, model, latency_s, kind, error, probe)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    to_ms(sample.at),
                    *ref_columns(sample.ref),
                    sample.latency_s,
                    sample.kind,
                    encodable(sample.error),
                    sample.probe,
                ),
            )

    def samples(self, since: datetime) -> Sequence[Sample]:
        """Calls and looks since then, oldest first."""
        with self._connection.reading() as raw:
            rows = raw.execute(_SAMPLES, {"since": to_ms(since)}).fetchall()
        return [
            Sample(
                from_ms(row["at"]),
                ModelRef(row["provider"], row["model"]),
                row["latency_s"],
                row["kind"],
                row["error"],
                bool(row["probe"]),
            )
            for row in rows
        ]

    def forget(self, provider: str, model: str = "") -> None:
        """Deletes the breakers and failures of a provider, or of one of its models."""
        one = " AND model = :model" if model else ""
        names = {"provider": provider, "model": model}
        with self._connection.writing() as raw:
            for table in ("breakers", "health_notes"):
                raw.execute(f"DELETE FROM {table} WHERE provider = :provider{one}", names)  # noqa: S608 - constants
