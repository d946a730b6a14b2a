"""What a headless turn tells on stderr: one short line an event."""

from __future__ import annotations

from aircher.domain.errors import AircherError
from aircher.domain.events import (
    Compacted,
    Detected,
    Downgraded,
    Escalating,
    Event,
    FallingBack,
    Finished,
    Guarded,
    LimitAlert,
    Notice,
    Queued,
    Retrying,
    Routed,
)
from aircher.domain.guarding import guarded
from aircher.domain.inert import inert
from aircher.domain.spans import lasting
from aircher.domain.usage import Cost, dollars

_ENDS = {
    "length": "; cut at the longest reply allowed (--max-output, or chat.max_output)",
    "content_filter": "; the provider's filter withheld it, or a part of it",
    "refused": "; the model refused",
    "tool_calls": "; the model wants tools called (--output-format json shows them)",
}
"""What a reply that did not simply end is told with."""


def money(cost: Cost) -> str:
    """A cost for people: "$0.0012", "~$0.0012" if estimated, "free", "price unknown"."""
    if cost.nano_usd is None:
        return "price unknown"
    if cost.nano_usd == 0 and cost.tag == "exact":
        return "free"
    return ("~" if cost.tag == "estimated" else "") + dollars(cost.nano_usd)


def narrate(event: Event) -> str:
    """The line for an event, or "" where there is nothing to say."""
    return inert(_line(event))


def _line(event: Event) -> str:
    match event:
        case Detected(detection):
            why = "; ".join(
                e.words for e in detection.evidence if e.task == detection.task and e.detail
            )
            return f"task: {detection.task} ({why})" if why else f"task: {detection.task}"
        case Routed(plan):
            first = plan.first
            cost = f", {_expected(first.estimate.likely)}" if first.estimate else ""
            return f"model: {first.ref} ({first.reason}{cost})"
        case Compacted(messages, before, after, _, cost):
            said = f"{messages} older messages summarised, ~{before} -> ~{after} tokens"
            return f"compacted: {said}" + (f", {money(cost)}" if cost else "")
        case Retrying(ref, _, wait_s, error):
            return f"retry: {ref} in {wait_s:.1f} s ({error.message})"
        case Queued(ref, position, wait_s, reason):
            place = "" if position <= 1 else f", number {position} in the queue"
            return f"queue: {ref} in {lasting(wait_s)}{place} ({reason})"
        case FallingBack():
            return _fallback(event)
        case Escalating(before, to, reason) | Downgraded(before, to, reason):
            step = "escalation" if isinstance(event, Escalating) else "downgrade"
            return f"{step}: {before} -> {to} ({reason.removesuffix('.')})"
        case LimitAlert(text=text):
            return f"limit: {text}"
        case Guarded(findings):
            return f"guard: {guarded(findings)}"
        case Notice(text):
            return f"note: {text}"
        case Finished(result):
            tokens = result.tokens
            counts = f"{_count(tokens.input)} in, {_count(tokens.output)} out"
            how = "" if result.finish_reason == "budget" else _ENDS.get(result.outcome or "", "")
            return f"done: {counts}, {money(result.cost)}, {result.duration_s:.1f} s{how}"
        case _:
            return ""


def _fallback(event: FallingBack) -> str:
    error = event.error
    said = error.message.removesuffix(".")
    if error.needs_user and error.hint:
        said = f"{said}. {error.hint.removesuffix('.')}"
    if event.continues:
        said += "; it goes on where the answer broke off"
    elif event.kept:
        said += "; the part above stays, the answer begins anew"
    if event.reason:
        said += f"; {event.reason}"
    return f"fallback: {event.failed} -> {event.to} ({said})"


def _expected(cost: Cost) -> str:
    if cost.nano_usd is None or cost.nano_usd == 0:
        return money(cost)
    return f"about {dollars(cost.nano_usd)}"


def _count(tokens: int | None) -> str:
    return "?" if tokens is None else f"{tokens:,}"


def complaint(error: AircherError) -> str:
    """An error as one or two lines."""
    text = f"aircher: {error.message}"
    return inert(f"{text}\n  {error.hint}" if error.hint else text)
