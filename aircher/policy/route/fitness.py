"""Why a model cannot take a request, or should not.

Two tables of checks.  What ``UNFIT`` finds holds for everybody; what ``UNWANTED`` finds are the
user's own limits, which a model that the user asked for by name goes over.  Each check returns
the reason and the configuration key that would let the model in, or None.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from aircher.domain.models import ModelFacts, ModelRef
from aircher.domain.routes import Rules
from aircher.domain.usage import dollars
from aircher.policy.estimate import fits
from aircher.policy.route.situation import Situation

Obstacle = tuple[str, str]
"""A reason, and the configuration key that would change it ("" where none would)."""

Check = Callable[[ModelRef, ModelFacts, Rules, Situation], Obstacle | None]


def is_local(ref: ModelRef, rules: Rules) -> bool:
    """True if the model runs on this machine: by its provider, and not as one of its models
    that a server here only passes on.
    """
    if ref.provider not in rules.local:
        return False
    elsewhere = rules.local[ref.provider]
    return not (elsewhere and re.search(elsewhere, ref.model))


def _unusable(
    ref: ModelRef, facts: ModelFacts, rules: Rules, situation: Situation
) -> Obstacle | None:
    del facts
    if ref in situation.wish.barred:
        return situation.wish.barred[ref], ""
    if ref.provider in rules.unusable:
        return rules.unusable[ref.provider], f"providers.{ref.provider}"
    if ref.provider not in rules.order:
        return f"no provider named {ref.provider!r} is configured", "providers"
    if not ref.model:
        return f"no model is configured for {ref.provider}", f"providers.{ref.provider}.model"
    return None


def _elsewhere(
    ref: ModelRef, facts: ModelFacts, rules: Rules, situation: Situation
) -> Obstacle | None:
    del facts
    if situation.local and not is_local(ref, rules):
        return "does not run on this machine, and this request must not leave it", ""
    return None


def _lacking(
    ref: ModelRef, facts: ModelFacts, rules: Rules, situation: Situation
) -> Obstacle | None:
    required = required_of(rules, situation)
    key = f"models.custom.{str(ref)!r}.features".replace("'", '"')
    if situation.task in rules.tasks and rules.tasks[situation.task].required_features:
        key = f"models.task.{situation.task}.required_features"
    if "local" in required and not is_local(ref, rules):
        return "does not run on this machine", key
    missing = required - {"local"} - (facts.features or frozenset())
    if facts.features is not None and missing:
        return f"has no {', '.join(sorted(missing))}", key
    return None


def required_of(rules: Rules, situation: Situation) -> frozenset[str]:
    """The features that the request, or the user for its task, requires."""
    rule = rules.tasks.get(situation.task)
    return situation.needs | (rule.required_features if rule else frozenset())


def unsure(ref: ModelRef, rules: Rules, situation: Situation) -> str:
    """The required features of which it is not known whether the model has them, in words."""
    if situation.facts(ref).features is not None:
        return ""
    return ", ".join(sorted(required_of(rules, situation) - {"local"}))


def _small(ref: ModelRef, facts: ModelFacts, rules: Rules, situation: Situation) -> Obstacle | None:
    del rules
    prompt = situation.estimate(ref).prompt
    if fits(facts, prompt):
        return None
    window = f"window of {facts.context_window:,} tokens is too small for {prompt:,}"
    return window, f'models.custom."{ref}".context_window'


def _dear(ref: ModelRef, facts: ModelFacts, rules: Rules, situation: Situation) -> Obstacle | None:
    del ref
    rule = rules.tasks.get(situation.task)
    if rule is None or not rule.max_cost_per_1k or facts.free:
        return None
    key = f"models.task.{situation.task}.max_cost_per_1k"
    if facts.input_price is None or facts.output_price is None:
        return "its price is not known, and max_cost_per_1k is set", key
    price = (facts.input_price + facts.output_price) / 2 / 1000
    if price <= Decimal(rule.max_cost_per_1k):
        return None
    return f"${price.normalize():f} per 1,000 tokens is over max_cost_per_1k", key


def _poor(ref: ModelRef, facts: ModelFacts, rules: Rules, situation: Situation) -> Obstacle | None:
    del ref
    rule = rules.tasks.get(situation.task)
    if rule is None or rule.min_quality is None:
        return None
    key = f"models.task.{situation.task}.min_quality"
    if facts.quality is None:
        return f"its quality is not known, and min_quality is {rule.min_quality:g}", key
    if facts.quality.score < rule.min_quality:
        return f"quality {facts.quality.score:g} is below min_quality {rule.min_quality:g}", key
    return None


def _costly(
    ref: ModelRef, facts: ModelFacts, rules: Rules, situation: Situation
) -> Obstacle | None:
    most = rules.preferences.max_cost_nano
    if most is None or facts.free:
        return None
    worst = situation.estimate(ref).worst.nano_usd
    key = "routing.max_cost_per_request"
    if worst is None:
        return "its price is not known, and max_cost_per_request is set", key
    if worst > most:
        return f"may cost {dollars(worst)}, over max_cost_per_request {dollars(most)}", key
    return None


def _slow(ref: ModelRef, facts: ModelFacts, rules: Rules, situation: Situation) -> Obstacle | None:
    del facts
    most = rules.preferences.max_response_s
    if most is None:
        return None
    expected = response_time(ref, situation)
    if expected is not None and expected > most:
        key = "routing.max_response_time"
        return f"took about {expected:.1f} s here, over max_response_time {most:g} s", key
    return None


def response_time(ref: ModelRef, situation: Situation) -> float | None:
    """Seconds to the whole of a usual answer, by what was measured here; None if nothing was."""
    speed = situation.speed(ref)
    if speed is None:
        return None
    if speed.tokens_per_s is None:
        return speed.first_token_s
    return speed.first_token_s + situation.estimate(ref).likely_output / speed.tokens_per_s


LASTING: tuple[Check, ...] = (_elsewhere, _lacking, _dear, _poor)
"""What of these does not depend on the prompt, nor on who is well just now."""

UNFIT: tuple[Check, ...] = (_unusable, _elsewhere, _lacking, _small)
UNWANTED: tuple[Check, ...] = (_dear, _poor, _costly, _slow)


def obstacle(
    ref: ModelRef, rules: Rules, situation: Situation, *, by_name: bool = False
) -> Obstacle | None:
    """The first thing in the way, or None.  ``by_name``: the user asked for this very model."""
    facts = situation.facts(ref)
    for check in UNFIT if by_name else (*UNFIT, *UNWANTED):
        if found := check(ref, facts, rules, situation):
            return found
    return None
