"""Earlier chats, newest first, searched by any word that was said in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from aircher.domain.ports import SessionStore
from aircher.domain.sessions import SessionInfo
from aircher.tui.screens.pick import PickScreen, Row
from aircher.tui.words import day, price


def _row(info: SessionInfo, now: datetime, excerpt: str = "") -> Row:
    facts = [f"{info.messages} messages" if info.messages != 1 else "1 message"]
    if info.cost.nano_usd is not None:
        facts.append(price(info.cost))
    if info.project:
        facts.append(info.project)
    below = excerpt or " · ".join(facts)
    return Row(info.id, info.title or "(no title yet)", day(info.updated, now), below)


def session_rows(store: SessionStore, query: str, now: datetime) -> Sequence[Row]:
    """Without a query the newest; with one the chats whose title or text matches."""
    newest = store.list(limit=100)
    if not query:
        return [_row(info, now) for info in newest if info.messages]
    rows: dict[str, Row] = {}
    for info in newest:
        row = _row(info, now)
        if query.lower() in f"{info.title} {row.right}".lower():
            rows[info.id] = row
    for hit in store.search(query, limit=40):
        rows.setdefault(hit.session.id, _row(hit.session, now, hit.excerpt))
    return list(rows.values())


def session_screen(store: SessionStore, now: datetime, search: str = "") -> PickScreen:
    """The list of earlier chats."""
    return PickScreen(
        "Earlier chats · type a word, or yesterday",
        lambda query: session_rows(store, query, now),
        search=search,
        empty="No earlier chat matches." if search else "No earlier chats yet.",
    )
