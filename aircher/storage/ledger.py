"""Money: the ports ``Ledger`` and ``UsageReader`` on SQLite.

The table ``usage`` is append-only (triggers refuse anything else) and written by one
transaction at a time, so its ids grow in the order of commits.  A sum once made is therefore
kept, and only the rows behind the last one counted are added: microseconds, whatever the
table's size, and right across processes.

A reservation whose process is gone is freed, and what it had cost by then is counted: see
abandoned.py.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from aircher.domain.budget import Cap, CapState, Claim, Reservation
from aircher.domain.classes import dataclass
from aircher.domain.errors import OverBudget
from aircher.domain.inert import encodable
from aircher.domain.models import ModelRef
from aircher.domain.usage import Spend, Tokens, UsageRow, dollars
from aircher.storage.abandoned import Stale, aborted, stale_among
from aircher.storage.connection import Connection
from aircher.storage.processes import myself
from aircher.storage.rows import TOKENS_AND_COST, ref_columns, tokens_and_cost, usage_row
from aircher.storage.times import Now, to_ms

_SUMS_KEPT = 256

_USAGE_COLUMNS = (
    "at",
    "provider",
    "model",
    "task",
    *TOKENS_AND_COST,
    "session_id",
    "message_id",
    "duration_s",
    "first_token_s",
    "outcome",
    "attempt",
    "reservation",
)
_INSERT_USAGE = (
    f"INSERT INTO usage ({', '.join(_USAGE_COLUMNS)})"  # noqa: S608 - the names above
    f" VALUES ({', '.join('?' * len(_USAGE_COLUMNS))})"
)

_SELECT_SUMS = """
    SELECT count(*) AS calls,
        coalesce(sum(cost_nano), 0) AS nano,
        coalesce(sum(tokens_input), 0) AS tokens_in,
        coalesce(sum(tokens_output), 0) AS tokens_out,
        coalesce(sum(cost_tag = 'unknown'), 0) AS unknown,
        coalesce(sum(cost_tag = 'estimated'), 0) AS estimated
    FROM usage
