"""Which model a user means by a name."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aircher.domain.errors import UsageError
from aircher.domain.models import ModelFacts, ModelRef
from aircher.domain.routes import Rules


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is most like this one; "" where none is like it."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, list(known), 1)), "")


def provider_of(name: str, rules: Rules) -> str:
    """The provider's own name; "anthropic" is "claude".  Raises ``UsageError`` for an unknown one."""
    own = rules.aliases.get(name, name)
    known = (*rules.order, *rules.unusable)
    if own in known:
        return own
    near = nearest(name, (*known, *rules.aliases))
    hint = f"Did you mean {near}? " if near else ""
    raise UsageError(
        f"No provider is named {name!r}.",
        hint=f"{hint}`aircher provider list` shows who is set up.",
    )


def provider_or_model(name: str, rules: Rules, seen: Iterable[ModelRef]) -> ModelRef:
    """What "provider" or "provider/model" names: one that is set up, and nothing is guessed.

    ``seen`` are models of which something is known besides those that the rules name.  Raises
    ``UsageError`` with the nearest name.
    """
    head, _, model = name.partition("/")
    provider = provider_of(head, rules)
    ours = (one.model for one in (*rules.named, *seen) if one.provider == provider and one.model)
    known = list(dict.fromkeys(ours))
    if not model or model in known:
        return ModelRef(provider, model)
    near = nearest(model, known)
    names = ", ".join(f"{provider}/{one}" for one in known)
    hint = f"Did you mean {provider}/{near}?" if near else f"Known are: {names}."
    raise UsageError(
        f"{provider} has no model {model!r} in your settings or in what was seen of it.",
        hint=hint if known else f"`{provider}` alone means all of its models.",
    )


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
