"""Every key of the [models] tables.  How these classes are read: see schema.py."""

# The field functions return a fresh dataclass field each time, as dataclasses.field does.

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import get_args

from aircher.config.rows import each, named, setting
from aircher.config.values import INT, MODEL, MODELS, MONEY, NUMBER, WORD, WORDS
from aircher.domain.classes import dataclass
from aircher.domain.models import Feature
from aircher.domain.settings import Consent

_FEATURES = get_args(Feature)


@dataclass(frozen=True)
class TaskConfig:
    """The long form of a task: which models, and what they must offer."""

    preferred: str | None = setting(
        MODEL, None, "A model, or provider/model.", unset="models.tasks", example="claude-opus-5-5"
    )
    fallbacks: tuple[str, ...] = setting(
        MODELS,
        (),
        "Tried in this order when the preferred one fails.",
        example=["gpt-6.1-sol", "gemini/gemini-3.8-flash"],
    )
    fallback: str | None = setting(
        WORD,
        None,
        "Whether another model may take over for this task.",
        choices=get_args(Consent),
        unset="fallback.consent",
        example="ask",
        project=False,
    )
    max_cost_per_1k: Decimal | None = setting(
        MONEY,
        None,
        "No model above this price: USD per 1,000 tokens, mean of input and output.",
        minimum=0,
        unset="no limit",
        example=Decimal("0.05"),
    )
    min_quality: float | None = setting(
        NUMBER,
        None,
        "No model below this quality score, 0 to 1.",
        minimum=0,
        maximum=1,
        unset="no limit",
        example=0.8,
    )
    required_features: tuple[str, ...] = setting(
        WORDS,
        (),
        "What the model must be able to do.",
        choices=_FEATURES,
        example=["tools", "long_context"],
    )


@dataclass(frozen=True)
class CustomModel:
    """What you know better of a model ("provider/model") than the catalogue."""

    context_window: int | None = setting(
        INT,
        None,
        "Tokens of prompt and answer together.",
        minimum=1,
        unset="as known",
        env=False,
        example=128_000,
    )
    max_output: int | None = setting(
        INT,
        None,
        "The longest answer in tokens.",
        minimum=1,
        unset="as known",
        env=False,
        example=16_384,
    )
    input_price: Decimal | None = setting(
        MONEY,
        None,
        "USD per million prompt tokens.",
        minimum=0,
        unset="as known",
        env=False,
        project=False,
        example=Decimal("0.25"),
    )
    output_price: Decimal | None = setting(
        MONEY,
        None,
        "USD per million answer tokens.",
        minimum=0,
        unset="as known",
        env=False,
        project=False,
        example=Decimal("2.0"),
    )
    features: tuple[str, ...] | None = setting(
        WORDS,
        None,
        "What the model can do.",
        choices=_FEATURES,
        unset="as known",
        env=False,
        example=["tools", "json"],
    )
    quality: float | None = setting(
        NUMBER,
        None,
        "Your own quality score, 0 to 1.",
        minimum=0,
        maximum=1,
        unset="as known",
        env=False,
        example=0.7,
    )


@dataclass(frozen=True)
class Models:
    """Which model does which task."""

    tasks: Mapping[str, str] = each(
        MODEL,
        "The model for a task: a model, or provider/model.",
        example="gpt-5-nano",
        under=("commit_messages",),
    )
    task: Mapping[str, TaskConfig] = named(TaskConfig)
    custom: Mapping[str, CustomModel] = named(CustomModel)
