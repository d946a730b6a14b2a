"""Days and months in the user's zone: summer time, odd zones, and a clock that goes backwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.policy.windows import day_start, month_start

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Asia/Kathmandu",  # +05:45
    "Pacific/Apia",
    "Africa/Casablanca",
    "America/Havana",  # midnight itself does not exist, or comes twice
    "Asia/Beirut",
)

moments = st.builds(
    lambda stamp, zone: datetime.fromtimestamp(stamp, ZoneInfo(zone)),
    st.integers(1_262_304_000, 2_082_758_400),  # 2010 to 2036
    st.sampled_from(ZONES),
)


@given(now=moments)
def test_a_window_holds_its_moment_and_all_of_its_day_or_month(now: datetime) -> None:
    day, month = day_start(now), month_start(now)
    # As instants: within one zone Python compares the clock's face alone.
    assert month.astimezone(UTC) <= day.astimezone(UTC) <= now.astimezone(UTC)
    assert now.astimezone(UTC) - day.astimezone(UTC) <= timedelta(hours=25)
    assert (day.year, day.month, day.day) == (now.year, now.month, now.day)
    assert (month.year, month.month, month.day) == (now.year, now.month, 1)
    just_before = day.astimezone(UTC) - timedelta(microseconds=1)
    assert just_before.astimezone(now.tzinfo).date() < now.date()


@given(now=moments, step=st.timedeltas(timedelta(0), timedelta(days=40)))
def test_time_that_goes_on_never_moves_a_window_back(now: datetime, step: timedelta) -> None:
    later = (now.astimezone(UTC) + step).astimezone(now.tzinfo)
    for start in (day_start, month_start):
        assert start(later).astimezone(UTC) >= start(now).astimezone(UTC)


@given(now=moments)
def test_all_moments_of_a_day_share_its_start(now: datetime) -> None:
    for hours in range(-26, 27):
        other = (now.astimezone(UTC) + timedelta(hours=hours)).astimezone(now.tzinfo)
        same = other.date() == now.date()
        assert (day_start(other).astimezone(UTC) == day_start(now).astimezone(UTC)) == same


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("America/Havana", "2026-03-08", 23),
        ("America/Havana", "2026-11-01", 25),
    ],
)
def test_days_on_which_summer_time_begins_or_ends(zone: str, day: str, hours: float) -> None:
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(zone))
    start = day_start(noon).astimezone(UTC)
    end = day_start(noon + timedelta(days=1)).astimezone(UTC)
    assert end - start == timedelta(hours=hours)
