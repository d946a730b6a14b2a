"""A key as the keyring holds it: with the origin it is for, in one text."""

from __future__ import annotations

import json
from dataclasses import field
from datetime import datetime

from aircher.domain.classes import dataclass

_MARK = '{"aircher": 1,'


@dataclass(frozen=True, slots=True)
class Record:
    """``origin`` None: the key was put there by hand, so it is for the vendor's own address."""

    key: str = field(repr=False)
    origin: str | None = None
    stored_at: datetime | None = None


def text_of(record: Record) -> str:
    """The text to store."""
    at = record.stored_at.isoformat() if record.stored_at else ""
    return json.dumps({"aircher": 1, "key": record.key, "origin": record.origin, "set": at})


def record_of(text: str) -> Record:
    """What ``text_of`` wrote; any other text is a bare key."""
    if not text.startswith(_MARK):
        return Record(text)
    try:
        raw = json.loads(text)
        return Record(str(raw["key"]), str(raw["origin"]), datetime.fromisoformat(raw["set"]))
    except (ValueError, KeyError, TypeError):
        return Record(text)
