"""What is held by processes that are gone: which reservations those are, and what they cost.

A crash between reserve and settle has cost what had been made by then, so a freed reservation
leaves a usage row with outcome "aborted", estimated from the prompt and from the text that is
on disk; the reply it belongs to gets the same cost.  Where it cannot be known whether the
holder lives (another container, Windows), an hour decides, and the whole worst case is counted:
should it live after all, its settling takes that row back, so nothing is spent twice.  A holder
that is known to live keeps what it holds, whatever the wall clock does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from aircher.domain.classes import dataclass
from aircher.domain.messages import Text, Thinking
from aircher.domain.models import ModelRef
from aircher.domain.usage import Cost, Tokens, UsageRow
from aircher.storage.codec import load_parts
from aircher.storage.processes import lives
from aircher.storage.times import from_ms

STALE_AFTER_MS = 3_600_000
"""After so long an unknown holder is taken for gone: no turn lives as long by default."""

CHARACTERS_PER_TOKEN = 3
"""Rather too few: English has about four, code three; what a crash left open is not understated."""


UNWRITTEN_TOKENS = 128
"""What may have come since the reply was last written: half a second of a very fast model."""


@dataclass(frozen=True, slots=True)
class Stale:
    """A reservation to be freed; ``known_dead`` if its process is known to have ended."""

    row: sqlite3.Row
    known_dead: bool


def stale_among(held: Iterable[sqlite3.Row], me: str, now_ms: int) -> list[Stale]:
    """Which of these reservations nobody will settle; ``me`` is the asking process."""
    alive: dict[str, bool | None] = {me: True}
    found = []
    for row in held:
        holder = row["holder"]
        if holder not in alive:
            alive[holder] = lives(holder)
        unknown_and_old = alive[holder] is None and row["created"] < now_ms - STALE_AFTER_MS
        if alive[holder] is False or unknown_and_old:
            found.append(Stale(row, known_dead=alive[holder] is False))
    return found


def aborted(raw: sqlite3.Connection, stale: Stale) -> UsageRow:
    """The usage row that a freed reservation leaves."""
    row = stale.row
    message_id, written = _written(raw, row) if stale.known_dead else (None, row["max_output"])
    return UsageRow(
        at=from_ms(row["at"]),
        ref=ModelRef(row["provider"], row["model"]),
        task=row["task"],
        tokens=Tokens(input=row["prompt"], output=written),
        cost=_cost(row, written),
        session_id=row["session_id"],
        message_id=message_id,
        outcome="aborted",
    )


def _cost(row: sqlite3.Row, written: int) -> Cost:
    """The prompt's price, and of the answer's worst price the share that was written."""
    worst, prompt = row["nano_usd"], row["prompt_nano"]
    if worst == 0:
        return Cost(0, "exact")  # nothing could be spent
    if row["max_output"] <= 0:
        return Cost(worst, "estimated")
    share = min(written + UNWRITTEN_TOKENS, row["max_output"])
    return Cost(min(worst, prompt + (worst - prompt) * share // row["max_output"]), "estimated")


def _written(raw: sqlite3.Connection, row: sqlite3.Row) -> tuple[int | None, int]:
    """The reply that the reservation's process left unfinished, and roughly its tokens."""
    found = raw.execute(
        "SELECT id, parts FROM messages WHERE session_id = ? AND writer = ?"
        " AND state = 'streaming' ORDER BY id DESC LIMIT 1",
        (row["session_id"], row["holder"]),
    ).fetchone()
    if found is None:
        return None, 0
    parts = load_parts(found["parts"])
    said = sum(len(part.text) for part in parts if isinstance(part, Text | Thinking))
    return found["id"], -(-said // CHARACTERS_PER_TOKEN)
