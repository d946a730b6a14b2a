"""The user's own rules: conditions as tables, the time as a value."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from aircher.domain.models import ModelRef
from aircher.domain.preferences import Condition, Hours, SpecialRule
from aircher.domain.routes import Complexity
from aircher.policy.route import plan
from aircher.policy.route.special import in_time
from tests.policy.test_strategies import RULES, situation

BERLIN = ZoneInfo("Europe/Berlin")


def _at(month: int, day: int, hour: int, minute: int, fold: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, fold=fold, tzinfo=BERLIN)


NIGHT = Hours(22 * 60, 6 * 60)
OFFICE = Hours(9 * 60, 17 * 60 + 30)
FRIDAY, SATURDAY = frozenset({4}), frozenset({5})


@pytest.mark.parametrize(
    ("when", "now", "applies"),
    [
        (Condition(hours=OFFICE), _at(11, 20, 9, 0), True),
        (Condition(hours=OFFICE), _at(11, 20, 17, 29), True),
        (Condition(hours=OFFICE), _at(11, 20, 17, 30), False),
        (Condition(hours=OFFICE), _at(11, 20, 8, 59), False),
        (Condition(hours=NIGHT), _at(11, 20, 23, 0), True),
        (Condition(hours=NIGHT), _at(11, 20, 5, 59), True),
        (Condition(hours=NIGHT), _at(11, 20, 6, 0), False),
        (Condition(hours=Hours(0, 24 * 60)), _at(11, 20, 23, 59), True),
        (Condition(days=SATURDAY), _at(11, 21, 12, 0), True),
        (Condition(days=SATURDAY), _at(11, 20, 12, 0), False),
        # Friday's night goes on into Saturday morning, and Saturday's has not begun there.
        (Condition(days=FRIDAY, hours=NIGHT), _at(11, 21, 3, 0), True),
        (Condition(days=SATURDAY, hours=NIGHT), _at(11, 21, 3, 0), False),
        # the hour that comes twice when the clocks go back, both times
        (Condition(hours=Hours(120, 180)), _at(10, 25, 2, 30, fold=0), True),
        (Condition(hours=Hours(120, 180)), _at(10, 25, 2, 30, fold=1), True),
    ],
)
def test_days_and_hours_are_those_of_the_user(
    when: Condition, now: datetime, applies: bool
) -> None:
    assert in_time(when, now) is applies


@pytest.mark.parametrize(
    ("when", "more", "applies"),
    [
        (Condition(), {}, True),
        (Condition(tasks=frozenset({"debugging"})), {}, False),
        (Condition(tasks=frozenset({"default"})), {}, True),
        (Condition(needs=frozenset({"vision"})), {"needs": frozenset({"vision"})}, True),
        (Condition(needs=frozenset({"vision"})), {}, False),
        (Condition(min_tokens=1_000), {"prompt": 1_000}, True),
        (Condition(min_tokens=1_000), {"prompt": 999}, False),
        (Condition(max_tokens=50), {"prompt": 51}, False),
        (Condition(min_complexity=5), {"complexity": Complexity(5)}, True),
        (Condition(max_complexity=3), {"complexity": Complexity(4)}, False),
        (Condition(branches=("release/*",)), {"branch": "release/2.0"}, True),
        (Condition(branches=("release/*",)), {"branch": "main"}, False),
        (Condition(branches=("*",)), {"branch": ""}, True),
        (Condition(files=("*.sql",)), {"files": ("a.py", "db/x.sql")}, True),
        (Condition(files=("*.sql",)), {}, False),
        (Condition(hours=OFFICE), {}, False),  # no clock was given
        (Condition(hours=OFFICE), {"now": _at(11, 20, 10, 0)}, True),
        (
            Condition(tasks=frozenset({"default"}), files=("*.sql",)),
            {"files": ("a.py",)},
            False,
        ),
    ],
)
def test_a_rule_applies_when_all_it_says_holds(
    when: Condition, more: dict[str, object], applies: bool
) -> None:
    rule = SpecialRule("mine", when, ModelRef("b", "other"), origin="config.toml:7")
    chosen = plan(replace(RULES, special=(rule,)), situation(**more))
    assert (chosen.first.ref == ModelRef("b", "other")) is applies
    assert chosen.fired == (("mine (config.toml:7)",) if applies else ())


def test_a_rule_may_set_the_tier_or_the_strategy_and_the_first_one_counts() -> None:
    cheap = SpecialRule("cheap", Condition(), tier="cheap")
    dear = SpecialRule("dear", Condition(), tier="powerful")
    best = SpecialRule("best", Condition(), strategy="quality")
    assert plan(replace(RULES, special=(cheap, dear)), situation()).first.ref.model == "nano"
    chosen = plan(replace(RULES, special=(best,)), situation())
    assert (chosen.strategy, chosen.first.ref.model) == ("quality", "big")


def test_a_rule_s_model_that_cannot_be_used_gives_way_with_its_reason() -> None:
    rule = SpecialRule("mine", Condition(), ModelRef("c", "x"))
    chosen = plan(replace(RULES, special=(rule,)), situation())
    assert chosen.first.ref.model == "mid"
    assert chosen.rejected[0].reason == "no key: set C_API_KEY"
