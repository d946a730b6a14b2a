"""Strategies by entry point: the user's own, loaded only when the configuration names them.

A package registers one in the group ``aircher.strategies``; it is a function of the rules and the
situation that yields ``(ModelRef, reason)``, the best model first (docs/routing.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from aircher.config.layers import did_you_mean
from aircher.config.load import Config
from aircher.config.values import shown
from aircher.domain.errors import ConfigError
from aircher.domain.models import ModelRef
from aircher.domain.routes import Rules
from aircher.domain.settings import ConfigProblem
from aircher.policy.route import STRATEGIES, Proposal, Situation, Strategy

if TYPE_CHECKING:  # it takes a while to import, and most people need none
    from importlib.metadata import EntryPoint

GROUP = "aircher.strategies"

MISTAKES = (
    ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError, OSError,
    RuntimeError, SyntaxError, TypeError, ValueError,
)  # fmt: skip
"""What somebody else's code raises when it is wrong; a program that is told to end still ends."""


def strategies_for(rules: Rules) -> Mapping[str, Strategy]:
    """The built-in strategies, and those of other packages that these rules name.

    Raises ``ConfigError`` for a name that nobody registered, or one that cannot be loaded.
    """
    named = {rules.strategy, *(rule.strategy for rule in rules.special if rule.strategy)}
    own = sorted(named - set(STRATEGIES))
    return {**STRATEGIES, **{name: _load(name) for name in own}} if own else STRATEGIES


def unknown_strategies(config: Config) -> Iterator[ConfigProblem]:
    """The strategies that the configuration names and nobody has, each with its line.

    Other packages are looked up only where a name is not built in.
    """
    places = {"routing.strategy": config.routing.strategy} | {
        f"routing.rule.{name}.strategy": rule.strategy
        for name, rule in config.routing.rule.items()
        if rule.strategy
    }
    for key, name in places.items():
        origin = config.origins.get(config.path(key))
        if origin is not None and name not in STRATEGIES and name not in _registered():
            known = (*STRATEGIES, *_registered())
            near = did_you_mean(name, known) or f"there are {', '.join(known)}"
            path = config.path(key)
            yield origin.problem(path, f"there is no routing strategy {shown(name)}", near)


@cache
def _registered() -> Mapping[str, EntryPoint]:
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _load(name: str) -> Strategy:
    found = _registered().get(name)
    if found is None:
        known = ", ".join((*STRATEGIES, *sorted(_registered())))
        raise ConfigError(f"There is no routing strategy {name!r}.", hint=f"There are: {known}.")
    try:
        function = found.load()
    except MISTAKES as error:
        raise _broken(name, error) from error
    if not callable(function):
        raise _broken(name, TypeError("it is no function"))
    return _guarded(name, function)


def _guarded(name: str, function: Any) -> Strategy:
    """The strategy, its mistakes told in one sentence."""

    def strategy(rules: Rules, situation: Situation) -> Iterator[Proposal]:
        try:
            yield from _proposals(function(rules, situation))
        except MISTAKES as error:
            raise _broken(name, error) from error

    return strategy


def _proposals(given: Iterable[Any]) -> Iterator[Proposal]:
    for item in given:
        ref, reason, *rest = item
        if not isinstance(ref, ModelRef):
            raise TypeError(f"it proposed {type(ref).__name__}, not a ModelRef")
        yield Proposal(ref, str(reason), *rest)


def _broken(name: str, error: Exception) -> ConfigError:
    said = " ".join(str(error).split())
    return ConfigError(
        f"The routing strategy {name!r} of your own failed: {type(error).__name__}: {said}",
        hint="Mend it, or set routing.strategy to a built-in one.",
    )
