"""Questions asked inside a transaction: which session is meant, and what matches."""

from __future__ import annotations

import sqlite3

from aircher.domain.errors import UsageError
from aircher.domain.inert import encodable, inert
from aircher.domain.sessions import SessionInfo
from aircher.storage import search
from aircher.storage.ids import as_typed
from aircher.storage.rows import SESSION_COLUMNS, session_info

Found = tuple[str, int, str]
"""Session id, message id, excerpt."""


def resolve(raw: sqlite3.Connection, typed: str) -> str:
    """The whole id of the session that was typed.  Raises ``UsageError`` if not just one fits."""
    wanted = as_typed(encodable(typed))
    # "~" sorts behind every character of an id.
    rows = raw.execute(
        "SELECT id FROM sessions WHERE id >= ? AND id < ? ORDER BY id LIMIT 4",
        (wanted, wanted + "~"),
    ).fetchall()
    found = [str(row["id"]) for row in rows]
    hint = "`aircher sessions list` shows them all."
    if not found or not wanted:
        raise UsageError(f"There is no conversation {inert(typed)!r}.", hint=hint)
    if len(found) > 1:
        raise UsageError(
            f"Several conversations begin with {wanted!r}: {', '.join(found)}.",
            hint="Give more of the id.  " + hint,
        )
    return found[0]


def read_info(raw: sqlite3.Connection, session_id: str) -> SessionInfo:
    """The row of a session that exists."""
    row = raw.execute(
        f"SELECT {SESSION_COLUMNS} FROM sessions AS s WHERE s.id = ?",  # noqa: S608 - constants
        (session_id,),
    ).fetchone()
    return session_info(row)


def search_words(raw: sqlite3.Connection, query: str, limit: int) -> list[Found]:
    """Messages that hold all the words, best first; none if the query has no word."""
    words = search.fts_query(query)
    if not words:
        return []
    rows = raw.execute(
        "SELECT m.session_id, m.id, snippet(search, 0, '', '', '…', ?) AS excerpt"
        " FROM search JOIN messages AS m ON m.id = search.rowid"
        " WHERE search MATCH ? ORDER BY search.rank LIMIT ?",
        (search.EXCERPT_WORDS, words, limit),
    ).fetchall()
    return [(row["session_id"], row["id"], search.one_line(row["excerpt"])) for row in rows]


def search_anywhere(raw: sqlite3.Connection, query: str, limit: int) -> list[Found]:
    """Messages that hold the query as it stands, newest first; reads all texts."""
    rows = raw.execute(
        "SELECT m.session_id, m.id, search.text"
        " FROM search JOIN messages AS m ON m.id = search.rowid"
        " WHERE search.text LIKE ? ESCAPE '\\' ORDER BY m.id DESC LIMIT ?",
        (search.like_pattern(query), limit),
    ).fetchall()
    return [(row["session_id"], row["id"], search.excerpt(row["text"], query)) for row in rows]
