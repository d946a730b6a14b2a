"""Providers as users name them on the command line."""

from __future__ import annotations

from aircher.domain.errors import UsageError
from aircher.domain.routes import Rules


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
