"""The tables, as numbered steps forward.

Step n brings ``PRAGMA user_version`` from n-1 to n.  A released step is never edited: a
change is a new step at the end.  Times are UTC milliseconds since 1970, money is integer
nano-dollars, NULL is unknown.
"""

from __future__ import annotations

TOKEN_COLUMNS = (
    "input",
    "cached",
    "cache_write",
    "cache_write_1h",
    "output",
    "reasoning",
    "input_audio",
    "output_audio",
)
"""The fields of ``domain.usage.Tokens``, stored under their own names with ``tokens_`` before."""

_TOKENS = ", ".join(f"tokens_{name} INTEGER" for name in TOKEN_COLUMNS)

_TABLES = (
    """
    CREATE TABLE migrations (
        version INTEGER PRIMARY KEY,
        at INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE sessions (
        id TEXT PRIMARY KEY,
        title TEXT NOT NULL,
        created INTEGER NOT NULL,
        updated INTEGER NOT NULL,
        project TEXT NOT NULL,
        parent TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX sessions_by_time ON sessions (updated)",
    "CREATE INDEX sessions_by_project ON sessions (project, updated)",
    # place is the message's own id, but for a summary the id of the last message it stands
    # for: ordered by (place, id) a summary follows what it sums up.  AUTOINCREMENT, so that
    # the id of a removed message in a ledger row never comes to mean another one.
    f"""
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        place INTEGER,
        session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
        role TEXT NOT NULL,
        at INTEGER NOT NULL,
        state TEXT NOT NULL,
        writer TEXT NOT NULL DEFAULT '',
        task TEXT NOT NULL DEFAULT '',
        provider TEXT,
        model TEXT,
        {_TOKENS},
        cost_nano INTEGER,
        cost_tag TEXT NOT NULL DEFAULT 'unknown',
        price_id TEXT,
        duration_s REAL NOT NULL DEFAULT 0,
        finish_reason TEXT NOT NULL DEFAULT '',
        evidence TEXT NOT NULL DEFAULT '',
        error TEXT NOT NULL DEFAULT '',
        summary_of INTEGER NOT NULL DEFAULT 0,
        parts TEXT NOT NULL DEFAULT '[]'
    )
    """,
    "CREATE INDEX messages_in_order ON messages (session_id, place, id, summary_of)",
    "CREATE INDEX messages_streaming ON messages (id) WHERE state = 'streaming'",
    f"""
    CREATE TABLE usage (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        task TEXT NOT NULL,
        {_TOKENS},
        cost_nano INTEGER,
        cost_tag TEXT NOT NULL,
        price_id TEXT,
        session_id TEXT NOT NULL,
        message_id INTEGER,
        duration_s REAL NOT NULL,
        first_token_s REAL,
        outcome TEXT NOT NULL,
        attempt INTEGER NOT NULL
    )
    """,
    # Each holds all that its sum needs, so that the table itself is not read.
    """
    CREATE INDEX usage_by_time ON usage
        (at, provider, task, cost_nano, cost_tag, tokens_input, tokens_output)
    """,
    """
    CREATE INDEX usage_by_session ON usage
        (session_id, at, cost_nano, cost_tag, tokens_input, tokens_output)
    """,
    """
    CREATE TRIGGER usage_is_never_changed BEFORE UPDATE ON usage
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
    """,
    """
    CREATE TRIGGER usage_is_never_deleted BEFORE DELETE ON usage
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
    """,
    # INSERT OR REPLACE deletes without asking the trigger above.
    """
    CREATE TRIGGER usage_is_never_replaced BEFORE INSERT ON usage
    WHEN NEW.id IN (SELECT id FROM usage)
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
    """,
    """
    CREATE TABLE reservations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        task TEXT NOT NULL,
        nano_usd INTEGER NOT NULL,
        at INTEGER NOT NULL,
        session_id TEXT NOT NULL,
        holder TEXT NOT NULL,
        created INTEGER NOT NULL
    )
    """,
)

_SEARCH = (
    "CREATE VIRTUAL TABLE search USING fts5 (text, tokenize = 'unicode61 remove_diacritics 2')",
    """
    INSERT INTO search (rowid, text)
    SELECT messages.id, (
        SELECT group_concat(json_extract(part.value, '$.text'), '')
        FROM json_each(messages.parts) AS part
        WHERE json_extract(part.value, '$.type') = 'text'
    ) AS words
    FROM messages WHERE words IS NOT NULL
    """,
    """
    CREATE TRIGGER search_forgets AFTER DELETE ON messages
    BEGIN DELETE FROM search WHERE rowid = OLD.id; END
    """,
)

_ESTIMATES = tuple(
    f"ALTER TABLE reservations ADD COLUMN {name} INTEGER NOT NULL DEFAULT 0"
    for name in ("prompt", "prompt_nano", "max_output")
)

# AUTOINCREMENT: the number of a reservation that was freed must never come to mean another's.
_BUDGETS = (
    """
    CREATE TABLE held (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        task TEXT NOT NULL,
        nano_usd INTEGER NOT NULL,
        at INTEGER NOT NULL,
        session_id TEXT NOT NULL,
        holder TEXT NOT NULL,
        created INTEGER NOT NULL,
        prompt INTEGER NOT NULL DEFAULT 0,
        prompt_nano INTEGER NOT NULL DEFAULT 0,
        max_output INTEGER NOT NULL DEFAULT 0
    )
    """,
    "INSERT INTO held SELECT * FROM reservations",
    "DROP TABLE reservations",
    "ALTER TABLE held RENAME TO reservations",
    "ALTER TABLE usage ADD COLUMN reservation INTEGER",
    "CREATE INDEX usage_freed ON usage (reservation) WHERE reservation IS NOT NULL",
    """
    CREATE TABLE alerts (
        name TEXT NOT NULL,
        since INTEGER NOT NULL,
        limit_nano INTEGER NOT NULL,
        share REAL NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (name, since, limit_nano, share)
    ) WITHOUT ROWID
    """,
)

_CORRECTIONS = (
    """
    CREATE TABLE corrections (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        text TEXT NOT NULL UNIQUE,
        wrong TEXT NOT NULL,
        task TEXT NOT NULL
    )
    """,
)

# breakers: model '' is the provider's own.  rate_slots: the calls of the last minute to providers
# with a limit of the user's, and those that wait for their time.
_HEALTH = (
    """
    CREATE TABLE breakers (
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        failures INTEGER NOT NULL,
        failed_at INTEGER NOT NULL,
        open_until INTEGER NOT NULL,
        prober TEXT NOT NULL,
        probe_until INTEGER NOT NULL,
        kind TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        limit_at INTEGER NOT NULL,
        limit_until INTEGER NOT NULL,
        PRIMARY KEY (provider, model)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE health_notes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        latency_s REAL,
        kind TEXT NOT NULL,
        error TEXT NOT NULL,
        probe INTEGER NOT NULL
    )
    """,
    "CREATE INDEX health_notes_by_time ON health_notes (at)",
    """
    CREATE TABLE rate_slots (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        provider TEXT NOT NULL,
        at INTEGER NOT NULL,
        made INTEGER NOT NULL,
        tokens INTEGER NOT NULL,
        holder TEXT NOT NULL
    )
    """,
)

_ACCOUNTS = ("ALTER TABLE messages ADD COLUMN account TEXT NOT NULL DEFAULT ''",)

STEPS: tuple[tuple[str, ...], ...] = (
    _TABLES,
    _SEARCH,
    _ESTIMATES,
    _BUDGETS,
    _CORRECTIONS,
    _HEALTH,
    _ACCOUNTS,
)
"""All steps so far; ``len(STEPS)`` is the version this program writes."""
