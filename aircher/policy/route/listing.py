"""The models that the rules name, for lists: without any request."""

from __future__ import annotations

from collections.abc import Collection

from aircher.domain.models import ModelRef
from aircher.domain.routes import Rules


def configured(rules: Rules, providers: Collection[str] = ()) -> list[ModelRef]:
    """Every usable provider's models: its own, those of its tiers and tasks, and the user's.

    ``providers`` narrows it; each model stands once, in the order of the providers.
    """
    names = [name for name in rules.order if not providers or name in providers]
    refs = [
        ModelRef(name, model)
        for name in names
        for model in (
            rules.models.get(name, ""),
            *rules.task_models.get(name, {}).values(),
            *rules.provider_tiers.get(name, {}).values(),
        )
        if model
    ]
    for rule in rules.tasks.values():
        refs += [rule.preferred, *rule.fallbacks]
    refs += [*rules.tiers.models.values(), *rules.more]
    refs += [rule.use for rule in rules.special if rule.use is not None]
    known = [ref for ref in dict.fromkeys(refs) if ref.provider in names and ref.model]
    return sorted(known, key=lambda ref: names.index(ref.provider))
