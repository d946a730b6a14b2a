"""A pool too large to compare as a whole: the same choice as by comparing all, from a table."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aircher.domain.models import Carbon, ModelFacts, ModelRef, Quality, Speed
from aircher.domain.routes import Estimate, Rules, Wish
from aircher.domain.usage import UNKNOWN_COST, Cost
from aircher.policy.estimate import LEAST_OUTPUT
from aircher.policy.route import Board, Situation, plan
from aircher.policy.route.board import BEST, FEW, undominated
from aircher.policy.route.plan import MOST

NANO = 1_000_000_000
COUNT = 120
REFS = tuple(ModelRef("p", f"m{number}") for number in range(COUNT))
RULES = Rules(order=("p",), models={"p": "m0"}, more=REFS)

few = st.integers(0, 9)
maybe = st.one_of(st.none(), few)
models = st.lists(
    st.tuples(maybe, few, maybe, maybe, st.booleans(), maybe), min_size=COUNT, max_size=COUNT
)
"""Of each model: price in, price out, quality, grams, whether it sees, seconds as measured."""

Drawn = list[tuple[int | None, int, int | None, int | None, bool, int | None]]


def world(drawn: Drawn, prompt: int, written: int) -> Situation:
    known: dict[ModelRef, ModelFacts] = {}
    prices: dict[ModelRef, tuple[int, int] | None] = {}
    speeds: dict[ModelRef, Speed] = {}
    for ref, (read, answer, quality, grams, sees, speed) in zip(REFS, drawn, strict=True):
        prices[ref] = None if read is None else (read, answer)
        known[ref] = ModelFacts(
            ref,
            100_000,
            input_price=None if read is None else Decimal(read),
            output_price=None if read is None else Decimal(answer),
            features=frozenset({"vision"} if sees else ()),
            quality=None if quality is None else Quality(quality / 10, "a board"),
            carbon=None if grams is None else Carbon(grams, grams),
        )
        if speed is not None:
            speeds[ref] = Speed(speed, None, 1)

    def estimate(ref: ModelRef) -> Estimate:
        price = prices[ref]
        cost = UNKNOWN_COST
        if price is not None:
            cost = Cost((price[0] * prompt + price[1] * written) * NANO, "exact")
        return Estimate(prompt, LEAST_OUTPUT, cost, cost, likely_output=written)

    return Situation("default", Wish(), known.__getitem__, estimate, speeds=lambda: speeds)


def value(strategy: str, ref: ModelRef, case: Situation) -> float | None:
    """What the strategy compares, less being better."""
    facts = case.facts(ref)
    speed = case.speed(ref)
    values = {
        "cost": case.estimate(ref).likely.nano_usd,
        "quality": -facts.quality.score if facts.quality else None,
        "carbon": facts.carbon.middle if facts.carbon else None,
        "performance": speed.first_token_s if speed else None,
    }
    return values[strategy]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["cost", "quality", "carbon", "performance"]),
    models,
    st.integers(0, 1000),
    st.integers(1, 1000),
    st.booleans(),
)
def test_the_best_of_a_large_pool_are_the_best_of_all(
    strategy: str, drawn: Drawn, prompt: int, written: int, sees: bool
) -> None:
    rules = replace(RULES, strategy=strategy)
    case = replace(
        world(drawn, prompt, written), needs=frozenset({"vision"} if sees else ()), board=None
    )
    able = [ref for ref in REFS if not sees or "vision" in (case.facts(ref).features or ())]
    if len(able) < MOST:
        return
    chosen = plan(rules, case)
    got = [value(strategy, candidate.ref, case) for candidate in chosen.candidates]
    all_known = sorted(v for ref in able if (v := value(strategy, ref, case)) is not None)
    best: list[float | None] = [*all_known, *[None] * MOST][:MOST]
    assert got == best
    assert len({candidate.ref for candidate in chosen.candidates}) == MOST
    assert chosen.untold + len(chosen.rejected) + MOST == COUNT
    assert len(chosen.rejected) < FEW


@settings(max_examples=30, deadline=None)
@given(models, st.integers(1, 1000))
def test_a_balance_of_a_large_pool_keeps_whatever_nobody_beats(drawn: Drawn, prompt: int) -> None:
    case = world(drawn, prompt, 100)
    front = Board(RULES, case.facts).front("balance", case)
    assert front is not None
    chosen = plan(replace(RULES, strategy="balanced"), case)
    assert {candidate.ref for candidate in chosen.candidates} <= set(front)
    assert len(chosen.candidates) == MOST


@given(
    st.lists(st.tuples(few, few, few), min_size=1, max_size=60),
    st.tuples(few, few, few),
    st.integers(1, 5),
)
def test_any_sum_s_least_are_among_the_undominated(
    points: list[tuple[int, int, int]], weights: tuple[int, int, int], depth: int
) -> None:
    kept = undominated([(point, number) for number, point in enumerate(points)], depth)

    def total(number: int) -> int:
        return sum(a * b for a, b in zip(points[number], weights, strict=True))

    least = sorted(map(total, range(len(points))))[:depth]
    assert sorted(map(total, kept))[: len(least)] == least
    assert len(kept) == len(set(kept))


def test_where_most_of_the_front_cannot_take_it_all_the_others_are_looked_at() -> None:
    drawn: Drawn = [(number, 1, None, None, True, None) for number in range(COUNT)]
    case = world(drawn, 10, 10)
    barred = dict.fromkeys(REFS[: BEST + 5], "you left it out")
    case = replace(case, wish=Wish(barred=barred))
    found = [c.ref for c in plan(replace(RULES, strategy="cost"), case).candidates]
    assert found == list(REFS[BEST + 5 : BEST + 5 + MOST])


@pytest.mark.parametrize("strategy", ["cost", "quality", "balanced"])
def test_a_board_is_asked_for_its_own_rules_only(strategy: str) -> None:
    case = world([(1, 1, 5, 1, True, None)] * COUNT, 10, 10)
    board = Board(RULES, case.facts)
    other = Rules(order=("p",), models={"p": "m3"}, strategy=strategy)
    assert plan(other, replace(case, board=board)).first.ref == ModelRef("p", "m3")
