"""The verdict on samples: state, latencies, and what counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.domain.health import Sample
from aircher.domain.models import ModelRef
from aircher.domain.settings import HealthSettings
from aircher.policy.health import JITTER, judge, may_look, pause, percentile

START = datetime(2026, 3, 14, tzinfo=UTC)
SETTINGS = HealthSettings()


def samples(words: str, latency: float = 1.0) -> list[Sample]:
    """. a call that went well, x one that failed, o the user's own mistake, p/P a look."""
    kinds = {"x": "overloaded", "o": "invalid_request", "P": "network"}
    return [
        Sample(
            START + timedelta(seconds=number),
            ModelRef("a", "m"),
            None if letter in kinds else latency,
            kinds.get(letter, ""),
            kinds.get(letter, ""),
            probe=letter in "pP",
        )
        for number, letter in enumerate(words)
    ]


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        ("", "unknown"),
        ("o", "unknown"),
        (".", "healthy"),
        ("x", "unhealthy"),
        ("xxx", "unhealthy"),
        ("....x", "degraded"),
        (".....x", "healthy"),
        (".oooo", "healthy"),
        ("p", "healthy"),
        ("P", "unhealthy"),
        ("pP", "unhealthy"),
        ("P.", "healthy"),  # what real calls show is nearer the truth
        (".P", "degraded"),
        ("x" * 50 + "." * 50, "healthy"),  # only the newest 50 count
    ],
)
def test_states(seen: str, state: str) -> None:
    assert judge(samples(seen), SETTINGS).state == state


def test_a_slow_provider_is_degraded() -> None:
    assert judge(samples("...", latency=9.9), SETTINGS).state == "healthy"
    assert judge(samples("...", latency=10.0), SETTINGS).state == "degraded"


def test_the_last_error_is_told_until_a_call_goes_well() -> None:
    assert judge(samples(".x"), SETTINGS).last_error == "overloaded"
    assert judge(samples(".x."), SETTINGS).last_error == ""
    assert judge(samples(".o"), SETTINGS).last_error == "invalid_request"


@given(st.lists(st.floats(0, 100), min_size=1, max_size=100))
def test_percentiles_are_values_that_were_seen_and_in_order(values: list[float]) -> None:
    ranked = sorted(values)
    p50, p95, p99 = (percentile(ranked, share) for share in (0.5, 0.95, 0.99))
    assert p50 in ranked
    assert p50 <= p95 <= p99 <= ranked[-1]
    assert sum(1 for value in ranked if value <= p95) >= 0.95 * len(ranked)


@pytest.mark.parametrize(
    ("focused", "idle", "may"),
    [
        (True, 0, True),
        (True, 1700, True),
        (True, 1801, False),
        (False, 59, True),
        (False, 61, False),
    ],
)
def test_nobody_is_asked_while_the_user_is_elsewhere(focused: bool, idle: float, may: bool) -> None:
    assert may_look(focused=focused, idle_s=idle) is may


def test_looks_are_spread() -> None:
    assert [pause(300, roll) for roll in (0, 0.5, 1)] == [
        300 * (1 - JITTER),
        300,
        300 * (1 + JITTER),
    ]
