"""Providers and tasks as users name them on the command line."""

from __future__ import annotations

from aircher.domain.errors import UsageError
from aircher.domain.routes import Rules
from aircher.domain.tasks import TASKS


def provider_named(name: str, rules: Rules, *, usable: bool) -> str:
    """The provider's own name; "anthropic" is "claude".

    Raises ``UsageError`` for an unknown one, and with ``usable`` for one that cannot be used now,
    with the reason.
    """
    own = rules.aliases.get(name, name)
    if own in rules.order or (own in rules.unusable and not usable):
        return own
    if own in rules.unusable:
        raise UsageError(f"{own} cannot be used: {rules.unusable[own]}.")
    raise UsageError(
        f"No provider is named {name!r}.", hint="`aircher provider list` shows who is set up."
    )


def checked_task(name: str, rules: Rules) -> None:
    """Raises ``UsageError`` for a task that is neither built in nor the configuration's."""
    known = dict.fromkeys((*TASKS, *rules.own_tasks, *rules.tasks))
    if not name or name in known:
        return
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1)
    hint = f"Did you mean {near[0]}?" if near else f"Tasks are: {', '.join(known)}."
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
