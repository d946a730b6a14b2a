"""Facts about models, put together from the user's word, our table, and the price data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from aircher.catalog.lookup import Row
from aircher.catalog.prices import Price, Rate, choose
from aircher.domain.classes import dataclass
from aircher.domain.models import Carbon, ModelFacts, ModelRef, Quality

LONG_CONTEXT = 200_000
"""From this window on (in tokens) a model has the feature ``long_context``."""


@dataclass(frozen=True, slots=True)
class CustomModel:
    """What the user says of a model in the configuration; None where nothing is said.

    ``quality`` is a score of the user's own, 0..1.
    Prices are USD per million tokens; a cached read without its own price costs as input.
    """

    context_window: int | None = None
    max_output: int | None = None
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    cached_price: Decimal | None = None
    features: frozenset[str] | None = None
    quality: float | None = None

    @property
    def price(self) -> Price | None:
        """A price entry made from it; None without both input and output price."""
        if self.input_price is None or self.output_price is None:
            return None
        cached = self.input_price if self.cached_price is None else self.cached_price
        return Price(
            (
                Rate("cache_read_tokens", 1_000_000, cached),
                Rate("input_tokens", 1_000_000, self.input_price, within=(0,)),
                Rate("output_tokens", 1_000_000, self.output_price),
            )
        )


NOTHING_SAID = CustomModel()
NO_ROW: Mapping[str, Any] = MappingProxyType({})


def local_facts(ref: ModelRef, custom: CustomModel, window: int | None = None) -> ModelFacts:
    """A model on this machine: free by rule; its window is what the user says, or whoever runs it."""
    window = _first(custom.context_window, window)
    return ModelFacts(
        ref,
        context_window=window,
        max_output=custom.max_output,
        input_price=Decimal(0),
        output_price=Decimal(0),
        features=_with_window((custom.features or frozenset()) | {"local", "streaming"}, window),
        free=True,
        source="runs on this machine",
        price_source="runs on this machine",
        yours=custom != NOTHING_SAID,
        quality=_quality(custom, {}),
    )


def listed_facts(
    ref: ModelRef,
    row: Row | None,
    own: Mapping[str, Any],
    custom: CustomModel,
    at: datetime,
    data: str,
    *,
    scored: Mapping[str, Any] = NO_ROW,
    emitted: Mapping[str, Any] = NO_ROW,
) -> ModelFacts:
    """The user's word first, then our table's row (``own``), then the price data's.

    ``scored`` and ``emitted`` are the rows of quality.toml and carbon.toml, empty where none.
    ``data`` names the price data and its version.
    """
    price = choose(row.prices, at) if row and row.prices else None
    window = _first(
        custom.context_window, own.get("context_window"), row.context_window if row else None
    )
    features = custom.features
    if features is None and "features" in own:
        features = frozenset(own["features"]) | {"streaming"}
    sources = [
        "your configuration" if custom != NOTHING_SAID else "",
        f"{own['source']}, {own['date']}" if own else "",
        f"{data} {row.provider}/{row.model}" if row else "",
    ]
    return ModelFacts(
        ref,
        context_window=window,
        max_output=_first(custom.max_output, own.get("max_output")),
        input_price=_first(custom.input_price, price and price.plain("input_tokens")),
        output_price=_first(custom.output_price, price and price.plain("output_tokens")),
        features=None if features is None else _with_window(features, window),
        source="; ".join(source for source in sources if source),
        as_of=own["date"] if own else "",
        price_source=_price_source(custom, data if price else ""),
        yours=custom != NOTHING_SAID,
        quality=_quality(custom, scored),
        carbon=_carbon(emitted),
    )


def _price_source(custom: CustomModel, listed: str) -> str:
    own = custom.input_price is not None or custom.output_price is not None
    return "your configuration" if own else listed


def _quality(custom: CustomModel, row: Mapping[str, Any]) -> Quality | None:
    """The user's own score first, then the table's."""
    if custom.quality is not None:
        return Quality(custom.quality, "your configuration")
    return Quality(row["score"], row["source"], row["date"]) if row else None


def _carbon(row: Mapping[str, Any]) -> Carbon | None:
    return Carbon(row["low"], row["high"], row["source"]) if row else None


def _with_window(features: frozenset[str], window: int | None) -> frozenset[str]:
    return features | {"long_context"} if window and window >= LONG_CONTEXT else features


def _first(*values: Any) -> Any:
    """The first value that is known."""
    return next((value for value in values if value is not None), None)
