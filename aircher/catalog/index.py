"""The compact index: all price and fact data as one JSON document, built once, read fast.

Importing genai-prices and its data takes 0.2 to 0.4 s; reading this file takes milliseconds.
It is kept in the user's cache folder and made anew whenever the package, our table of facts
or the format changes.  A missing, damaged or unwritable cache only costs that time again.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FORMAT = 2
FACTS = Path(__file__).with_name("models.toml")
MORE = Path(__file__).with_name("more_models.toml")
QUALITY = Path(__file__).with_name("quality.toml")
CARBON = Path(__file__).with_name("carbon.toml")

Index = Mapping[str, Any]
"""``{"key", "version", "units", "providers", "facts", "more", "quality", "carbon"}``: see ``build``."""


def load(cache_folder: Path | None) -> Index:
    """The index from the cache, or built and put there (``None``: no cache is used)."""
    key = _key()
    if cache_folder is None:
        return build(key)
    path = cache_folder / "models.json"
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(path.read_bytes())
        if isinstance(found, dict) and found.get("key") == key:
            return found
    index = build(key)
    with contextlib.suppress(OSError):
        _write(path, index)
    return index


def _key() -> str:
    """Changes with the installed price data, the table of facts, and the format."""
    spec = importlib.util.find_spec("genai_prices")
    origin = spec.origin if spec else None
    assert origin is not None, "genai-prices is a dependency"
    files = (Path(origin).with_name("data.py"), FACTS, MORE, QUALITY, CARBON)
    stats = [path.stat() for path in files]
    return "-".join([str(FORMAT), *(f"{stat.st_size}.{stat.st_mtime_ns}" for stat in stats)])


def _write(path: Path, index: Index) -> None:
    """Writes the whole file or nothing, for the user's eyes only.  Raises ``OSError``."""
    import tempfile

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".models-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(index, file, separators=(",", ":"))
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def build(key: str = "") -> dict[str, Any]:
    """Everything from genai-prices and our own facts, in plain JSON values.

    ``units``: unit -> [price key, per, dimensions].  ``providers``: id -> {"fallback": [ids],
    "models": [[id, clause, context window or None, [[condition, {price key: price}], ...]]]},
    in the data's order, because the first row that matches counts.  ``facts``, ``more``, ``quality``
    and ``carbon``: the tables of the files of those names.  Imports genai-prices.
    """
    import tomllib
    from importlib.metadata import version

    from genai_prices.data import providers
    from genai_prices.data_units import unit_data

    return {
        "key": key,
        "version": version("genai-prices"),
        "units": {
            unit: [raw.get("price_key", unit), raw["per"], raw["dimensions"]]
            for unit, raw in unit_data.items()
        },
        "providers": {
            provider.id: {
                "fallback": provider.fallback_model_providers or [],
                "models": [
                    [model.id, _clause(model.match), model.context_window, _prices(model.prices)]
                    for model in provider.models
                ],
            }
            for provider in providers
        },
        "facts": tomllib.loads(FACTS.read_text("utf-8")),
        "more": tomllib.loads(MORE.read_text("utf-8")),
        "quality": tomllib.loads(QUALITY.read_text("utf-8")),
        "carbon": tomllib.loads(CARBON.read_text("utf-8")),
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
