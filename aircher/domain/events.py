"""What a front end sees of a turn: frozen events, in order, the last one Finished or Failed.

Detected  Routed  (Compacted)
{ [Guarded]  Reserved  [Queued]  Started  deltas...  [Usage]  [Retrying | FallingBack] }*
Usage  Finished | Failed
"""

from __future__ import annotations

from aircher.domain.chat import (
    Outcome,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
)
from aircher.domain.classes import dataclass
from aircher.domain.errors import AircherError, ProviderError
from aircher.domain.guarding import Finding
from aircher.domain.messages import ToolCall
from aircher.domain.models import ModelRef
from aircher.domain.questions import Question
from aircher.domain.routes import Candidate, Plan
from aircher.domain.tasks import Detection, Signals
from aircher.domain.usage import NO_TOKENS, UNKNOWN_COST, Cost, Tokens


@dataclass(frozen=True, slots=True)
class Detected:
    """The task was named; ``signals`` are what it was read from."""

    detection: Detection
    signals: Signals | None = None


@dataclass(frozen=True, slots=True)
class Routed:
    """The models to try were chosen."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Compacted:
    """Older messages were replaced by a summary so that the rest fits the window.

    ``before`` and ``after`` are prompt tokens (estimates); ``cost`` is what the summary cost,
    which is part of the turn's.
    """

    messages: int
    before: int
    after: int
    summary: str
    cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class Reserved:
    """The worst-case cost of the next attempt is held (nano-dollars; None = price unknown)."""

    candidate: Candidate
    nano_usd: int | None


@dataclass(frozen=True, slots=True)
class Started:
    """A call to a model begins.  ``attempt`` counts from 1 over the whole turn."""

    ref: ModelRef
    attempt: int
    session_id: str
    message_id: int


@dataclass(frozen=True, slots=True)
class Retrying:
    """The same model is tried again after ``wait_s`` seconds."""

    ref: ModelRef
    attempt: int
    wait_s: float
    error: AircherError


@dataclass(frozen=True, slots=True)
class Queued:
    """The call waits for its turn: ``position`` in the queue (1 = next), about ``wait_s`` more.

    ``reason`` says why.  Told again when it changes.
    """

    ref: ModelRef
    position: int
    wait_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class FallingBack:
    """The next model takes over (or the same one goes on, where there is no other).

    ``kept`` is how many characters of partial text stand.  With ``continues`` the answer goes on
    where it broke off: what follows belongs behind that text; else it begins anew.  ``reason``
    says why this model and not simply the next ("").
    """

    failed: ModelRef
    to: ModelRef
    error: ProviderError
    kept: int = 0
    continues: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Escalating:
    """A stronger model is asked because the answer is not good enough, for this reason.

    ``kept`` is how many characters of the answer so far stand.
    """

    failed: ModelRef
    to: ModelRef
    reason: str
    kept: int = 0


@dataclass(frozen=True, slots=True)
class Downgraded:
    """A cheaper model was chosen because of a limit."""

    wanted: ModelRef
    to: ModelRef
    reason: str


@dataclass(frozen=True, slots=True)
class LimitAlert:
    """A share of a limit that the user wants to be told is spent; once in a day or month.

    ``name`` is the limit's key in the configuration, ``share`` the threshold (1.0 = all of it).
    """

    name: str
    share: float
    spent_nano: int
    limit_nano: int
    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know that changes nothing (one sentence)."""

    text: str


@dataclass(frozen=True, slots=True)
class Guarded:
    """What was found in the text that is about to be sent, and taken out of it."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Asking:
    """The turn waits for the user's yes or no, given by ``Engine.answer(question.id, yes=...)``."""

    question: Question


@dataclass(frozen=True, slots=True)
class Usage:
    """One attempt's tokens and cost, as written to the ledger."""

    ref: ModelRef
    tokens: Tokens
    cost: Cost


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of a turn, for the record."""

    ref: ModelRef
    outcome: str
    """"ok", "stopped", "cut" (at what was reserved), or the error's kind ("paused": the model was
    not even asked)."""
    duration_s: float
    tokens: Tokens = NO_TOKENS
    cost: Cost = UNKNOWN_COST
    error: str = ""
    status: int | None = None


@dataclass(frozen=True, slots=True)
class TurnResult:
    """The whole turn as one value: what ``ask --output-format json`` prints.

    ``cost`` is the sum over all attempts; ``ref`` the model that gave the answer (or the
    last one tried; None when none was).  ``text`` is the whole answer, whatever number of models
    wrote it; ``tokens`` are those of the last call.
    """

    session_id: str
    task: str
    ref: ModelRef | None
    text: str = ""
    thinking: str = ""
    refusal: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = ""
    outcome: Outcome | None = None
    tokens: Tokens = NO_TOKENS
    cost: Cost = UNKNOWN_COST
    attempts: tuple[Attempt, ...] = ()
    duration_s: float = 0.0
    first_token_s: float | None = None
    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The turn ended with an answer (perhaps stopped by the user: see ``result.attempts``)."""

    result: TurnResult


@dataclass(frozen=True, slots=True)
class Failed:
    """The turn ended without a whole answer; partial text, tokens and cost are in ``result``."""

    error: AircherError
    result: TurnResult


Event = (
    Detected
    | Routed
    | Compacted
    | Reserved
    | Started
    | TextDelta
    | ThinkingDelta
    | RefusalDelta
    | ToolCallDelta
    | Retrying
    | Queued
    | FallingBack
    | Escalating
    | Downgraded
    | LimitAlert
    | Notice
    | Guarded
    | Asking
    | Usage
    | Finished
    | Failed
)
