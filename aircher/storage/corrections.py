"""What the user corrected of detection: the port ``Corrections`` on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from aircher.domain.inert import encodable
from aircher.domain.tasks import Correction
from aircher.storage.connection import Connection
from aircher.storage.times import Now, from_ms, to_ms

MOST = 500
"""Corrections kept; of more, the oldest go.  Each costs detection some microseconds."""

SIDE = 1_200
"""Characters kept of each end of a long request: what detection reads of it."""


class Corrected:
    """All corrections of one data file."""

    def __init__(self, connection: Connection, clock: Now) -> None:
        self._connection = connection
        self._clock = clock

    def add(self, text: str, *, wrong: str, task: str) -> Correction:
        """Keeps a correction in place of an earlier one of the same text."""
        kept = encodable(text if len(text) <= 2 * SIDE else f"{text[:SIDE]}\n{text[-SIDE:]}")
        with self._connection.writing() as raw:
            raw.execute("DELETE FROM corrections WHERE text = ?", (kept,))
            row = raw.execute(
                "INSERT INTO corrections (at, text, wrong, task) VALUES (?, ?, ?, ?) RETURNING *",
                (to_ms(self._clock.now()), kept, encodable(wrong), encodable(task)),
            ).fetchone()
            raw.execute(
                "DELETE FROM corrections WHERE id <="
                " (SELECT id FROM corrections ORDER BY id DESC LIMIT 1 OFFSET ?)",
                (MOST,),
            )
        return _correction(row)

    def all(self) -> Sequence[Correction]:
        """All, oldest first."""
        with self._connection.reading() as raw:
            return [
                _correction(row) for row in raw.execute("SELECT * FROM corrections ORDER BY id")
            ]

    def forget(self, correction_id: int | None = None) -> int:
        """Deletes one, or with None all; returns how many there were."""
        with self._connection.writing() as raw:
            return raw.execute(
                "DELETE FROM corrections WHERE ? IS NULL OR id = ?", (correction_id, correction_id)
            ).rowcount


def _correction(row: sqlite3.Row) -> Correction:
    return Correction(row["id"], from_ms(row["at"]), row["text"], row["wrong"], row["task"])
