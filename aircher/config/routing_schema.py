"""Every key of the [routing] tables.  How these classes are read: see schema.py."""

# The field functions return a fresh dataclass field each time, as dataclasses.field does.

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from aircher.config.rows import each, named, setting, table
from aircher.config.values import (
    BOOL,
    DURATION,
    HOURS,
    INT,
    MODEL,
    MONEY,
    NUMBER,
    TEXT,
    WORD,
    WORDS,
)
from aircher.domain.classes import dataclass
from aircher.domain.preferences import TIERS, Gates, Tiers

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DOMAINS = ("vision", "documents", "tools", "json", "large_context")
"""What a request may be about, for [routing.rules]."""

_GATES = Gates()
_TIERS = Tiers()


@dataclass(frozen=True)
class Weights:
    """What counts how much for the strategy "balanced"."""

    cost: float = setting(NUMBER, 1.0, "Weight of a low price.", minimum=0, maximum=100)
    quality: float = setting(NUMBER, 1.0, "Weight of quality.", minimum=0, maximum=100)
    speed: float = setting(NUMBER, 1.0, "Weight of measured speed.", minimum=0, maximum=100)


@dataclass(frozen=True)
class TierConfig:
    """Models by tier of ability, and how a prompt's complexity (0 to 10) moves a request."""

    cheap: str | None = setting(
        MODEL,
        None,
        "The cheap tier's model.",
        unset="each provider's own",
        example="gpt-6-luna",
    )
    medium: str | None = setting(
        MODEL,
        None,
        "The medium tier's model.",
        unset="each provider's own",
        example="claude-sonnet-5-5",
    )
    powerful: str | None = setting(
        MODEL,
        None,
        "The powerful tier's model.",
        unset="each provider's own",
        example="gpt-6.1-sol",
    )
    cheap_up_to: int = setting(
        INT,
        _TIERS.cheap_up_to,
        "A general request of at most this complexity goes to the cheap tier; -1 never.",
        minimum=-1,
        maximum=10,
    )
    powerful_from: int = setting(
        INT,
        _TIERS.powerful_from,
        "From this complexity on a request goes one tier up; 11 never.",
        minimum=0,
        maximum=11,
    )


@dataclass(frozen=True)
class GateConfig:
    """When an answer is not good enough and a stronger model is asked."""

    escalate_on: tuple[str, ...] = setting(
        WORDS,
        ("refused", "empty"),
        "What sends a request one tier up; [] nothing.",
        choices=("refused", "empty", "truncated", "check"),
    )
    max_escalations: int = setting(
        INT, _GATES.most, "The most such steps for one request.", minimum=0, maximum=5
    )
    check: str = setting(
        TEXT,
        "",
        'A command that reads the answer and refuses it by its exit code, for "check".',
        unset="none",
        example="python -m my_answer_check",
        project=False,
    )
    check_shell: bool = setting(BOOL, False, "Run the check through the shell.", project=False)
    check_timeout: float = setting(
        DURATION,
        _GATES.check_timeout_s,
        "A check that takes longer is stopped, and the answer stands.",
        minimum=0.1,
        maximum=600,
        project=False,
    )
    check_tasks: tuple[str, ...] = setting(
        WORDS,
        (),
        "Check only answers to these tasks.",
        unset="every task",
        example=["code_generation"],
        project=False,
    )


@dataclass(frozen=True)
class RuleConfig:
    """A rule of your own: what it uses, and when.  All conditions that are given must hold."""

    use: str | None = setting(
        MODEL, None, "The model to ask first.", unset="none", example="gemini/gemini-3.8-flash"
    )
    tier: str | None = setting(
        WORD, None, "The tier to use instead.", choices=TIERS, unset="the task's", example="cheap"
    )
    strategy: str | None = setting(
        WORD, None, "The strategy to use instead.", unset="routing.strategy", example="cost"
    )
    tasks: tuple[str, ...] = setting(
        WORDS, (), "Only for these tasks.", example=["code_review", "debugging"]
    )
    needs: tuple[str, ...] = setting(
        WORDS,
        (),
        "Only for a request with images, PDF files, tools, or a shape to answer in.",
        choices=("vision", "documents", "tools", "json"),
        example=["vision"],
    )
    min_tokens: int | None = setting(
        INT, None, "Only for a prompt of at least so many tokens.", minimum=1, example=100_000
    )
    max_tokens: int | None = setting(
        INT, None, "Only for a prompt of at most so many tokens.", minimum=1, example=2_000
    )
    min_complexity: int | None = setting(
        INT, None, "Only from this complexity on.", minimum=0, maximum=10, example=5
    )
    max_complexity: int | None = setting(
        INT, None, "Only up to this complexity.", minimum=0, maximum=10, example=3
    )
    days: tuple[str, ...] = setting(
        WORDS, (), "Only on these days.", choices=DAYS, example=["sat", "sun"]
    )
    hours: str | None = setting(
        HOURS, None, "Only in these hours of your time zone.", example="22:00-06:00"
    )
    branches: tuple[str, ...] = setting(
        WORDS, (), "Only on git branches like these.", example=["release/*", "main"]
    )
    files: tuple[str, ...] = setting(
        WORDS, (), "Only with a file like these.", example=["*.sql", "migrations/*"]
    )


@dataclass(frozen=True)
class Routing:
    """How a model is chosen."""

    strategy: str = setting(
        WORD,
        "task",
        "What decides among the models: task, cost, quality, performance, balanced, carbon, "
        "or one of your own (docs/routing.md).",
    )
    prioritise: str | None = setting(
        WORD,
        None,
        "Who goes first where the task leaves it open.",
        choices=("cost", "speed", "quality"),
        unset="providers.fallback_order",
        example="cost",
    )
    max_cost_per_request: Decimal | None = setting(
        MONEY,
        None,
        "Leave out models that could cost more than this, in USD.",
        minimum=0,
        unset="no limit",
        project=False,
        example=Decimal("0.05"),
    )
    max_response_time: float | None = setting(
        DURATION,
        None,
        "Leave out models that took longer than this here for a usual answer.",
        minimum=0.1,
        unset="no limit",
        example="20s",
    )
    large_context_from: int = setting(
        INT, 100_000, "From so many tokens on a prompt counts as large_context.", minimum=1
    )
    weights: Weights = table(Weights)
    tiers: TierConfig = table(TierConfig)
    rules: Mapping[str, str] = each(
        MODEL,
        f"The model for requests of a kind: {', '.join(DOMAINS)}.",
        example="gemini/gemini-3.8-flash",
        under=("large_context",),
    )
    rule: Mapping[str, RuleConfig] = named(RuleConfig)
    gates: GateConfig = table(GateConfig)
