"""Any text a person types, as a query for SQLite's FTS5."""

from __future__ import annotations

from aircher.domain.inert import encodable

EXCERPT_WORDS = 16
_EXCERPT_CHARS = 90


def cleaned(query: str) -> str:
    """The query without what neither FTS5 nor SQLite's text takes: NUL, lone surrogates."""
    return encodable(query.replace("\0", " ")).strip()


def fts_query(query: str) -> str:
    """All the words, the last one as a prefix unless it ends in a sign ("C++"); "" if there
    is no word to look for.

    Each word is quoted, so operators (AND, NEAR, *, -, :) are plain text.
    (https://www.sqlite.org/fts5.html#fts5_strings)
    """
    words = [word for word in cleaned(query).split() if any(char.isalnum() for char in word)]
    if not words:
        return ""
    quoted = " ".join('"' + word.replace('"', '""') + '"' for word in words)
    return quoted + "*" if words[-1][-1].isalnum() else quoted


def like_pattern(query: str) -> str:
    r"""The query as a LIKE pattern for "anywhere in the text", with ``\`` as escape."""
    plain = cleaned(query).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{plain}%"


def one_line(text: str) -> str:
    """An excerpt with its white space folded."""
    return " ".join(text.split())


def excerpt(text: str, query: str) -> str:
    """The part of ``text`` around the first place where the query stands."""
    found = max(0, text.lower().find(cleaned(query).lower()))
    start = max(0, found - _EXCERPT_CHARS // 3)
    end = start + _EXCERPT_CHARS
    cut = one_line(text[start:end])
    return ("…" if start else "") + cut + ("…" if end < len(text) else "")
