"""The calls of the last minute and those that wait: the port ``RateStore`` on SQLite.

A slot of the future whose process is gone is freed.  A slot made in the future means that the
clock was set back since: it is freed too, so that nobody waits for a time long past.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace

from aircher.domain.inert import encodable
from aircher.domain.limits import Slot, Taken
from aircher.storage.connection import Connection
from aircher.storage.processes import lives, myself

_WINDOW_MS = 60_000
_SLACK_MS = 2_000
_OF_PROVIDER = "SELECT id, at, tokens FROM rate_slots WHERE provider = ? ORDER BY id"

Decide = Callable[[Sequence[Taken], int], float]
"""From the calls before it and its own tokens to a call's time, in seconds since 1970."""


class RateSlots:
    """Slots in one data file."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._me = myself()

    def take(self, provider: str, now: float, tokens: int, decide: Decide) -> Slot:
        """Gives a call its time, behind those that wait already, in one transaction."""
        now_ms = round(now * 1000)
        with self._connection.writing() as raw:
            _free(raw, now_ms)
            rows = raw.execute(_OF_PROVIDER, (encodable(provider),)).fetchall()
            at_ms = _in_ms(decide(_taken(rows), tokens), now_ms)
            made = raw.execute(
                "INSERT INTO rate_slots (provider, at, made, tokens, holder)"
                " VALUES (?, ?, ?, ?, ?)",
                (encodable(provider), at_ms, now_ms, tokens, self._me),
            )
        waiting = sum(1 for row in rows if row["at"] > now_ms)
        position = waiting + 1 if at_ms > now_ms else 0
        return Slot(made.lastrowid or 0, provider, at_ms / 1000, position)

    def when(self, slot: Slot) -> Slot:
        """The slot as it is by now: others may have made room."""
        with self._connection.reading() as raw:
            rows = raw.execute(_OF_PROVIDER, (encodable(slot.provider),)).fetchall()
        at = next((row["at"] for row in rows if row["id"] == slot.id), 0)
        before = sum(1 for row in rows if row["id"] < slot.id and row["at"] >= slot.at * 1000 - 1)
        return replace(slot, at=at / 1000, position=before + 1)

    def hasten(self, slot: Slot, now: float) -> None:
        """The user will not wait: the call goes now."""
        with self._connection.writing() as raw:
            raw.execute("UPDATE rate_slots SET at = ? WHERE id = ?", (round(now * 1000), slot.id))

    def settle(self, slot: Slot, tokens: int | None, now: float, decide: Decide) -> None:
        """The call is over and took so many tokens (None: it was never made).

        Those that wait move up where there is room now.
        """
        now_ms = round(now * 1000)
        with self._connection.writing() as raw:
            if tokens is None:
                raw.execute("DELETE FROM rate_slots WHERE id = ?", (slot.id,))
            else:
                raw.execute("UPDATE rate_slots SET tokens = ? WHERE id = ?", (tokens, slot.id))
            if not _free(raw, now_ms):
                return
            rows = raw.execute(_OF_PROVIDER, (encodable(slot.provider),)).fetchall()
            gone = [row for row in rows if row["at"] <= now_ms]
            taken = _taken(gone)
            for row in rows:
                if row["at"] > now_ms:
                    at_ms = _in_ms(decide(taken, row["tokens"]), now_ms)
                    taken.append(Taken(at_ms / 1000, row["tokens"]))
                    raw.execute("UPDATE rate_slots SET at = ? WHERE id = ?", (at_ms, row["id"]))


def _taken(rows: Sequence[sqlite3.Row]) -> list[Taken]:
    return [Taken(row["at"] / 1000, row["tokens"]) for row in rows]


def _in_ms(at: float, now_ms: int) -> int:
    """Rounded up: a millisecond too early would be within the minute."""
    return max(now_ms, math.ceil(at * 1000 - 1e-6))


def _free(raw: sqlite3.Connection, now_ms: int) -> int:
    """Deletes what no longer counts; returns how many calls wait."""
    raw.execute(
        "DELETE FROM rate_slots WHERE at <= ? OR made > ?",
        (now_ms - _WINDOW_MS, now_ms + _SLACK_MS),
    )
    waiting = raw.execute("SELECT id, holder FROM rate_slots WHERE at > ?", (now_ms,)).fetchall()
    gone = [(row["id"],) for row in waiting if not lives(row["holder"])]
    raw.executemany("DELETE FROM rate_slots WHERE id = ?", gone)
    return len(waiting) - len(gone)
