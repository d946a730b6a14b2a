"""The engine with its events written to the log: which fields of each, and nothing of the text."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from aircher.bootstrap.logs import Value, note
from aircher.domain import events as ev
from aircher.domain.errors import AircherError, ProviderError
from aircher.domain.models import ModelRef
from aircher.domain.turns import TurnRequest
from aircher.domain.usage import NANO_PER_USD, Cost, Tokens
from aircher.engine.ports import EnginePorts
from aircher.engine.turn import Engine

Facts = Mapping[str, Value]


def _ref(ref: ModelRef | None) -> Facts:
    return {"provider": ref.provider, "model": ref.model} if ref else {}


def _error(error: AircherError) -> Facts:
    """Its kind; what a provider said stays out, since it may quote what was sent."""
    if isinstance(error, ProviderError):
        return {"kind": error.kind, "status": error.status, "request_id": error.request_id}
    return {"kind": error.kind}


def _money(tokens: Tokens, cost: Cost) -> Facts:
    usd = None if cost.nano_usd is None else cost.nano_usd / NANO_PER_USD
    counted = {"input_tokens": tokens.input, "output_tokens": tokens.output}
    return {**counted, "cost_usd": usd, "cost_tag": cost.tag}


def _result(result: ev.TurnResult) -> Facts:
    return {
        **_ref(result.ref),
        **_money(result.tokens, result.cost),
        "session": result.session_id,
        "outcome": result.outcome,
        "finish_reason": result.finish_reason,
        "duration_s": round(result.duration_s, 3),
        "first_token_s": result.first_token_s,
    }


_FACTS: Mapping[type[Any], tuple[str, int, Callable[[Any], Facts]]] = {
    ev.Detected: (
        "detected",
        logging.INFO,
        lambda e: {"task": e.detection.task, "confidence": e.detection.confidence},
    ),
    ev.Routed: (
        "routed",
        logging.INFO,
        lambda e: {
            "task": e.plan.task,
            "strategy": e.plan.strategy,
            "candidates": " ".join(str(candidate.ref) for candidate in e.plan.candidates),
        },
    ),
    ev.Compacted: ("compacted", logging.INFO, lambda e: {"before": e.before, "after": e.after}),
    ev.Guarded: ("guarded", logging.WARNING, lambda e: {"found": len(e.findings)}),
    ev.Reserved: ("reserved", logging.DEBUG, lambda e: _ref(e.candidate.ref)),
    ev.Queued: ("queued", logging.INFO, lambda e: {**_ref(e.ref), "wait_s": e.wait_s}),
    ev.Started: (
        "started",
        logging.INFO,
        lambda e: {**_ref(e.ref), "attempt": e.attempt, "session": e.session_id},
    ),
    ev.Retrying: (
        "retrying",
        logging.WARNING,
        lambda e: {**_ref(e.ref), **_error(e.error), "attempt": e.attempt, "wait_s": e.wait_s},
    ),
    ev.FallingBack: (
        "falling_back",
        logging.WARNING,
        lambda e: {**_ref(e.failed), **_error(e.error), "to": str(e.to)},
    ),
    ev.Downgraded: ("downgraded", logging.INFO, lambda e: {**_ref(e.wanted), "to": str(e.to)}),
    ev.LimitAlert: (
        "limit_alert",
        logging.WARNING,
        lambda e: {"at_limit": e.name, "share": e.share},
    ),
    ev.Asking: ("asking", logging.INFO, lambda e: {"kind": e.question.kind}),
    ev.Usage: ("usage", logging.INFO, lambda e: {**_ref(e.ref), **_money(e.tokens, e.cost)}),
    ev.Finished: ("finished", logging.INFO, lambda e: _result(e.result)),
    ev.Failed: (
        "failed",
        logging.ERROR,
        lambda e: {**_result(e.result), **_error(e.error)},
    ),
}
"""Event -> its name, its level, and what is written of it; events of text are not written."""


class LoggedEngine(Engine):
    """An engine whose turns are logged; ``prompts`` adds what was asked and answered."""

    def __init__(self, ports: EnginePorts, *, prompts: bool) -> None:
        super().__init__(ports)
        self._prompts = prompts

    async def turn(self, request: TurnRequest) -> AsyncGenerator[ev.Event, None]:
        """As ``Engine.turn``."""
        if self._prompts:
            note("prompt", prompt=request.text, session=request.session_id)
        turn = super().turn(request)
        try:
            async for event in turn:
                self._note(event)
                yield event
        finally:
            await turn.aclose()

    def _note(self, event: ev.Event) -> None:
        if row := _FACTS.get(type(event)):
            name, level, facts = row
            note(name, level, **facts(event))
        if self._prompts and isinstance(event, (ev.Finished, ev.Failed)):
            note("answer", answer=event.result.text, session=event.result.session_id)
