"""The public JSON of a turn (docs/ask.schema.json): events as lines, the result as one object.

Field names and meanings here are a contract: they may be added to, never changed.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

from aircher.domain.chat import RefusalDelta, TextDelta, ThinkingDelta, ToolCallDelta
from aircher.domain.errors import AircherError, ProviderError
from aircher.domain.events import (
    Asking,
    Attempt,
    Compacted,
    Detected,
    Downgraded,
    Escalating,
    Event,
    Failed,
    FallingBack,
    Finished,
    Guarded,
    LimitAlert,
    Notice,
    Queued,
    Reserved,
    Retrying,
    Routed,
    Started,
    TurnResult,
    Usage,
)
from aircher.domain.guarding import Finding
from aircher.domain.inert import inert
from aircher.domain.messages import ToolCall
from aircher.domain.models import ModelRef
from aircher.domain.routes import Candidate, Estimate, Plan
from aircher.domain.tasks import Detection
from aircher.domain.usage import NANO_PER_USD, Cost, Tokens

_NAMES: dict[type[Any], str] = {
    Detected: "detected",
    Routed: "routed",
    Compacted: "compacted",
    Reserved: "reserved",
    Started: "started",
    TextDelta: "text",
    ThinkingDelta: "thinking",
    RefusalDelta: "refusal",
    ToolCallDelta: "tool_call",
    Retrying: "retrying",
    Queued: "queued",
    FallingBack: "falling_back",
    Escalating: "escalating",
    Downgraded: "downgraded",
    LimitAlert: "limit_alert",
    Notice: "notice",
    Guarded: "guarded",
    Asking: "asking",
    Usage: "usage",
}


def usd(nano: int | None) -> str | None:
    """Nano-dollars as decimal USD text, exact, without an exponent; None stays None."""
    if nano is None:
        return None
    return f"{(Decimal(nano) / NANO_PER_USD).normalize():f}"


def cost_json(cost: Cost) -> dict[str, Any]:
    """{"usd", "tag"}: usd is null where the price is unknown."""
    return {"usd": usd(cost.nano_usd), "tag": cost.tag}


def tokens_json(tokens: Tokens) -> dict[str, int | None]:
    """Token counts; null where the provider did not say."""
    return {
        "input_tokens": tokens.input,
        "cached_tokens": tokens.cached,
        "cache_write_tokens": tokens.cache_write,
        "output_tokens": tokens.output,
        "reasoning_tokens": tokens.reasoning,
    }


def error_json(error: AircherError) -> dict[str, Any]:
    """{"kind", "message", "hint", "status", "request_id"}."""
    foreign = error if isinstance(error, ProviderError) else None
    return {
        "kind": error.kind,
        "message": inert(error.message),
        "hint": inert(error.hint),
        "status": foreign.status if foreign else None,
        "request_id": foreign.request_id if foreign else None,
    }


def _attempt_json(attempt: Attempt) -> dict[str, Any]:
    return {
        "provider": attempt.ref.provider,
        "model": attempt.ref.model,
        "outcome": attempt.outcome,
        "status": attempt.status,
        "error": attempt.error or None,
        "usage": tokens_json(attempt.tokens),
        "cost": cost_json(attempt.cost),
        "duration_ms": round(attempt.duration_s * 1000),
    }


def result_json(result: TurnResult, error: AircherError | None) -> dict[str, Any]:
    """The object that ``--output-format json`` prints and ``stream-json`` ends with."""
    refusal = {"refusal": result.refusal} if result.refusal else {}
    return {
        "text": result.text,
        **refusal,
        "thinking": result.thinking,
        "tool_calls": [
            {"id": call.id, "name": call.name, "arguments": call.arguments}
            for call in result.tool_calls
        ],
        "session": result.session_id,
        "task": result.task,
        "provider": result.ref.provider if result.ref else None,
        "model": result.ref.model if result.ref else None,
        "finish_reason": result.finish_reason or None,
        "usage": tokens_json(result.tokens),
        "cost": cost_json(result.cost),
        "attempts": [_attempt_json(attempt) for attempt in result.attempts],
        "duration_ms": round(result.duration_s * 1000),
        "error": error_json(error) if error else None,
    }


def event_json(event: Event) -> dict[str, Any]:
    """One line of ``stream-json``; the last line is the result object itself."""
    match event:
        case Finished(result):
            return result_json(result, None)
        case Failed(error, result):
            return result_json(result, error)
        case Detected(detection):  # what it was read from is the user's own
            return {"event": _NAMES[Detected], "detection": detection_json(detection)}
        case _:
            return {"event": _NAMES[type(event)], **_plain_fields(event)}


def detection_json(detection: Detection) -> dict[str, Any]:
    """Task, confidence, evidence and scores."""
    return {
        "task": detection.task,
        "confidence": detection.confidence,
        "evidence": [_plain_fields(item) for item in detection.evidence],
        "scores": dict(detection.scores),
    }


def plan_json(plan: Plan) -> dict[str, Any]:
    """Strategy, candidates in order, and what was left out, each with its reason."""
    return {
        "task": plan.task,
        "strategy": plan.strategy,
        "candidates": [_plain(candidate) for candidate in plan.candidates],
        "rejected": [
            {
                "provider": item.ref.provider,
                "model": item.ref.model,
                "reason": item.reason,
                "key": item.key or None,
            }
            for item in plan.rejected
        ],
        "stronger": [_plain(candidate) for candidate in plan.stronger],
        "complexity": _plain_fields(plan.complexity) if plan.complexity else None,
        "fired": list(plan.fired),
        "untold": plan.untold,
    }


def _estimate_json(estimate: Estimate) -> dict[str, Any]:
    return {
        "prompt_tokens": estimate.prompt,
        "exact": estimate.exact,
        "max_output_tokens": estimate.max_output,
        "likely": cost_json(estimate.likely),
        "worst": cost_json(estimate.worst),
    }


def _plain_fields(value: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


def _plain(value: Any) -> Any:
    """Domain values as plain JSON values."""
    match value:
        case AircherError():
            return error_json(value)
        case Detection():
            return detection_json(value)
        case Plan():
            return plan_json(value)
        case Candidate(ref, reason, estimate, confidence, figure):
            return {
                "provider": ref.provider,
                "model": ref.model,
                "reason": reason,
                "estimate": _estimate_json(estimate) if estimate else None,
                "confidence": round(confidence, 3),
                "figure": figure or None,
            }
        case ModelRef(provider, model):
            return {"provider": provider, "model": model}
        case Cost():
            return cost_json(value)
        case Tokens():
            return tokens_json(value)
        case Finding():
            return {**_plain_fields(value), "where": value.where}
        case ToolCall():
            return {"id": value.id, "name": value.name, "arguments": value.arguments}
        case tuple() | list():
            return [_plain(item) for item in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return _plain_fields(value)
        case _:
            return value
