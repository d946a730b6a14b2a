"""Every strategy as a table of cases: who stands where, why, and how well founded."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.domain.errors import ConfigError, ContextTooLong, NoModel
from aircher.domain.models import Carbon, ModelFacts, ModelRef, Quality, Speed
from aircher.domain.preferences import Preferences, Tiers, Weights
from aircher.domain.routes import Complexity, Estimate, Rules, TaskRule, Wish
from aircher.domain.usage import FREE, UNKNOWN_COST, Cost
from aircher.policy.route import STRATEGIES, Proposal, Situation, escalation, plan

NANO = 1_000_000
COSTS = {"nano": 1, "mid": 5, "big": 20, "other": 8, "home": 0}
QUALITY = {"nano": 0.5, "mid": 0.7, "big": 0.9, "other": 0.8}
SPEED = {
    ModelRef("a", "nano"): Speed(0.2, 200.0, 10),
    ModelRef("a", "mid"): Speed(0.5, 100.0, 3),
    ModelRef("a", "big"): Speed(2.0, 50.0, 1),
    ModelRef("here", "home"): Speed(0.1, 4.0, 40),
}
GRAMS = {"nano": (0.01, 0.02), "mid": (0.1, 0.3), "big": (1.0, 2.0)}

RULES = Rules(
    order=("a", "b", "here"),
    models={"a": "mid", "b": "other", "here": "home"},
    provider_tiers={"a": {"cheap": "nano", "medium": "mid", "powerful": "big"}},
    local={"here": "cloud$"},
    tiers=Tiers(
        {"quick_questions": "cheap", "default": "medium", "debugging": "powerful"},
    ),
    unusable={"c": "no key: set C_API_KEY"},
)


def facts(ref: ModelRef) -> ModelFacts:
    cost = COSTS.get(ref.model)
    quality = QUALITY.get(ref.model)
    grams = GRAMS.get(ref.model)
    return ModelFacts(
        ref,
        context_window=2_000 if ref.model == "home" else 100_000,
        input_price=None if cost is None else Decimal(cost),
        output_price=None if cost is None else Decimal(cost),
        free=cost == 0,
        quality=None if quality is None else Quality(quality, "a board", "2026-10"),
        carbon=None if grams is None else Carbon(*grams, "a model"),
    )


def situation(task: str = "default", **more: object) -> Situation:
    prompt = more.pop("prompt", 100)

    def estimate(ref: ModelRef) -> Estimate:
        price = COSTS.get(ref.model)
        if not price:
            cost = UNKNOWN_COST if price is None else FREE
            return Estimate(prompt, 400, cost, cost, likely_output=200)  # type: ignore[arg-type] - shorthand
        likely, worst = Cost(price * NANO, "exact"), Cost(2 * price * NANO, "exact")
        return Estimate(prompt, 400, likely, worst, likely_output=200)  # type: ignore[arg-type] - shorthand

    given: dict[str, object] = {
        "wish": Wish(),
        "speeds": lambda: SPEED,
        "complexity": Complexity(4),
        **more,
    }
    return Situation(task, facts=facts, estimate=estimate, **given)  # type: ignore[arg-type] - shorthand


def order(rules: Rules, case: Situation) -> list[str]:
    return [candidate.ref.model for candidate in plan(rules, case).candidates]


@pytest.mark.parametrize(
    ("task", "complexity", "expected"),
    [
        ("default", 4, ["mid", "other", "home"]),
        ("default", 0, ["nano", "other", "home"]),  # a greeting goes to the cheap tier
        ("default", 8, ["big", "other", "home"]),  # a hard request goes one tier up
        ("quick_questions", 4, ["nano", "other", "home"]),
        ("quick_questions", 9, ["mid", "other", "home"]),  # one step only
        ("debugging", 0, ["big", "other", "home"]),  # code work is never lowered
        ("debugging", 10, ["big", "other", "home"]),
        ("poetry", 4, ["mid", "other", "home"]),  # a task of the user's own: medium
    ],
)
def test_task(task: str, complexity: int, expected: list[str]) -> None:
    assert order(RULES, situation(task, complexity=Complexity(complexity))) == expected


def test_a_task_s_own_rule_comes_first_and_complexity_does_not_move_it() -> None:
    rules = replace(
        RULES, tasks={"default": TaskRule(ModelRef("b", "other"), (ModelRef("a", "nano"),))}
    )
    assert order(rules, situation(complexity=Complexity(9)))[:2] == ["other", "nano"]


def test_the_user_s_own_tier_comes_before_the_providers() -> None:
    tiers = replace(RULES.tiers, models={"powerful": ModelRef("b", "other")})
    rules = replace(RULES, tiers=tiers)
    chosen = plan(rules, situation("debugging"))
    assert chosen.first.ref == ModelRef("b", "other")
    assert "routing.tiers" in chosen.first.reason


@pytest.mark.parametrize(
    ("prioritise", "expected"),
    [
        ("", ["mid", "other", "home"]),
        ("cost", ["home", "mid", "other"]),
        ("quality", ["other", "mid", "home"]),
        ("speed", ["mid", "home", "other"]),
    ],
)
def test_what_is_prioritised_orders_what_the_task_leaves_open(
    prioritise: str, expected: list[str]
) -> None:
    rules = replace(RULES, preferences=Preferences(prioritise))
    assert order(rules, situation()) == expected
    ruled = replace(rules, tasks={"default": TaskRule(ModelRef("a", "big"))})
    assert order(ruled, situation())[0] == "big"


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("cost", ["home", "nano", "mid", "other", "big"]),
        ("quality", ["big", "other", "mid", "nano", "home"]),
        ("performance", ["nano", "mid", "big", "home", "other"]),
        ("carbon", ["nano", "mid", "big", "other", "home"]),
    ],
)
def test_each_strategy_orders_by_its_own_figure_and_puts_the_unknown_last(
    strategy: str, expected: list[str]
) -> None:
    chosen = plan(replace(RULES, strategy=strategy), situation())
    assert [candidate.ref.model for candidate in chosen.candidates] == expected
    assert all(candidate.reason for candidate in chosen.candidates)
    assert all(0 < candidate.confidence <= 1 for candidate in chosen.candidates)
    assert all(candidate.estimate is not None for candidate in chosen.candidates)
    assert chosen.strategy == strategy


@pytest.mark.parametrize(
    ("strategy", "model", "words"),
    [
        ("cost", "nano", "$0.0010"),
        ("cost", "home", "free"),
        ("quality", "big", "0.9 (a board 2026-10)"),
        ("performance", "nano", "about 1.2 s, measured over 10 calls"),
        ("carbon", "nano", "g CO2e, an estimate"),
        ("balanced", "other", "speed 0.50 (unknown)"),
    ],
)
def test_a_place_is_explained_by_the_figure_that_was_compared(
    strategy: str, model: str, words: str
) -> None:
    candidates = plan(replace(RULES, strategy=strategy), situation()).candidates
    assert words in next(c.figure for c in candidates if c.ref.model == model)


@pytest.mark.parametrize(
    ("strategy", "model", "words"),
    [
        ("quality", "home", "not known"),
        ("performance", "other", "not measured"),
        ("carbon", "other", "not known"),
        ("cost", "mystery", "not known"),
    ],
)
def test_what_is_not_known_is_said_and_little_trusted(
    strategy: str, model: str, words: str
) -> None:
    rules = replace(RULES, strategy=strategy, more=(ModelRef("a", "mystery"),))
    found = next(c for c in plan(rules, situation()).candidates if c.ref.model == model)
    assert words in found.reason
    assert found.confidence < 0.5


@pytest.mark.parametrize(
    ("weights", "first"),
    [
        (Weights(1, 0, 0), "home"),
        (Weights(0, 1, 0), "big"),
        (Weights(0, 0, 1), "nano"),
        (Weights(1, 3, 0), "big"),
        (Weights(1, 1, 1), "mid"),
        (Weights(0, 0, 0), "mid"),  # nothing counts: the order stays
    ],
)
def test_balanced_follows_its_weights(weights: Weights, first: str) -> None:
    rules = replace(RULES, strategy="balanced", preferences=Preferences(weights=weights))
    assert order(rules, situation())[0] == first


def test_a_strategy_of_one_s_own_orders_and_is_still_kept_from_the_unfit() -> None:
    def mine(_: Rules, __: Situation) -> list[Proposal]:
        return [Proposal(ModelRef("c", "x"), "mine"), Proposal(ModelRef("b", "other"), "mine")]

    rules = replace(RULES, strategy="mine")
    chosen = plan(rules, situation(), {**STRATEGIES, "mine": mine})
    assert chosen.first.ref == ModelRef("b", "other")
    assert chosen.rejected[0].reason == "no key: set C_API_KEY"
    with pytest.raises(ConfigError, match="'mine'"):
        plan(rules, situation())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_must_stay_here_is_never_sent_elsewhere(strategy: str) -> None:
    rules = replace(
        RULES,
        strategy=strategy,
        more=(ModelRef("here", "big-cloud"),),
        tasks={"default": TaskRule(ModelRef("a", "big"), (ModelRef("b", "other"),))},
    )
    for case in (
        situation(wish=Wish(local=True)),
        situation(needs=frozenset({"local"})),
    ):
        chosen = plan(rules, case)
        assert [c.ref for c in chosen.candidates] == [ModelRef("here", "home")]
        assert list(escalation(chosen.first.ref, rules, case)) == []


@pytest.mark.parametrize("wish", [Wish(model="a/big", local=True), Wish(provider="a", local=True)])
def test_a_model_elsewhere_asked_for_by_name_is_refused_when_it_must_stay_here(wish: Wish) -> None:
    with pytest.raises(NoModel, match=r"^a/.* was asked for by name: does not run on this machine"):
        plan(RULES, situation(wish=wish))


def test_too_long_for_the_model_here_names_that_model_alone() -> None:
    with pytest.raises(ContextTooLong) as caught:
        plan(RULES, situation(prompt=50_000, wish=Wish(local=True)))
    assert (caught.value.provider, caught.value.model) == ("here", "home")


@pytest.mark.parametrize(
    ("rules", "model", "words", "key"),
    [
        (
            replace(RULES, tasks={"default": TaskRule(ModelRef("a", "mid"), min_quality=0.75)}),
            "mid",
            "0.7 is below min_quality 0.75",
            "models.task.default.min_quality",
        ),
        (
            replace(RULES, tasks={"default": TaskRule(ModelRef("a", "mid"), min_quality=0.5)}),
            "home",
            "quality is not known",
            "models.task.default.min_quality",
        ),
        (
            replace(RULES, preferences=Preferences(max_cost_nano=12 * NANO)),
            "other",
            "may cost $0.016",
            "routing.max_cost_per_request",
        ),
        (
            replace(RULES, preferences=Preferences(max_response_s=10.0)),
            "home",
            "took about 50.1 s",
            "routing.max_response_time",
        ),
    ],
)
def test_the_user_s_limits_leave_models_out_and_name_the_key(
    rules: Rules, model: str, words: str, key: str
) -> None:
    chosen = plan(rules, situation())
    found = next(item for item in chosen.rejected if item.ref.model == model)
    assert words in found.reason
    assert found.key == key
    assert model not in [candidate.ref.model for candidate in chosen.candidates]
    wish = Wish(model=str(found.ref))
    assert plan(rules, situation(wish=wish)).first.ref == found.ref  # by name it goes over them


def test_stronger_models_are_the_next_tier_of_the_same_provider_first() -> None:
    found = [c.ref.model for c in escalation(ModelRef("a", "nano"), RULES, situation())]
    assert found == ["mid", "big", "other"]
    assert [c.ref.model for c in escalation(ModelRef("a", "big"), RULES, situation())] == []
    blocked = situation(blocked={ModelRef("a", "mid"): "resting"})
    assert "mid" not in [c.ref.model for c in escalation(ModelRef("a", "nano"), RULES, blocked)]


@given(
    st.sampled_from(sorted(STRATEGIES)),
    st.sets(st.sampled_from(["nano", "mid", "big", "other"])),
    st.integers(0, 10),
    st.sampled_from(["", "cost", "speed", "quality"]),
)
def test_a_plan_is_complete_and_without_doubles(
    strategy: str, resting: set[str], complexity: int, prioritise: str
) -> None:
    rules = replace(RULES, strategy=strategy, preferences=Preferences(prioritise))
    blocked = {ModelRef(p, m): "resting" for p in "ab" for m in resting}
    chosen = plan(rules, situation(blocked=blocked, complexity=Complexity(complexity)))
    refs = [candidate.ref for candidate in chosen.candidates]
    assert len(refs) == len(set(refs)) > 0
    assert not set(refs) & set(blocked)
