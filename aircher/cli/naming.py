"""Providers and tasks as users name them on the command line."""

from __future__ import annotations

from aircher.domain.errors import UsageError
from aircher.domain.routes import Rules
from aircher.domain.tasks import TASKS
from aircher.policy.route import nearest, provider_of


def provider_named(name: str, rules: Rules, *, usable: bool) -> str:
    """The provider's own name; "anthropic" is "claude".

    Raises ``UsageError`` for an unknown one, and with ``usable`` for one that cannot be used now,
    with the reason.
    """
    own = provider_of(name, rules)
    if usable and own in rules.unusable and own not in rules.order:
        raise UsageError(f"{own} cannot be used: {rules.unusable[own]}.")
    return own


def checked_task(name: str, rules: Rules) -> None:
    """Raises ``UsageError`` for a task that is neither built in nor the configuration's."""
    known = dict.fromkeys((*TASKS, *rules.own_tasks, *rules.tasks))
    if not name or name in known:
        return
    near = nearest(name, known)
    hint = f"Did you mean {near}?" if near else f"Tasks are: {', '.join(known)}."
    raise UsageError(f"There is no task {name!r}.", hint=hint)


def checked_model(name: str, rules: Rules) -> None:
    """Raises ``UsageError`` for "provider/model" with what looks like a misspelt provider.

    Other slashes are left alone: many vendors have models such as "openai/gpt-oss-20b".
    """
    head, slash, model = name.partition("/")
    known = (*rules.order, *rules.unusable, *rules.aliases)
    if not slash or head in known:
        return
    from difflib import get_close_matches

    if near := get_close_matches(head, known, 1, cutoff=0.75):
        raise UsageError(f"No provider is named {head!r}.", hint=f"Did you mean {near[0]}/{model}?")
