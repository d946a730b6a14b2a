"""A choice in lines for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aircher.cli.contract import detection_json, plan_json
from aircher.cli.narration import money
from aircher.cli.table import table
from aircher.domain.routes import Candidate, Plan, Rules
from aircher.domain.turns import Preview
from aircher.policy.explain import explain


def lines(preview: Preview, rules: Rules) -> Iterator[str]:
    """Task and why, models in order and why, what was left out, what to change."""
    detection, plan = preview.detection, preview.plan
    why = explain(preview, rules)
    yield f"task        {detection.task}  (confidence {detection.confidence:.2f})"
    for item in detection.evidence:
        yield f"  because   {item.source}: {item.detail}  -> {item.task} {item.weight:+.2f}"
    if len(why.scores) > 1:
        yield "  scores    " + ", ".join(f"{task} {score:.2f}" for task, score in why.scores[:5])
    yield from (f"  seen      {name}: {value}" for name, value in why.signals)
    if plan.complexity is not None:
        factors = ", ".join(plan.complexity.factors) or "nothing in it adds to it"
        yield f"complexity  {plan.complexity.score} of 10  ({factors})"
    yield from (f"rule        {name}" for name in plan.fired)
    yield f"strategy    {plan.strategy}"
    yield ""
    yield from _models(plan)
    if why.gap:
        yield f"price gap   {why.gap}"
    if plan.rejected:
        yield ""
        yield from (f"left out    {item.ref}: {item.reason}" for item in plan.rejected)
    yield ""
    yield "to change it"
    yield from table(("", ""), [(f"  {one.key}", one.what) for one in why.changes]).splitlines()[1:]


def _models(plan: Plan) -> Iterator[str]:
    for number, candidate in enumerate(plan.candidates):
        label = "model" if number == 0 else "then"
        yield f"{label:<11} {candidate.ref}  ({candidate.reason})"
        yield f"{'':<11}   {_figures(candidate)}"
    for candidate in plan.stronger:
        yield f"{'if it fails':<11} {candidate.ref}  ({candidate.reason})"
        yield f"{'':<11}   {_figures(candidate)}"


def _figures(candidate: Candidate) -> str:
    """Size, cost range, how sure the place is, and what the strategy compared."""
    said = [f"{candidate.confidence:.0%} sure", *filter(None, [candidate.figure])]
    estimate = candidate.estimate
    if estimate is None:
        return "; ".join(said)
    size = f"{'' if estimate.exact else '~'}{estimate.prompt:,} tokens in"
    if not estimate.worst.nano_usd:
        return "; ".join([f"{size}, {money(estimate.likely)}", *said])
    cost = f"{size}, about {money(estimate.likely)}, at most {money(estimate.worst)}"
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
