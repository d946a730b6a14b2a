"""Table rows to domain values and back: the columns that messages and usage share."""

from __future__ import annotations

import sqlite3
from typing import Any, cast

from aircher.domain.inert import encodable
from aircher.domain.messages import Message, Role
from aircher.domain.models import ModelRef
from aircher.domain.sessions import MessageState, SessionInfo, StoredMessage
from aircher.domain.usage import Cost, CostTag, Tokens, UsageRow
from aircher.storage.codec import load_parts
from aircher.storage.schema import TOKEN_COLUMNS
from aircher.storage.times import from_ms

TOKENS_AND_COST = (
    *(f"tokens_{name}" for name in TOKEN_COLUMNS),
    "cost_nano",
    "cost_tag",
    "price_id",
)


def ref_columns(ref: ModelRef) -> tuple[str, str]:
    """Values for the columns ``provider`` and ``model``."""
    return encodable(ref.provider), encodable(ref.model)


def tokens_and_cost(tokens: Tokens, cost: Cost) -> tuple[Any, ...]:
    """Values for ``TOKENS_AND_COST``, in its order."""
    counts = tuple(getattr(tokens, name) for name in TOKEN_COLUMNS)
    return (*counts, cost.nano_usd, cost.tag, cost.price_id)


def _tokens(row: sqlite3.Row) -> Tokens:
    return Tokens(**{name: row[f"tokens_{name}"] for name in TOKEN_COLUMNS})


def _cost(row: sqlite3.Row) -> Cost:
    return Cost(row["cost_nano"], cast(CostTag, row["cost_tag"]), row["price_id"])


def stored_message(row: sqlite3.Row, state: MessageState) -> StoredMessage:
    """A row of ``messages``; ``state`` is the one to show."""
    ref = None if row["provider"] is None else ModelRef(row["provider"], row["model"])
    return StoredMessage(
        id=row["id"],
        session_id=row["session_id"],
        message=Message(cast(Role, row["role"]), load_parts(row["parts"])),
        at=from_ms(row["at"]),
        state=state,
        task=row["task"],
        ref=ref,
        tokens=_tokens(row),
        cost=_cost(row),
        duration_s=row["duration_s"],
        finish_reason=row["finish_reason"],
        evidence=row["evidence"],
        error=row["error"],
        summary_of=row["summary_of"],
        account=row["account"],
    )


def usage_row(row: sqlite3.Row) -> UsageRow:
    """A row of ``usage``."""
    return UsageRow(
        at=from_ms(row["at"]),
        ref=ModelRef(row["provider"], row["model"]),
        task=row["task"],
        tokens=_tokens(row),
        cost=_cost(row),
        session_id=row["session_id"],
        message_id=row["message_id"],
        duration_s=row["duration_s"],
        first_token_s=row["first_token_s"],
        outcome=row["outcome"],
        attempt=row["attempt"],
    )


SESSION_COLUMNS = """
    s.id, s.title, s.created, s.updated, s.project, s.parent,
    (SELECT count(*) FROM messages AS m WHERE m.session_id = s.id AND m.summary_of = 0)
        AS messages,
    (SELECT coalesce(sum(u.cost_nano), 0) FROM usage AS u WHERE u.session_id = s.id) AS nano,
    (SELECT max(CASE u.cost_tag WHEN 'unknown' THEN 2 WHEN 'estimated' THEN 1 ELSE 0 END)
        FROM usage AS u WHERE u.session_id = s.id) AS doubt
"""
"""What ``session_info`` reads, from ``sessions AS s``."""

_TAGS: tuple[CostTag, ...] = ("exact", "estimated", "unknown")


def session_info(row: sqlite3.Row) -> SessionInfo:
    """A row of ``SESSION_COLUMNS``.

    The cost is the ledger's, so it counts failed attempts too: unknown if any call's is.
    A session without any call has cost exactly nothing.
    """
    tag = _TAGS[row["doubt"] or 0]
    return SessionInfo(
        id=row["id"],
        title=row["title"],
        created=from_ms(row["created"]),
        updated=from_ms(row["updated"]),
        messages=row["messages"],
        cost=Cost(None if tag == "unknown" else row["nano"], tag),
        project=row["project"],
        parent=row["parent"],
    )
