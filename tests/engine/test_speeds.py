"""Measured speeds: medians over whole answers of the last days."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aircher.domain.models import ModelRef, Speed
from aircher.domain.usage import FREE, Tokens, UsageRow
from aircher.engine.speeds import DAYS, FRESH_S, Speeds, speeds
from tests.support.clock import FakeClock

REF = ModelRef("a", "m")


def row(first: float | None, lasted: float, output: int, **more: object) -> UsageRow:
    given: dict[str, object] = {"outcome": "ok", "at": FakeClock().now(), **more}
    return UsageRow(
        ref=REF, task="default", tokens=Tokens(10, output=output), cost=FREE,
        first_token_s=first, duration_s=lasted, **given,
    )  # type: ignore[arg-type] - test shorthand  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "speed"),
    [
        ([], None),
        ([row(0.5, 2.5, 100)], Speed(0.5, 50.0, 1)),
        ([row(1.0, 2.0, 50), row(3.0, 4.0, 100), row(2.0, 3.0, 30)], Speed(2.0, 50.0, 3)),
        ([row(0.5, 0.6, 5)], Speed(0.5, None, 1)),  # too short to say anything of its rate
        ([row(0.5, 9.0, 100, outcome="stopped")], None),
        ([row(None, 9.0, 100)], None),
    ],
)
def test_speeds_are_medians_of_whole_answers(rows: list[UsageRow], speed: Speed | None) -> None:
    assert speeds(rows).get(REF) == speed


def test_the_ledger_is_read_when_asked_and_again_when_that_is_old() -> None:
    clock = FakeClock()
    asked = []

    class Usage:
        def rows(self, since: object, until: object = None) -> list[UsageRow]:
            asked.append(since)
            return [row(0.5, 2.5, 100 * len(asked))]

    found = Speeds(Usage(), clock)  # type: ignore[arg-type] - all it uses
    assert asked == []
    assert found.all()[REF] == found.all()[REF] == Speed(0.5, 50.0, 1)
    assert asked == [clock.now() - timedelta(days=DAYS)]
    clock.advance(FRESH_S + 1)
    assert found.all()[REF] == Speed(0.5, 100.0, 1)
