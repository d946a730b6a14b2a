"""Models by name, and what is known of them."""

from __future__ import annotations

from dataclasses import field
from decimal import Decimal
from typing import Literal

from aircher.domain.classes import dataclass

Feature = Literal[
    "vision", "documents", "tools", "json", "long_context", "thinking", "streaming", "local"
]
"""What a task may require of a model ([models.task.*] required_features)."""


@dataclass(frozen=True, slots=True, order=True)
class ModelRef:
    """A model at a provider, written ``provider/model`` (the model may hold slashes)."""

    provider: str
    model: str

    def __hash__(self) -> int:
        return hash(self.model)  # a plan looks models up some two hundred times

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}" if self.model else self.provider


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a model's answers are, 0..1, by whom and when ("whatmodel.sh", "2026-10")."""

    score: float
    source: str
    date: str = ""


@dataclass(frozen=True, slots=True)
class Carbon:
    """An estimate of what an answer emits: grams CO2e per 1,000 tokens written, low to high."""

    low: float
    high: float
    source: str = ""

    @property
    def middle(self) -> float:
        """Half way between, for comparing."""
        return (self.low + self.high) / 2


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a model was, as measured here: medians over ``calls`` answers.

    ``first_token_s`` in seconds; ``tokens_per_s`` while it writes, None where it wrote too little.
    """

    first_token_s: float
    tokens_per_s: float | None = None
    calls: int = 0


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the catalogue knows of a model; None (or "unknown") where it does not know.

    Windows are in tokens.  ``input_price`` and ``output_price`` are the plain list prices in
    USD per million tokens, for display and ordering; a bill is made by ``Catalog.cost``,
    which knows tiers, caches and dates.  ``features`` is None when nothing is known.
    ``source`` names where the facts come from and their date; ``as_of`` is the date of windows and
    features, ``price_source`` where the prices are from, ``yours`` True where the user's own
    configuration says some of it.
    """

    ref: ModelRef
    context_window: int | None = None
    max_output: int | None = None
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    features: frozenset[str] | None = None
    free: bool = False
    """True for a model on this machine: it costs nothing by rule, not by ignorance."""
    source: str = ""
    as_of: str = ""
    price_source: str = ""
    yours: bool = False
    quality: Quality | None = None
    carbon: Carbon | None = None


@dataclass(frozen=True, slots=True)
class ListedModel:
    """One row of a provider's own model list."""

    id: str
    context_window: int | None = None
    max_output: int | None = None
    features: frozenset[str] = field(default_factory=frozenset)
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a model's download is: what is being done, and bytes where the server says them."""

    status: str
    completed: int | None = None
    total: int | None = None
