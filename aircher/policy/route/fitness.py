"""Why a model cannot take a request."""

from __future__ import annotations

from decimal import Decimal

from aircher.domain.models import ModelRef
from aircher.domain.routes import Rules
from aircher.policy.estimate import fits
from aircher.policy.route.situation import Situation


def unfit(ref: ModelRef, rules: Rules, situation: Situation) -> str:
    """Why this model cannot take the request, or ""."""
    if ref in situation.wish.barred:
        return situation.wish.barred[ref]
    if ref.provider in rules.unusable:
        return rules.unusable[ref.provider]
    if ref.provider not in rules.order:
        return f"no provider named {ref.provider!r} is configured"
    if not ref.model:
        return f"no model is configured for {ref.provider}"
    facts = situation.facts(ref)
    required = situation.needs
    if situation.task in rules.tasks:
        required |= rules.tasks[situation.task].required_features
    if facts.features is not None and (missing := required - facts.features):
        return f"has no {', '.join(sorted(missing))}"
    prompt = situation.estimate(ref).prompt
    if not fits(facts, prompt):
        return f"window of {facts.context_window:,} tokens is too small for {prompt:,}"
    return ""


def dear(ref: ModelRef, rules: Rules, situation: Situation) -> str:
    """Why the task's price limit leaves this model out, or ""; a wish goes over the limit."""
    rule = rules.tasks.get(situation.task)
    if rule is None or not rule.max_cost_per_1k:
        return ""
    facts = situation.facts(ref)
    if facts.free:
        return ""
    if facts.input_price is None or facts.output_price is None:
        return "its price is not known, and max_cost_per_1k is set"
    price = (facts.input_price + facts.output_price) / 2 / 1000
    if price <= Decimal(rule.max_cost_per_1k):
        return ""
    return f"${price.normalize():f} per 1,000 tokens is over max_cost_per_1k"
