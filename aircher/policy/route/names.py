"""Which model a user means by a name."""

from __future__ import annotations

from collections.abc import Callable

from aircher.domain.models import ModelFacts, ModelRef
from aircher.domain.routes import Rules


def resolve(name: str, rules: Rules, facts: Callable[[ModelRef], ModelFacts]) -> ModelRef:
    """The model a user means by ``name``: "provider/model", a provider, or a bare model.

    A bare model belongs to the first provider in the user's order that the rules name it for,
    else to the first whose catalogue knows it, else to the first provider.
    """
    head, slash, tail = name.partition("/")
    head = rules.aliases.get(head, head)
    known = (*rules.order, *rules.unusable)
    if slash and head in known:
        return ModelRef(head, tail)
    if head in known and not slash:
        return ModelRef(head, rules.models.get(head, ""))
    for provider in rules.order:
        if name in (rules.models.get(provider), *rules.task_models.get(provider, {}).values()):
            return ModelRef(provider, name)
    for rule in rules.tasks.values():
        for ref in (rule.preferred, *rule.fallbacks):
            if ref.model == name:
                return ref
    for ref in (*rules.more, *rules.tiers.models.values()):
        if ref.model == name:
            return ref
    refs = [ModelRef(provider, name) for provider in rules.order]
    listed = (ref for ref in refs if facts(ref).input_price is not None)
    return next(listed, refs[0] if refs else ModelRef("", name))
