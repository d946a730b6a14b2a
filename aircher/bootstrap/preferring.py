"""[routing] as the policy takes it: rules, tiers, preferences and gates.  No IO."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator

from aircher.config.load import Config
from aircher.config.routing_schema import DAYS, RuleConfig
from aircher.config.values import parse_hours
from aircher.domain.errors import ConfigError
from aircher.domain.models import ModelRef
from aircher.domain.preferences import (
    TIERS,
    Condition,
    Gates,
    Hours,
    Preferences,
    SpecialRule,
    Tiers,
    Weights,
)
from aircher.domain.usage import usd_to_nano

TASK_TIERS = {
    "commit_messages": "cheap",
    "summaries": "cheap",
    "quick_questions": "cheap",
    "documentation": "medium",
    "default": "medium",
    "code_review": "powerful",
    "refactoring": "powerful",
    "debugging": "powerful",
    "code_generation": "powerful",
}
"""Which tier a task gets where the user says nothing: the cheap model for the cheap question."""

Named = Callable[[str], ModelRef]
"""The model that a name of the user's means."""


def preferences(config: Config) -> Preferences:
    """What goes first among equals, and the limits on a request."""
    routing = config.routing
    most = routing.max_cost_per_request
    return Preferences(
        # costs.prefer_cost_efficient: among providers that nothing else puts in order.
        routing.prioritise or ("cost" if config.costs.prefer_cost_efficient else ""),
        None if most is None else usd_to_nano(most),
        routing.max_response_time,
        Weights(routing.weights.cost, routing.weights.quality, routing.weights.speed),
    )


def tiers(config: Config, named: Named) -> Tiers:
    """Each task's tier, the user's own models for a tier, and the bounds of complexity."""
    own = config.routing.tiers
    models = {tier: named(name) for tier in TIERS if (name := getattr(own, tier))}
    return Tiers(TASK_TIERS, models, own.cheap_up_to, own.powerful_from)


def special(config: Config, named: Named) -> Iterator[SpecialRule]:
    """[routing.rule.*] in the order of the file, then [routing.rules]."""
    routing = config.routing
    for name, own in routing.rule.items():
        yield SpecialRule(
            name,
            _condition(own),
            named(own.use) if own.use else None,
            own.tier or "",
            own.strategy or "",
            _short(config.origin(f"routing.rule.{name}.{_first_key(own)}")),
            f"routing.rule.{name}",
        )
    for domain, model in routing.rules.items():
        when = Condition(needs=frozenset({domain}))
        if domain == "large_context":
            when = Condition(min_tokens=routing.large_context_from)
        key = f"routing.rules.{domain}"
        origin = _short(config.origin(key))
        yield SpecialRule(domain, when, named(model), origin=origin, key=key)


def gates(config: Config) -> Gates:
    """When an answer is not good enough.  Raises ``ConfigError`` for a check that is no command."""
    own = config.routing.gates
    try:
        words = (own.check,) if own.check_shell else tuple(shlex.split(own.check))
    except ValueError as error:
        raise ConfigError(
            f"routing.gates.check is no command: {error}.", hint="Mind its quotes."
        ) from error
    on = frozenset(own.escalate_on)
    return Gates(
        on if own.check else on - {"check"},
        own.max_escalations,
        words if own.check else (),
        own.check_timeout,
        own.check_shell,
        frozenset(own.check_tasks),
    )


def _condition(own: RuleConfig) -> Condition:
    return Condition(
        tasks=frozenset(own.tasks),
        needs=frozenset(own.needs),
        min_tokens=own.min_tokens,
        max_tokens=own.max_tokens,
        min_complexity=own.min_complexity,
        max_complexity=own.max_complexity,
        days=frozenset(DAYS.index(day) for day in own.days),
        hours=Hours(*parse_hours(own.hours)) if own.hours else None,
        branches=own.branches,
        files=own.files,
    )


def _first_key(own: RuleConfig) -> str:
    given = [key for key in ("use", "tier", "strategy") if getattr(own, key)]
    return given[0] if given else "use"


def _short(origin: str) -> str:
    """An origin without its folders: "config.toml:12"."""
    return origin.rsplit("/", 1)[-1]
