"""Which models there are to choose from, and the tier each stands for."""

from __future__ import annotations

from collections.abc import Iterator

from aircher.domain.models import ModelRef
from aircher.domain.preferences import TIERS
from aircher.domain.routes import Rules
from aircher.policy.route.situation import Situation


def tier_for(rules: Rules, situation: Situation) -> tuple[str, str]:
    """The tier this request should get, and why it is not the task's own ("" where it is)."""
    if situation.tier:
        return situation.tier, ""
    tier = rules.tiers.of_task.get(situation.task, "medium")
    score = situation.complexity.score
    if score >= rules.tiers.powerful_from and tier != TIERS[-1]:
        return TIERS[TIERS.index(tier) + 1], f"complexity {score}"
    if situation.task == "default" and score <= rules.tiers.cheap_up_to:
        return TIERS[0], f"complexity {score}"
    return tier, ""


def model_of(provider: str, rules: Rules, situation: Situation) -> ModelRef:
    """The provider's model for this request: the task's own rule first, then its tier's."""
    rule = rules.tasks.get(situation.task)
    if rule is not None:
        for ref in (rule.preferred, *rule.fallbacks):
            if ref.provider == provider:
                return ref
    default = rules.models.get(provider, "")
    tiers = rules.provider_tiers.get(provider)
    if tiers:
        tier, _ = tier_for(rules, situation)
        return ModelRef(provider, tiers.get(tier) or default)
    return ModelRef(provider, rules.task_models.get(provider, {}).get(situation.task) or default)


def pool(rules: Rules, situation: Situation) -> Iterator[ModelRef]:
    """Every model that was configured or that a usable provider's tiers name, each once."""
    if situation.board is not None and situation.board.rules is rules:
        return iter(situation.board.pool(situation))
    return iter(dict.fromkeys(all_of(rules, situation)))


def all_of(rules: Rules, situation: Situation) -> Iterator[ModelRef]:
    """The same, worked out anew, some of them more than once."""
    rule = rules.tasks.get(situation.task)
    if rule is not None:
        yield rule.preferred
        yield from rule.fallbacks
    yield from rules.tiers.models.values()
    for provider in rules.order:
        yield model_of(provider, rules, situation)
        for model in rules.provider_tiers.get(provider, {}).values():
            yield ModelRef(provider, model)
    yield from rules.more


def rank(ref: ModelRef, rules: Rules) -> int | None:
    """Which tier a model stands for (0 = cheap); the highest of several; None if for none."""
    own = [TIERS.index(tier) for tier, model in rules.tiers.models.items() if model == ref]
    tiers = rules.provider_tiers.get(ref.provider, {})
    own += [TIERS.index(tier) for tier, model in tiers.items() if model == ref.model]
    return max(own, default=None)
