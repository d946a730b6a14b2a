"""The guard as the program makes it, for tests."""

from __future__ import annotations

from functools import cache

from aircher.bootstrap.guarding import load_guard_rules
from aircher.domain.settings import Settings
from aircher.engine.guard import Guard
from aircher.policy.guard import GuardPolicy, Rules
from aircher.policy.route.fitness import is_local


@cache
def guard_rules() -> Rules:
    """The shipped rules, read once."""
    return load_guard_rules()


def guarding(
    settings: Settings, policy: GuardPolicy | None = None, ignored: frozenset[str] = frozenset()
) -> Guard:
    """A guard with the shipped rules over these settings."""
    return Guard(
        guard_rules,
        policy or GuardPolicy(),
        local=lambda ref: is_local(ref, settings.rules),
        ignored=lambda path: path in ignored,
    )
