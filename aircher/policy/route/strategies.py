"""The strategies: each one pure function that orders models, and the table of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from aircher.domain.models import ModelRef
from aircher.domain.routes import Rules
from aircher.policy.route.names import resolve
from aircher.policy.route.situation import Situation

Proposal = tuple[ModelRef, str]
"""A model and why it is proposed."""

CHOSEN = frozenset({"you chose this model", "you chose this provider"})
"""Reasons of what the user asked for by name: not to be replaced by something else."""


def distinct(proposals: Iterator[Proposal]) -> Iterator[Proposal]:
    """Each model once, with the first reason it was proposed for."""
    seen: set[ModelRef] = set()
    for ref, reason in proposals:
        if ref not in seen:
            seen.add(ref)
            yield ref, reason


def _wished(rules: Rules, situation: Situation) -> Iterator[Proposal]:
    wish = situation.wish
    provider = rules.aliases.get(wish.provider, wish.provider)
    if wish.model and provider:
        yield ModelRef(provider, wish.model.removeprefix(f"{provider}/")), "you chose this model"
    elif wish.model:
        yield resolve(wish.model, rules, situation.facts), "you chose this model"
    elif provider:
        yield _model_of(provider, rules, situation.task), "you chose this provider"


def _model_of(provider: str, rules: Rules, task: str) -> ModelRef:
    """The provider's model for a task: the task's own rule first, then its default."""
    rule = rules.tasks.get(task)
    if rule is not None:
        for ref in (rule.preferred, *rule.fallbacks):
            if ref.provider == provider:
                return ref
    own = rules.task_models.get(provider, {}).get(task) or rules.models.get(provider, "")
    return ModelRef(provider, own)


def by_task(rules: Rules, situation: Situation) -> Iterator[Proposal]:
    """The user's wish, the task's rule and its fallbacks, then every provider in order."""
    task = situation.task
    yield from _wished(rules, situation)
    rule = rules.tasks.get(task)
    if rule is not None:
        yield rule.preferred, f"{task} ({rule.origin})"
        for ref in rule.fallbacks:
            yield ref, f"fallback of {task} ({rule.origin})"
    for number, provider in enumerate(rules.order):
        reason = "the default provider" if number == 0 else "next in fallback_order"
        yield _model_of(provider, rules, task), reason


def by_cost(rules: Rules, situation: Situation) -> Iterator[Proposal]:
    """The same models, the cheapest for this prompt first; unknown prices last."""
    yield from _wished(rules, situation)

    def price(proposal: Proposal) -> tuple[bool, int]:
        nano = situation.estimate(proposal[0]).likely.nano_usd
        return nano is None, nano or 0

    for ref, _ in sorted(distinct(by_task(rules, situation)), key=price):
        yield ref, "cheapest for this prompt" if ref not in situation.blocked else "cheap"


STRATEGIES: dict[str, Callable[[Rules, Situation], Iterator[Proposal]]] = {
    "task": by_task,
    "cost": by_cost,
}