"""


@dataclass(frozen=True, slots=True)
class _Window:
    """What a sum is over; "" = all."""

    since_ms: int
    provider: str = ""
    task: str = ""
    session_id: str = ""


def _window(cap: Cap) -> _Window:
    return _Window(to_ms(cap.since), cap.provider, cap.task)


def _taken_back(row: UsageRow) -> UsageRow:
    """The row that undoes an estimate which turned out to be none: rows are never changed."""
    tokens = Tokens(
        input=-(row.tokens.input or 0),
        output=-(row.tokens.output or 0),
    )
    cost = replace(row.cost, nano_usd=-(row.cost.nano_usd or 0))
    return replace(row, tokens=tokens, cost=cost, outcome="taken back", message_id=None)


def _refusal(claim: Claim, state: CapState) -> OverBudget:
    cap = state.cap
    held = f", {dollars(state.held_nano)} held for other calls" if state.held_nano else ""
    return OverBudget(
        f"{cap.name} would be passed: {dollars(state.spent_nano)} spent{held}, this request may"
        f" cost up to {dollars(claim.nano_usd)}, the limit is {dollars(cap.limit_nano)}.",
        hint=f"Raise {cap.name} in the configuration, choose a cheaper model or a free one,"
        " or ask for a shorter reply (chat.max_output).",
        provider=cap.provider,
    )


class UsageLedger:
    """The money of one data file.  Every method is one transaction."""

    def __init__(self, connection: Connection, clock: Now) -> None:
        self._connection = connection
        self._clock = clock
        self._me = myself()
        self._sums: OrderedDict[_Window, tuple[int, Spend]] = OrderedDict()

    def reserve(self, claim: Claim, caps: Sequence[Cap]) -> Reservation:
        """Holds the claim's worst case if it fits under every cap, atomically across processes.

        A cap that is soft or narrowed to another provider or task does not count, and a claim
        of nothing (a model on this machine) always fits.  Raises ``OverBudget`` naming the first
        cap that would be broken.
        """
        relevant = [cap for cap in caps if not cap.soft and cap.covers(claim.ref, claim.task)]
        self.free_abandoned()
        if any(_window(cap) not in self._sums for cap in relevant):
            self.state(relevant)  # sums not made yet are made before the file is locked
        # Nothing may be added to the usage table in here: a refusal rolls back, and the kept
        # sums would have counted ids that are then given to other rows.
        with self._connection.writing() as raw:
            # Whatever is not freed yet counts: its holder may have died a moment ago.
            for state in self._states(raw, relevant, self._reservations(raw)):
                total = state.spent_nano + state.held_nano + claim.nano_usd
                if claim.nano_usd > 0 and total > state.cap.limit_nano:
                    raise _refusal(claim, state)
            reservation_id = raw.execute(
                "INSERT INTO reservations"
                " (provider, model, task, nano_usd, at, session_id, holder, created,"
                " prompt, prompt_nano, max_output) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *ref_columns(claim.ref),
                    encodable(claim.task),
                    claim.nano_usd,
                    to_ms(claim.at),
                    claim.session_id,
                    self._me,
                    to_ms(self._clock.now()),
                    claim.prompt,
                    claim.prompt_nano,
                    claim.max_output,
                ),
            ).lastrowid
        assert reservation_id is not None
        return Reservation(reservation_id, claim)

    def settle(self, reservation: Reservation | None, row: UsageRow) -> None:
        """Writes what was really used and frees what was held, in one transaction."""
        with self._connection.writing() as raw:
            self._append(raw, row)
            if reservation is not None:
                self._close(raw, reservation.id)

    def release(self, reservation: Reservation) -> None:
        """Frees what was held; nothing was used."""
        with self._connection.writing() as raw:
            self._close(raw, reservation.id)

    def spend(
        self, since: datetime, *, provider: str = "", task: str = "", session_id: str = ""
    ) -> Spend:
        """Sums of the rows since an instant; unknown costs are counted, not added."""
        with self._connection.reading() as raw:
            return self._sum(raw, _Window(to_ms(since), provider, task, session_id))

    def state(self, caps: Sequence[Cap]) -> Sequence[CapState]:
        """Each cap with what is spent and held under it, all at one moment."""
        with self._connection.snapshot() as raw:
            held = self._reservations(raw)
            stale = {one.row["id"] for one in self._stale(held)}
            return self._states(raw, caps, [row for row in held if row["id"] not in stale])

    def rows(self, since: datetime, until: datetime | None = None) -> Sequence[UsageRow]:
        """All rows from ``since`` on and before ``until``, oldest first."""
        end = 2**62 if until is None else to_ms(until)
        with self._connection.reading() as raw:
            found = raw.execute(
                "SELECT * FROM usage WHERE at >= ? AND at < ? ORDER BY at, id",
                (to_ms(since), end),
            ).fetchall()
        return [usage_row(row) for row in found]

    def recent_costs(self, most: int = 200) -> Sequence[int]:
        """What the newest calls cost that cost anything, in nano-dollars, newest first."""
        with self._connection.reading() as raw:
            # Bounded by ids, so that a long history of free calls is not walked.
            found = raw.execute(
                "SELECT cost_nano FROM usage WHERE cost_nano > 0 AND outcome <> 'aborted'"
                " AND id > (SELECT coalesce(max(id), 0) FROM usage) - ? ORDER BY id DESC LIMIT ?",
                (20 * most, most),
            ).fetchall()
        return [row[0] for row in found]

    def first_alert(self, cap: Cap, share: float) -> bool:
        """True the first time that this share of this limit is told in its window, ever."""
        with self._connection.writing() as raw:
            told = raw.execute(
                "INSERT INTO alerts (name, since, limit_nano, share, at) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (
                    encodable(cap.name),
                    to_ms(cap.since),
                    cap.limit_nano,
                    share,
                    to_ms(self._clock.now()),
                ),
            )
            return bool(told.rowcount)

    def free_abandoned(self) -> int:
        """Frees what processes held that are gone; returns how many reservations."""
        with self._connection.reading() as raw:
            stale = self._stale(self._reservations(raw))
        if not stale:
            return 0
        with self._connection.writing() as raw:
            return self._free_stale(raw)

    def _states(
        self, raw: sqlite3.Connection, caps: Iterable[Cap], held: Iterable[sqlite3.Row]
    ) -> list[CapState]:
        claims = [
            (ModelRef(row["provider"], row["model"]), row["task"], row["nano_usd"]) for row in held
        ]
        return [
            CapState(
                cap,
                self._sum(raw, _window(cap)).nano_usd,
                sum(nano for ref, task, nano in claims if cap.covers(ref, task)),
            )
            for cap in caps
        ]

    def _sum(self, raw: sqlite3.Connection, window: _Window) -> Spend:
        last_id, so_far = self._sums.get(window, (0, Spend()))
        newest = raw.execute("SELECT coalesce(max(id), 0) FROM usage").fetchone()[0]
        if newest > last_id:
            so_far = self._added(raw, window, last_id, newest, so_far)
        self._sums[window] = (newest, so_far)
        self._sums.move_to_end(window)
        while len(self._sums) > _SUMS_KEPT:
            self._sums.popitem(last=False)
        return so_far

    def _added(
        self, raw: sqlite3.Connection, window: _Window, after: int, upto: int, so_far: Spend
    ) -> Spend:
        # A first sum walks the window's index; a later one walks the few new ids.  The "+"
        # keeps SQLite from using the other index.
        ids, time = ("+id", "at") if after == 0 else ("id", "+at")
        where = [f"{ids} > :after AND {ids} <= :upto", f"{time} >= :since_ms"]
        filters = {
            name: getattr(window, name)
            for name in ("provider", "task", "session_id")
            if getattr(window, name)
        }
        where += [f"{'' if after == 0 else '+'}{name} = :{name}" for name in filters]
        row = raw.execute(
            f"{_SELECT_SUMS} WHERE {' AND '.join(where)}",
            {"after": after, "upto": upto, "since_ms": window.since_ms, **filters},
        ).fetchone()
        return Spend(
            nano_usd=so_far.nano_usd + row["nano"],
            calls=so_far.calls + row["calls"],
            input_tokens=so_far.input_tokens + row["tokens_in"],
            output_tokens=so_far.output_tokens + row["tokens_out"],
            unknown=so_far.unknown + row["unknown"],
            estimated=so_far.estimated + row["estimated"],
        )

    def _append(
        self, raw: sqlite3.Connection, row: UsageRow, reservation_id: int | None = None
    ) -> None:
        raw.execute(
            _INSERT_USAGE,
            (
                to_ms(row.at),
                *ref_columns(row.ref),
                encodable(row.task),
                *tokens_and_cost(row.tokens, row.cost),
                row.session_id,
                row.message_id,
                row.duration_s,
                row.first_token_s,
                encodable(row.outcome),
                row.attempt,
                reservation_id,
            ),
        )

    def _reservations(self, raw: sqlite3.Connection) -> list[sqlite3.Row]:
        return raw.execute("SELECT * FROM reservations").fetchall()

    def _stale(self, held: Iterable[sqlite3.Row]) -> list[Stale]:
        return stale_among(held, self._me, to_ms(self._clock.now()))

    def _free_stale(self, raw: sqlite3.Connection) -> int:
        stale = self._stale(self._reservations(raw))
        for one in stale:
            row = aborted(raw, one)
            self._append(raw, row, one.row["id"])
            if row.message_id is not None:
                self._price_message(raw, row.message_id, row)
        self._delete(raw, [one.row["id"] for one in stale])
        return len(stale)

    def _price_message(self, raw: sqlite3.Connection, message_id: int, row: UsageRow) -> None:
        """The conversation and the ledger tell one cost."""
        columns = ("provider", "model", *TOKENS_AND_COST)
        raw.execute(
            f"UPDATE messages SET {', '.join(f'{name} = ?' for name in columns)}"  # noqa: S608
            " WHERE id = ?",
            (*ref_columns(row.ref), *tokens_and_cost(row.tokens, row.cost), message_id),
        )

    def _close(self, raw: sqlite3.Connection, reservation_id: int) -> None:
        """Frees a reservation; one that was freed as abandoned has its row taken back."""
        gone = raw.execute("DELETE FROM reservations WHERE id = ?", (reservation_id,))
        if gone.rowcount:
            return
        for row in raw.execute(
            "SELECT * FROM usage WHERE reservation = ? AND outcome = 'aborted'", (reservation_id,)
        ).fetchall():
            counted = usage_row(row)
            self._append(raw, _taken_back(counted), reservation_id)

    def _delete(self, raw: sqlite3.Connection, ids: Iterable[int]) -> None:
        raw.executemany("DELETE FROM reservations WHERE id = ?", [(number,) for number in ids])
