"""Limits per minute: the user's own, and what a vendor tells of its."""

from __future__ import annotations

from typing import Literal

from aircher.domain.classes import dataclass

Counted = Literal["requests", "tokens", "input tokens", "output tokens"]


@dataclass(frozen=True, slots=True)
class Rate:
    """The user's limits for one provider, per minute; None = no limit."""

    requests: int | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What a vendor told of one of its limits with an answer.

    ``remaining`` of ``limit`` (None where it did not say) may still be used until it starts
    anew, ``reset_s`` seconds after the answer (None where it did not say).
    """

    counted: Counted
    remaining: int
    limit: int | None = None
    reset_s: float | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A call within the window: when it goes, in seconds since 1970, and its tokens."""

    at: float
    tokens: int


@dataclass(frozen=True, slots=True)
class Slot:
    """A call's place under the user's own limits.

    It may go at ``at`` (seconds since 1970); ``position`` 0 is at once, 1 the next, and so on.
    """

    id: int
    provider: str
    at: float
    position: int
