"""Limits on spending, and money held for calls under way."""

from __future__ import annotations

from datetime import datetime

from aircher.domain.classes import dataclass
from aircher.domain.models import ModelRef


@dataclass(frozen=True, slots=True)
class Cap:
    """One limit over one window: at most ``limit_nano`` nano-dollars since ``since``.

    ``provider`` and ``task`` narrow what counts ("" = all).  ``name`` is the config key the
    user knows ("costs.daily_limit").  The window's start is worked out by policy in the
    user's time zone, so storage only compares instants.  A ``soft`` one is told when it is
    passed, and refuses nothing.
    """

    name: str
    limit_nano: int
    since: datetime
    provider: str = ""
    task: str = ""
    soft: bool = False

    def covers(self, ref: ModelRef, task: str) -> bool:
        """True if a call to that model for that task counts against this limit."""
        return self.provider in {"", ref.provider} and self.task in {"", task}


@dataclass(frozen=True, slots=True)
class Claim:
    """A request to hold the worst-case cost of one call.

    ``prompt`` tokens cost ``prompt_nano`` by themselves; with ``max_output`` tokens of answer it
    is ``nano_usd``.  So a call that a crash cut short can be priced by what came of it.
    """

    ref: ModelRef
    task: str
    nano_usd: int
    at: datetime
    session_id: str = ""
    prompt: int = 0
    prompt_nano: int = 0
    max_output: int = 0


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money held until settled or released; ``nano_usd`` is the worst case."""

    id: int
    claim: Claim


@dataclass(frozen=True, slots=True)
class CapState:
    """A cap with what is spent and held under it now, in nano-dollars."""

    cap: Cap
    spent_nano: int
    held_nano: int = 0

    @property
    def left_nano(self) -> int:
        """What may still be reserved (never below zero)."""
        return max(0, self.cap.limit_nano - self.spent_nano - self.held_nano)

    @property
    def share(self) -> float:
        """How much of the limit is spent, 1.0 being all of it; what is only held is not."""
        return self.spent_nano / self.cap.limit_nano if self.cap.limit_nano else 1.0
