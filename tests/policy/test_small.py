"""Retry waits, windows of time, and caps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.domain.errors import (
    AuthenticationFailed,
    InvalidRequest,
    Overloaded,
    ProviderError,
    RateLimited,
)
from aircher.domain.settings import Limit, RetrySettings
from aircher.policy.retry import retry_delay
from aircher.policy.spend import caps, request_limit
from aircher.policy.windows import day_start, month_share, month_start

SETTINGS = RetrySettings(max_retries=3, initial_delay_s=1.0, max_delay_s=20.0, backoff_factor=2.0)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("error", "retries", "roll", "expected"),
    [
        (Overloaded(""), 0, 1.0, 1.0),
        (Overloaded(""), 1, 1.0, 2.0),
        (Overloaded(""), 2, 0.5, 2.0),
        (Overloaded(""), 3, 1.0, None),
        (RateLimited("", retry_after=7.0), 0, 0.0, 7.0),
        (RateLimited("", retry_after=0.5), 1, 1.0, 2.0),
        (RateLimited("", retry_after=21.0), 0, 1.0, None),
        (InvalidRequest(""), 0, 1.0, None),
        (AuthenticationFailed(""), 0, 1.0, None),
    ],
)
def test_waits(error: ProviderError, retries: int, roll: float, expected: float | None) -> None:
    assert retry_delay(error, retries, SETTINGS, roll) == expected


@given(st.integers(0, 2), st.floats(0, 1), st.floats(0, 20))
def test_a_wait_is_never_shorter_than_asked_nor_longer_than_allowed(
    retries: int, roll: float, asked: float
) -> None:
    wait = retry_delay(RateLimited("", retry_after=asked), retries, SETTINGS, roll)
    assert wait is not None
    assert asked <= wait <= SETTINGS.max_delay_s


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2026, 3, 29, 23, 59, tzinfo=BERLIN), 22),  # 23-hour day
        (datetime(2026, 10, 25, 23, 59, tzinfo=BERLIN), 24),  # 25-hour day
        (datetime(2026, 7, 1, 23, 59, tzinfo=BERLIN), 23),
    ],
)
def test_midnight_is_local_on_days_of_23_and_25_hours(now: datetime, hours: int) -> None:
    passed = now.astimezone(UTC) - day_start(now).astimezone(UTC)
    assert passed == timedelta(hours=hours, minutes=59)


def test_month_windows() -> None:
    now = datetime(2026, 2, 15, 12, 0, tzinfo=BERLIN)
    assert month_start(now) == datetime(2026, 2, 1, tzinfo=BERLIN)
    assert month_share(now) == pytest.approx(14.5 / 28)
    assert month_share(month_start(now)) > 0


LIMITS = (
    Limit("costs.daily_limit", "day", 10),
    Limit("costs.monthly_budget", "month", 100),
    Limit("costs.per_request_limit", "request", 1),
    Limit("costs.limits.a_daily", "day", 5, provider="a"),
    Limit("costs.task_budgets.debugging", "month", 3, task="debugging"),
)


@pytest.mark.parametrize(
    ("provider", "task", "names"),
    [
        ("a", "default", ["daily_limit", "monthly_budget", "limits.a_daily"]),
        ("b", "debugging", ["daily_limit", "monthly_budget", "task_budgets.debugging"]),
        ("", "", ["daily_limit", "monthly_budget", "limits.a_daily", "task_budgets.debugging"]),
    ],
)
def test_which_caps_apply(provider: str, task: str, names: list[str]) -> None:
    found = caps(LIMITS, datetime(2026, 2, 15, tzinfo=BERLIN), provider=provider, task=task)
    assert [cap.name.removeprefix("costs.") for cap in found] == names


def test_the_tightest_request_limit() -> None:
    tight = Limit("x", "request", 0)
    assert request_limit((*LIMITS, tight)) == tight
    assert request_limit(LIMITS[:2]) is None
