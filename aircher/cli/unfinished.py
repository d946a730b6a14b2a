"""What is known of a turn that was stopped before its last event."""

from __future__ import annotations

from collections.abc import Sequence

from aircher.domain.chat import (
    RefusalDelta,
    ReplyBuilder,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
)
from aircher.domain.events import (
    Attempt,
    Detected,
    Event,
    FallingBack,
    Retrying,
    Started,
    TurnResult,
    Usage,
)
from aircher.domain.ports import SessionStore
from aircher.domain.sessions import StoredMessage
from aircher.domain.usage import Cost
from aircher.engine.totals import total


class Unfinished:
    """Collects a turn's events, so that a stop can still be told as one result."""

    def __init__(self) -> None:
        self._task = ""
        self._came = ReplyBuilder()
        self._started: Started | None = None
        self._attempts: list[Attempt] = []
        self._usage: Usage | None = None
        self._begun = self._goes_on = ""

    @property
    def asked(self) -> bool:
        """True once a model was called."""
        return self._started is not None

    def take(self, event: Event) -> None:
        """One event of the turn."""
        match event:
            case TextDelta() | ThinkingDelta() | RefusalDelta() | ToolCallDelta():
                self._came.add(event)
            case Detected(detection):
                self._task = detection.task
            case Started():
                self._begun = self._goes_on
                self._started, self._came, self._usage = event, ReplyBuilder(), None
            case Usage():
                self._usage = event
            case FallingBack(failed, to, error) if failed == to:
                self._carry(event)  # the same model goes on; its attempt is told by Retrying
            case Retrying(ref, _, _, error) | FallingBack(ref, _, error):
                self._carry(event)
                used = self._usage or Usage(ref, Attempt(ref, "", 0).tokens, Cost(0, "exact"))
                status = getattr(error, "status", None)
                self._attempts.append(
                    Attempt(ref, error.kind, 0, used.tokens, used.cost, error.message, status)
                )

    def _carry(self, event: FallingBack | Retrying) -> None:
        """What stands of the answer, where the next call goes on from it."""
        if isinstance(event, FallingBack):
            self._goes_on = self._begun + self._came.reply().text if event.continues else ""

    def result(self, sessions: SessionStore | None) -> TurnResult:
        """The turn as far as it came; tokens and cost as they were recorded for what came."""
        at, came = self._started, self._came.reply()
        if at is None:
            return TurnResult("", self._task, None)
        stored = _message(sessions.messages(at.session_id) if sessions else (), at.message_id)
        attempts = list(self._attempts)
        if stored is not None:
            attempts.append(
                Attempt(at.ref, "stopped", stored.duration_s, stored.tokens, stored.cost)
            )
        last = attempts[-1] if attempts else Attempt(at.ref, "stopped", 0)
        return TurnResult(
            at.session_id,
            self._task,
            at.ref,
            text=self._begun + came.text,
            thinking=came.thinking,
            refusal=came.refusal,
            tool_calls=came.tool_calls,
            tokens=last.tokens,
            cost=total(attempts),
            attempts=tuple(attempts),
            duration_s=last.duration_s,
        )


def _message(messages: Sequence[StoredMessage], wanted: int) -> StoredMessage | None:
    return next((message for message in messages if message.id == wanted), None)
