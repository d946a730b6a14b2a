from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.domain.errors import UsageError
from aircher.domain.models import ModelRef
from aircher.domain.ports import Catalog
from aircher.domain.usage import UNKNOWN_COST, Cost, Spend, Tokens, UsageRow
from aircher.reports.projection import projected_month, rows_needed_since
from aircher.reports.savings import Savings, saved
from aircher.reports.totals import GROUP_KEYS, grouped, total
from aircher.reports.windows import window_start

BERLIN = ZoneInfo("Europe/Berlin")
USD = 1_000_000_000
GPT = ModelRef("openai", "gpt")
CLAUDE = ModelRef("claude", "sonnet")
TOKENS = Tokens(100, output=10)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def row(
    nano: int | None,
    ref: ModelRef = GPT,
    at: datetime = datetime(2026, 3, 14, 12, tzinfo=UTC),
    task: str = "default",
    tag: str = "exact",
    tokens: Tokens = TOKENS,
) -> UsageRow:
    cost = Cost(nano, tag) if nano is not None else Cost(None, "unknown")  # type: ignore[arg-type]  # a CostTag
    return UsageRow(at, ref, task, tokens, cost)


def test_a_total_counts_what_it_does_not_know() -> None:
    rows = [row(5), row(7, tag="estimated"), row(None, tokens=Tokens())]
    assert total(rows) == Spend(12, 3, 200, 20, unknown=1, estimated=1)
    assert total([]) == Spend()


def test_groups_come_dearest_first_and_days_in_order() -> None:
    late = datetime(2026, 3, 14, 23, 30, tzinfo=UTC)  # the 15th in Berlin
    rows = [row(5, at=late), row(3, CLAUDE, task="summaries"), row(9, CLAUDE)]

    def groups(key: str, zone: object = BERLIN) -> list[tuple[str, int]]:
        found = grouped(rows, key, zone)  # type: ignore[arg-type]  # keys and zones of this test
        return [(group.key, group.spend.nano_usd) for group in found]

    assert groups("provider") == [("claude", 12), ("openai", 5)]
    assert groups("model") == [("claude/sonnet", 12), ("openai/gpt", 5)]
    assert groups("task") == [("default", 14), ("summaries", 3)]
    assert groups("day") == [("2026-03-14", 12), ("2026-03-15", 5)]
    assert groups("day", UTC) == [("2026-03-14", 17)]


@given(
    st.lists(
        st.builds(
            row,
            st.none() | st.integers(0, 10**12),
            st.sampled_from([GPT, CLAUDE]),
            st.integers(0, 8760).map(lambda hours: NEW_YEAR + timedelta(hours=hours)),
        )
    ),
    st.sampled_from(GROUP_KEYS),
)
def test_groups_always_add_up_to_the_total(rows: list[UsageRow], key: str) -> None:
    groups = grouped(rows, key, BERLIN)  # type: ignore[arg-type]  # sampled from the keys
    for figure in Spend.__slots__:
        whole = getattr(total(rows), figure)
        assert sum(getattr(group.spend, figure) for group in groups) == whole


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("today", datetime(2026, 3, 29, 0, tzinfo=BERLIN)),
        ("month", datetime(2026, 3, 1, 0, tzinfo=BERLIN)),
        ("2026-03-28", datetime(2026, 3, 28, 0, tzinfo=BERLIN)),
        ("all", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_windows_begin_at_midnight_where_the_user_is(text: str, start: datetime) -> None:
    # The day on which Berlin's clocks go forward.
    now = datetime(2026, 3, 29, 15, 0, tzinfo=BERLIN)
    assert window_start(text, now) == start


def test_the_day_of_the_change_has_23_hours() -> None:
    now = datetime(2026, 3, 29, 23, 59, tzinfo=BERLIN)
    began = window_start("today", now)
    assert began.astimezone(UTC) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert now.astimezone(UTC) - began.astimezone(UTC) == timedelta(hours=22, minutes=59)


def test_other_words_are_refused() -> None:
    with pytest.raises(UsageError, match="not a time") as refused:
        window_start("yesteryear", datetime.now(UTC))
    assert "2026-03-31" in refused.value.hint


def test_the_projection_goes_on_at_the_recent_rate() -> None:
    now = datetime(2026, 4, 21, tzinfo=BERLIN)  # 10 days left
    daily = [row(USD, at=now - timedelta(days=back, hours=-1)) for back in range(1, 40)]
    assert projected_month(daily, now) == pytest.approx(30 * USD, rel=0.01)


def test_the_projection_is_calm_at_the_beginning() -> None:
    now = datetime(2026, 4, 1, 1, tzinfo=UTC)
    first = [row(USD, at=now - timedelta(minutes=30))]
    assert projected_month(first, now) == pytest.approx(USD + 29.96 * USD, rel=0.01)
    busy_march = [row(USD, at=now - timedelta(days=back)) for back in range(1, 15)]
    assert projected_month(busy_march, now) == pytest.approx(30 * USD, rel=0.01)


def test_the_projection_says_nothing_without_calls() -> None:
    now = datetime(2026, 4, 21, tzinfo=UTC)
    assert projected_month([], now) is None
    assert projected_month([row(USD, at=now - timedelta(days=25))], now) is None
    assert projected_month([row(USD, at=now - timedelta(days=18))], now) == USD
    assert projected_month([row(0, at=now - timedelta(days=2))], now) == 0
    unknown = replace(row(0, at=now - timedelta(days=2)), cost=UNKNOWN_COST)
    assert projected_month([unknown], now) is None  # not nothing
    assert projected_month([unknown, row(USD, at=now - timedelta(days=18))], now) == USD


def test_the_projection_s_rows_reach_back_far_enough() -> None:
    early = datetime(2026, 4, 2, tzinfo=UTC)
    assert rows_needed_since(early) == early - timedelta(days=14)
    late = datetime(2026, 4, 29, tzinfo=UTC)
    assert rows_needed_since(late) == datetime(2026, 4, 1, tzinfo=UTC)


class _Prices:
    """Ten nano-dollars a token for GPT, nothing known of others."""

    def cost(self, ref: ModelRef, tokens: Tokens, at: datetime, vendor_usd: str = "") -> Cost:
        if ref != GPT:
            return Cost(None, "unknown")
        return Cost(10 * ((tokens.input or 0) + (tokens.output or 0)), "exact")


PRICES = cast(Catalog, _Prices())


def test_savings_compare_what_is_known_on_both_sides() -> None:
    rows = [
        row(100, CLAUDE),  # 1100 at the baseline
        row(0, ModelRef("local", "tiny"), tag="exact"),
        row(50, CLAUDE, tag="estimated"),
        row(None, CLAUDE),
        row(5, CLAUDE, tokens=Tokens(100)),
    ]
    assert saved(rows, PRICES, GPT) == Savings(1000 + 1100 + 1050, 3, unknown=2, estimated=1)


def test_a_dearer_model_saves_less_than_nothing() -> None:
    assert saved([row(2000, CLAUDE)], PRICES, GPT).nano_usd == -900


def test_savings_against_an_unknown_price_are_unknown() -> None:
    assert saved([row(1), row(2)], PRICES, CLAUDE) == Savings(None, 0, 2, 0)
    assert saved([], PRICES, GPT) == Savings(None, 0, 0, 0)
