"""A conversation as it is kept on disk."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from aircher.domain.classes import dataclass
from aircher.domain.messages import Message
from aircher.domain.models import ModelRef
from aircher.domain.usage import NO_TOKENS, UNKNOWN_COST, Cost, Tokens

MessageState = Literal["complete", "streaming", "stopped", "failed", "continued"]
"""``continued``: it broke off, and the next message goes on where it ended.
``streaming`` on disk with no live writer means the program died there: shown as stopped."""


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One row of the session list.  ``project`` is the work tree or folder it began in."""

    id: str
    title: str
    created: datetime
    updated: datetime
    messages: int = 0
    cost: Cost = UNKNOWN_COST
    project: str = ""
    parent: str = ""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message with what Aircher knows about it.

    ``evidence`` is the detection's reasons in words, joined by "; ".  ``summary_of`` > 0
    marks a compaction: this text stands for that many earlier messages.  ``account`` is that of
    the choice made for a request (``policy.account``), "" where none was kept.
    """

    id: int
    session_id: str
    message: Message
    at: datetime
    state: MessageState = "complete"
    task: str = ""
    ref: ModelRef | None = None
    tokens: Tokens = NO_TOKENS
    cost: Cost = UNKNOWN_COST
    duration_s: float = 0.0
    finish_reason: str = ""
    evidence: str = ""
    error: str = ""
    summary_of: int = 0
    account: str = ""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A message that matched, with a short excerpt around the match (no markup)."""

    session: SessionInfo
    message_id: int
    excerpt: str
