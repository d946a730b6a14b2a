"""A choice in lines for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aircher.cli.contract import detection_json, plan_json
from aircher.cli.narration import money
from aircher.cli.table import table
from aircher.domain.routes import Candidate, Plan, Rules
from aircher.domain.turns import Preview
from aircher.policy.account import LEAST_SHARE
from aircher.policy.explain import Reason, explain


def lines(preview: Preview, rules: Rules) -> Iterator[str]:
    """Task and why, models in order and why, what was left out, what to change."""
    detection, plan = preview.detection, preview.plan
    why = explain(preview, rules)
    nothing = ", no kind in particular" if detection.task == "default" else ""
    yield f"task        {detection.task}{nothing}  ({_sure(preview)})"
    yield from (f"  because   {one.words}{_strength(one)}" for one in why.reasons)
    yield from (
        f"  though    {one.words}: speaks for {one.task}{_strength(one)}" for one in why.against
    )
    scores = [(task, share) for task, share in why.scores[:5] if share >= LEAST_SHARE]
    if len(scores) > 1:
        yield "  scores    " + ", ".join(f"{task} {score:.0%}" for task, score in scores)
    yield from (f"  seen      {name}: {value}" for name, value in why.signals)
    if plan.complexity is not None:
        factors = ", ".join(plan.complexity.factors) or "nothing in it adds to it"
        yield f"complexity  {plan.complexity.score} of 10  ({factors})"
    yield from (f"rule        {name}" for name in plan.fired)
    yield f"strategy    {plan.strategy}"
    yield ""
    yield from _models(plan, detection.confidence)
    if why.gap:
        yield f"price gap   {why.gap}"
    if plan.rejected:
        yield ""
        yield from (f"left out    {item.ref}: {item.reason}" for item in plan.rejected)
    if plan.untold:
        yield f"left out    {plan.untold:,} more, which stand behind these or cannot take it"
    yield ""
    yield "to change it"
    yield from table(("", ""), [(f"  {one.key}", one.what) for one in why.changes]).splitlines()[1:]


def _sure(preview: Preview) -> str:
    by_you = any(item.source == "user" for item in preview.detection.evidence)
    return "your choice" if by_you else f"{preview.detection.confidence:.0%} sure"


def _strength(reason: Reason) -> str:
    return f" ({reason.strength})" if reason.strength else ""


def _models(plan: Plan, of_task: float) -> Iterator[str]:
    for number, candidate in enumerate(plan.candidates):
        label = "model" if number == 0 else "then"
        yield f"{label:<11} {candidate.ref}  ({candidate.reason})"
        yield f"{'':<11}   {_figures(candidate, of_task)}"
    for candidate in plan.stronger:
        yield f"{'if poor':<11} {candidate.ref}  ({candidate.reason})"
        yield f"{'':<11}   {_figures(candidate, 1.0)}"


def _figures(candidate: Candidate, of_task: float) -> str:
    """Size, cost range, what the strategy compared, and how sure the place is where that is another
    thing than how sure the task is.
    """
    estimate = candidate.estimate
    price = money(estimate.likely) if estimate else ""
    said = [candidate.figure] if candidate.figure not in {"", price} else []
    if candidate.confidence not in {1.0, of_task}:
        said.append(f"{candidate.confidence:.0%} sure of its place")
    if estimate is None:
        return "; ".join(said)
    size = f"{'' if estimate.exact else '~'}{estimate.prompt:,} tokens in"
    if not estimate.worst.nano_usd:
        return "; ".join([f"{size}, {money(estimate.likely)}", *said])
    about = "" if price.startswith(("<", "~")) else "about "
    cost = f"{size}, {about}{price}, at most {money(estimate.worst)}"
    return "; ".join([cost, *said])


def explanation_json(preview: Preview, rules: Rules) -> dict[str, Any]:
    """``aircher route --json``: detection, plan, and why."""
    why = explain(preview, rules)
    return {
        "detection": detection_json(preview.detection),
        "plan": plan_json(preview.plan),
        "signals": dict(why.signals),
        "price_gap": why.gap or None,
        "change": [{"key": one.key, "what": one.what} for one in why.changes],
    }
