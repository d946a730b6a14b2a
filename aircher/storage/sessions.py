"""Conversations: the port ``SessionStore`` on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, cast

from aircher.domain.errors import Bug, UsageError
from aircher.domain.inert import encodable, inert
from aircher.domain.messages import Message, Part, Text, user
from aircher.domain.models import ModelRef
from aircher.domain.sessions import MessageState, SearchHit, SessionInfo, StoredMessage
from aircher.domain.usage import NO_TOKENS, UNKNOWN_COST, Cost, Tokens
from aircher.storage import search
from aircher.storage.codec import dump_parts, load_parts
from aircher.storage.connection import Connection
from aircher.storage.ids import new_id
from aircher.storage.processes import lives, myself
from aircher.storage.queries import read_info, resolve, search_anywhere, search_words
from aircher.storage.rows import (
    SESSION_COLUMNS,
    TOKENS_AND_COST,
    ref_columns,
    session_info,
    stored_message,
    tokens_and_cost,
)
from aircher.storage.times import Now, to_ms

TITLE_CHARS = 60
_ID_DRAWS = 100  # one in 256 collides, and only within the same millisecond


def title_from(text: str) -> str:
    """A title for a conversation that begins so: the first line, cut at a word."""
    line = next((line for line in inert(text).splitlines() if line.strip()), "")
    words = " ".join(encodable(line).split())
    if len(words) <= TITLE_CHARS:
        return words
    cut = words[: TITLE_CHARS - 1]
    return (cut.rpartition(" ")[0] or cut) + "…"


def _search_text(parts: Sequence[Part]) -> str:
    return encodable("".join(part.text for part in parts if isinstance(part, Text)))


_REMEMBERED = 5_000
"""Messages kept decoded; a chat of 1,000 would otherwise take 50 ms to read at every key."""


class Sessions:
    """All conversations of one data file.  Every method is one transaction."""

    def __init__(self, connection: Connection, clock: Now) -> None:
        self._connection = connection
        self._clock = clock
        self._me = myself()
        self._ended: dict[int, StoredMessage] = {}

    def create(self, *, project: str = "", title: str = "", parent: str = "") -> SessionInfo:
        """A new, empty session."""
        now = to_ms(self._clock.now())
        with self._connection.writing() as raw:
            for _ in range(_ID_DRAWS):
                session_id = new_id(now)
                added = raw.execute(
                    "INSERT INTO sessions (id, title, created, updated, project, parent)"
                    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (session_id, encodable(inert(title)), now, now, encodable(project), parent),
                )
                if added.rowcount:
                    return read_info(raw, session_id)
        raise Bug("No free session id was found.")

    def info(self, session_id: str) -> SessionInfo:
        """The session whose id this is, or begins so.

        Raises ``UsageError`` where none or several do.
        """
        with self._connection.reading() as raw:
            return read_info(raw, resolve(raw, session_id))

    def messages(self, session_id: str) -> Sequence[StoredMessage]:
        """All messages, oldest first; a summary stands right behind what it sums up.

        A reply whose writing process is gone is ``stopped``.
        """
        with self._connection.reading() as raw:
            known = resolve(raw, session_id)
            order = [
                row[0]
                for row in raw.execute(
                    "SELECT id FROM messages WHERE session_id = ? ORDER BY place, id", (known,)
                )
            ]
            first = min((id_ for id_ in order if id_ not in self._ended), default=None)
            rows = raw.execute(
                "SELECT * FROM messages WHERE session_id = ? AND id >= ?", (known, first)
            ).fetchall()
        fresh = {row["id"]: stored_message(row, self._state(row)) for row in rows}
        known_before = self._ended
        # A reply that a crash left unfinished is not remembered: it is yet to be priced.
        self._remember(fresh[row["id"]] for row in rows if row["state"] != "streaming")
        return [fresh.get(id_) or known_before[id_] for id_ in order]

    def _remember(self, messages: Iterable[StoredMessage]) -> None:
        """Keeps what can no longer change: a chat is read anew with every turn and preview."""
        if len(self._ended) > _REMEMBERED:
            self._ended = {}
        self._ended.update((message.id, message) for message in messages)

    def add(
        self, session_id: str, message: Message, *, task: str = "", evidence: str = ""
    ) -> StoredMessage:
        """Appends a complete message; the first of a user gives an untitled session its title."""
        with self._connection.writing() as raw:
            message_id = self._insert(
                raw, session_id, message.role, "complete", message.parts, task, evidence
            )
            if message.role == "user":
                raw.execute(
                    "UPDATE sessions SET title = ? WHERE id = ? AND title = ''",
                    (title_from(message.text), session_id),
                )
            return self._message(raw, message_id)

    def begin(self, session_id: str, ref: ModelRef, *, task: str = "", evidence: str = "") -> int:
        """Appends an empty reply in state ``streaming``; returns its id."""
        with self._connection.writing() as raw:
            message_id = self._insert(raw, session_id, "assistant", "streaming", (), task, evidence)
            raw.execute(
                "UPDATE messages SET provider = ?, model = ?, writer = ? WHERE id = ?",
                (*ref_columns(ref), self._me, message_id),
            )
            return message_id

    def write(self, message_id: int, parts: Sequence[Part]) -> None:
        """Replaces what a streaming reply holds; does nothing once it ended or was removed.

        The search index follows when the reply ends.
        """
        with self._connection.writing() as raw:
            raw.execute(
                "UPDATE messages SET parts = ? WHERE id = ? AND state = 'streaming'",
                (dump_parts(parts), message_id),
            )

    def end(
        self,
        message_id: int,
        parts: Sequence[Part],
        state: MessageState,
        *,
        ref: ModelRef | None = None,
        tokens: Tokens = NO_TOKENS,
        cost: Cost = UNKNOWN_COST,
        duration_s: float = 0.0,
        finish_reason: str = "",
        error: str = "",
    ) -> None:
        """Ends a reply; ``ref`` replaces the model it began with.

        Does nothing where the conversation was removed meanwhile.
        """
        facts: dict[str, Any] = {
            "parts": dump_parts(parts),
            "state": state,
            "writer": "",
            "duration_s": duration_s,
            "finish_reason": encodable(finish_reason),
            "error": encodable(error),
            **dict(zip(TOKENS_AND_COST, tokens_and_cost(tokens, cost), strict=True)),
        }
        if ref is not None:
            facts |= dict(zip(("provider", "model"), ref_columns(ref), strict=True))
        columns = ", ".join(f"{name} = ?" for name in facts)
        with self._connection.writing() as raw:
            ended = raw.execute(
                f"UPDATE messages SET {columns} WHERE id = ? RETURNING session_id",  # noqa: S608 - our own column names
                (*facts.values(), message_id),
            ).fetchone()
            if ended is not None:
                self._index(raw, message_id, parts)
                self._touch(raw, ended["session_id"])

    def set_task(self, message_id: int, task: str) -> None:
        """Gives a message another task."""
        with self._connection.writing() as raw:
            raw.execute("UPDATE messages SET task = ? WHERE id = ?", (encodable(task), message_id))
        self._ended.pop(message_id, None)

    def set_account(self, message_id: int, account: str) -> None:
        """Keeps with a request why it got its task and its model."""
        with self._connection.writing() as raw:
            raw.execute(
                "UPDATE messages SET account = ? WHERE id = ?", (encodable(account), message_id)
            )
        self._ended.pop(message_id, None)

    def compact(self, session_id: str, upto_message_id: int, summary: str) -> StoredMessage:
        """Stores a summary that stands for all messages up to that id; nothing is deleted.

        ``messages`` lists it right behind that message, so a prompt is made from the last
        summary and what follows it.
        """
        with self._connection.writing() as raw:
            count = raw.execute(
                "SELECT count(*) FROM messages"
                " WHERE session_id = ? AND place <= ? AND summary_of = 0",
                (session_id, upto_message_id),
            ).fetchone()[0]
            if not count:
                raise Bug(f"There is nothing to summarise up to message {upto_message_id}.")
            parts = user(summary).parts
            message_id = self._insert(raw, session_id, "user", "complete", parts, "", "")
            raw.execute(
                "UPDATE messages SET place = ?, summary_of = ? WHERE id = ?",
                (upto_message_id, count, message_id),
            )
            return self._message(raw, message_id)

    def list(self, *, limit: int = 50, offset: int = 0, project: str = "") -> Sequence[SessionInfo]:
        """Newest first, by the last change; ``project`` narrows it to one folder."""
        where = "WHERE s.project = :project" if project else ""
        with self._connection.reading() as raw:
            rows = raw.execute(
                f"SELECT {SESSION_COLUMNS} FROM sessions AS s {where}"  # noqa: S608 - constants
                " ORDER BY s.updated DESC, s.id DESC LIMIT :limit OFFSET :offset",
                {"project": encodable(project), "limit": limit, "offset": offset},
            ).fetchall()
        return [session_info(row) for row in rows]

    def search(self, query: str, *, limit: int = 20) -> Sequence[SearchHit]:
        """Messages with all these words, the last one as a prefix; best first.

        Where no word begins so, messages that hold the query anywhere (parts of words,
        signs, scripts written without spaces), newest first.
        """
        if not search.cleaned(query):
            return []
        with self._connection.reading() as raw:
            found = search_words(raw, query, limit) or search_anywhere(raw, query, limit)
            return [
                SearchHit(read_info(raw, session_id), message_id, excerpt)
                for session_id, message_id, excerpt in found
            ]

    def rename(self, session_id: str, title: str) -> None:
        """Sets the title.  Raises ``UsageError`` if the session is unknown."""
        with self._connection.writing() as raw:
            raw.execute(
                "UPDATE sessions SET title = ? WHERE id = ?",
                (" ".join(encodable(inert(title)).split()), resolve(raw, session_id)),
            )

    def remove(self, session_id: str) -> None:
        """Deletes the conversation; its ledger rows stay.

        Raises ``UsageError`` if the session is unknown.
        """
        with self._connection.writing() as raw:
            raw.execute("DELETE FROM sessions WHERE id = ?", (resolve(raw, session_id),))

    def stop_abandoned(self) -> int:
        """Marks replies whose writer is gone as stopped; returns how many."""
        with self._connection.reading() as raw:
            rows = raw.execute("SELECT id, writer FROM messages WHERE state = 'streaming'")
            gone = [row["id"] for row in rows.fetchall() if lives(row["writer"]) is False]
        if gone:
            with self._connection.writing() as raw:
                for message_id in gone:
                    self._stop(raw, message_id)
        return len(gone)

    def _stop(self, raw: sqlite3.Connection, message_id: int) -> None:
        stopped = raw.execute(
            "UPDATE messages SET state = 'stopped', writer = ''"
            " WHERE id = ? AND state = 'streaming' RETURNING parts",
            (message_id,),
        ).fetchone()
        if stopped is not None:
            self._index(raw, message_id, load_parts(stopped["parts"]))

    def _state(self, row: sqlite3.Row) -> MessageState:
        state = cast(MessageState, row["state"])
        if state == "streaming" and row["writer"] != self._me and lives(row["writer"]) is False:
            return "stopped"
        return state

    def _message(self, raw: sqlite3.Connection, message_id: int) -> StoredMessage:
        row = raw.execute("SELECT * FROM messages WHERE id = ?", (message_id,)).fetchone()
        return stored_message(row, self._state(row))

    def _insert(
        self,
        raw: sqlite3.Connection,
        session_id: str,
        role: str,
        state: MessageState,
        parts: Sequence[Part],
        task: str,
        evidence: str,
    ) -> int:
        if not raw.execute("SELECT 1 FROM sessions WHERE id = ?", (session_id,)).fetchone():
            raise UsageError(
                f"There is no conversation {inert(session_id)!r} (any more).",
                hint="`aircher sessions list` shows them all.",
            )
        now = to_ms(self._clock.now())
        message_id = raw.execute(
            "INSERT INTO messages (session_id, role, at, state, task, evidence, parts)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                session_id,
                role,
                now,
                state,
                encodable(task),
                encodable(evidence),
                dump_parts(parts),
            ),
        ).lastrowid
        assert message_id is not None
        raw.execute("UPDATE messages SET place = id WHERE id = ?", (message_id,))
        if state == "complete":
            self._index(raw, message_id, parts)
        self._touch(raw, session_id)
        return message_id

    def _index(self, raw: sqlite3.Connection, message_id: int, parts: Sequence[Part]) -> None:
        raw.execute("DELETE FROM search WHERE rowid = ?", (message_id,))
        raw.execute(
            "INSERT INTO search (rowid, text) VALUES (?, ?)", (message_id, _search_text(parts))
        )

    def _touch(self, raw: sqlite3.Connection, session_id: str) -> None:
        now = to_ms(self._clock.now())
        raw.execute("UPDATE sessions SET updated = ? WHERE id = ?", (now, session_id))
