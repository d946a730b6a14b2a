"""The table [costs]: what may be spent, what is told, and what happens near a limit."""

# The field functions return a fresh dataclass field each time, as dataclasses.field does.

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from aircher.config.rows import each, setting
from aircher.config.values import BOOL, MODEL, MONEY, NUMBER, SHARES, WORD
from aircher.domain.classes import dataclass


@dataclass(frozen=True)
class Costs:
    """What may be spent, in USD.  Days and months are those of your time zone."""

    monthly_budget: Decimal | None = setting(
        MONEY,
        None,
        "The most per month.",
        minimum=0,
        unset="no limit",
        project=False,
        example=Decimal("100.0"),
    )
    daily_limit: Decimal | None = setting(
        MONEY,
        None,
        "The most per day.",
        minimum=0,
        unset="no limit",
        project=False,
        example=Decimal("10.0"),
    )
    per_request_limit: Decimal | None = setting(
        MONEY,
        None,
        "The most per request.",
        minimum=0,
        unset="no limit",
        project=False,
        example=Decimal("1.0"),
    )
    on_limit: str = setting(
        WORD,
        "block",
        "What a limit does that is passed: refuse the call, or only say so.",
        choices=("block", "warn"),
        project=False,
    )
    alert_threshold: tuple[float, ...] = setting(
        SHARES,
        (0.8,),
        "Tell when this share of a limit is spent, once a day or month; may be a list.",
        project=False,
    )
    downgrade_at: float = setting(
        NUMBER,
        0.9,
        "Take a cheaper model from this share of a limit on.",
        minimum=0,
        maximum=1,
        project=False,
    )
    unusual_score: float = setting(
        NUMBER,
        3.5,
        "Ask before a request whose expected cost is so many robust standard deviations above your own; 0 never.",
        minimum=0,
        project=False,
    )
    unusual_floor: Decimal = setting(
        MONEY, Decimal("0.1"), "Never ask for less than this.", minimum=0, project=False
    )
    track_by_provider: bool = setting(
        BOOL, True, "Show spending by provider among the costs.", project=False
    )
    prefer_cost_efficient: bool = setting(
        BOOL,
        False,
        "Where no rule names a model, ask the cheapest provider first (routing.prioritise).",
        project=False,
    )
    auto_downgrade_on_limit: bool = setting(
        BOOL,
        True,
        "Take a cheaper model near a limit; it is said, or asked (fallback.consent).",
        project=False,
    )
    allow_unknown_price: bool = setting(
        BOOL, False, "Use models without a known price although a limit is set.", project=False
    )
    baseline_model: str | None = setting(
        MODEL,
        None,
        "Savings are measured against this model.",
        unset="the default provider's model",
        example="openai/gpt-6.1-sol",
        project=False,
    )
    limit_actions: Mapping[str, str] = each(
        WORD,
        "on_limit for one limit, by its name (daily_limit, openai_daily, a task).",
        choices=("block", "warn"),
        project=False,
        example="warn",
        under=("daily_limit",),
    )
    downgrade: Mapping[str, str] = each(
        MODEL,
        "The model that takes over near a limit: from a model, or for a task.",
        project=False,
        example="openai/gpt-5-mini",
        under=("openai/gpt-5.1",),
    )
    limits: Mapping[str, Decimal] = each(
        MONEY,
        "A provider's own limit: PROVIDER_daily or PROVIDER_monthly.",
        minimum=0,
        project=False,
        example=Decimal("5.0"),
        under=("openai_daily",),
    )
    task_budgets: Mapping[str, Decimal] = each(
        MONEY,
        "The most for one task per month.",
        minimum=0,
        project=False,
        example=Decimal("2.0"),
        under=("commit_messages",),
    )
