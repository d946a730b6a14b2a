"""genai-prices' price lists as plain JSON values: what the index and a fetched list hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


def lists(providers: Iterable[Any]) -> dict[str, Any]:
    """The price lists of genai-prices' provider objects: the index's ``providers``."""
    return {
        provider.id: {
            "fallback": list(provider.fallback_model_providers or []),
            "models": [
                [model.id, _clause(model.match), model.context_window, _prices(model.prices)]
                for model in provider.models
            ],
        }
        for provider in providers
    }


_CLAUSES = {
    "ClauseStartsWith": ("starts", "starts_with"),
    "ClauseEndsWith": ("ends", "ends_with"),
    "ClauseContains": ("has", "contains"),
    "ClauseEquals": ("is", "equals"),
}


def _clause(clause: Any) -> list[Any]:
    """One of genai-prices' clause objects as a list (see ``matching``)."""
    name = type(clause).__name__
    if name in _CLAUSES:
        kind, field = _CLAUSES[name]
        return [kind, getattr(clause, field).lower()]
    if name == "ClauseRegex":
        return ["regex", clause.regex]
    inner = clause.or_ if name == "ClauseOr" else clause.and_
    return ["or" if name == "ClauseOr" else "and", *map(_clause, inner)]


def _prices(prices: Any) -> list[Any]:
    """A model's prices with their conditions, oldest first."""
    if not isinstance(prices, list):
        return [[None, _rates(prices)]]
    return [[_condition(entry.constraint), _rates(entry.prices)] for entry in prices]


def _condition(constraint: Any) -> list[str] | None:
    if constraint is None:
        return None
    if hasattr(constraint, "start_date"):
        return ["date", constraint.start_date.isoformat()]
    return ["time", *(_utc(moment) for moment in (constraint.start_time, constraint.end_time))]


def _utc(moment: Any) -> str:
    """A time of day in UTC; the data's naive times are UTC."""
    from datetime import UTC, date, datetime

    if moment.tzinfo is not None:
        moment = datetime.combine(date(1970, 1, 1), moment).astimezone(UTC).time()
    return str(moment.isoformat())


def _rates(prices: Any) -> dict[str, Any]:
    """Price key -> "0.25", or ["0.25", [[start, "0.5"], ...]] with tiers, lowest first."""
    return {key: _rate(value) for key, value in _stated(prices)}


def _stated(prices: Any) -> Iterator[tuple[str, Any]]:
    return ((key, value) for key, value in vars(prices).items() if value is not None)


def _rate(value: Any) -> str | list[Any]:
    if not hasattr(value, "tiers"):
        return str(value)
    return [str(value.base), [[tier.start, str(tier.price)] for tier in value.tiers]]
