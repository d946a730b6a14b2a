"""Routing as tables of cases."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from aircher.domain.errors import ContextTooLong, NoModel
from aircher.domain.models import ModelFacts, ModelRef
from aircher.domain.routes import Estimate, Rules, TaskRule, Wish
from aircher.domain.usage import UNKNOWN_COST, Cost
from aircher.policy.route import Situation, plan, resolve

WINDOWS = {"small": 1_000, "wide": 100_000}
PRICES = {"dear": 50, "cheap": 1, "small": 5, "wide": 9}
FEATURES = {"dear": frozenset({"vision"}), "cheap": frozenset({"tools"})}

RULES = Rules(
    order=("a", "b"),
    models={"a": "dear", "b": "cheap"},
    tasks={
        "debugging": TaskRule(
            ModelRef("b", "wide"), (ModelRef("a", "small"),), origin="config.toml:3"
        ),
        "images": TaskRule(ModelRef("b", "cheap"), required_features=frozenset({"vision"})),
    },
    task_models={"a": {"summaries": "small"}},
    unusable={"c": "no key: set C_API_KEY"},
)


def facts(ref: ModelRef) -> ModelFacts:
    price = PRICES.get(ref.model)
    return ModelFacts(
        ref,
        context_window=WINDOWS.get(ref.model),
        input_price=None if price is None else Decimal(price),
        output_price=None if price is None else Decimal(price),
        features=FEATURES.get(ref.model),
    )


def situation(task: str, wish: Wish | None = None, prompt: int = 10, **more: object) -> Situation:
    def estimate(ref: ModelRef) -> Estimate:
        price = PRICES.get(ref.model)
        cost = UNKNOWN_COST if price is None else Cost(price, "exact")
        return Estimate(prompt, 100, cost, cost)

    return Situation(task, wish or Wish(), facts, estimate, **more)  # type: ignore[arg-type] - test shorthand


@pytest.mark.parametrize(
    ("task", "wish", "expected"),
    [
        ("default", Wish(), ["a/dear", "b/cheap"]),
        ("summaries", Wish(), ["a/small", "b/cheap"]),
        ("debugging", Wish(), ["b/wide", "a/small"]),
        ("debugging", Wish(provider="a"), ["a/small", "b/wide"]),
        ("default", Wish(provider="b"), ["b/cheap", "a/dear"]),
        ("default", Wish(model="b/other"), ["b/other", "a/dear", "b/cheap"]),
        ("default", Wish(model="cheap"), ["b/cheap", "a/dear"]),
        ("default", Wish(model="x", provider="b"), ["b/x", "a/dear", "b/cheap"]),
        ("default", Wish(fallback=False), ["a/dear"]),
        ("debugging", Wish(model="a/dear", fallback=False), ["a/dear"]),
    ],
)
def test_order(task: str, wish: Wish, expected: list[str]) -> None:
    chosen = plan(RULES, situation(task, wish))
    assert [str(candidate.ref) for candidate in chosen.candidates] == expected
    assert all(candidate.reason for candidate in chosen.candidates)


def test_the_cheapest_first_and_unknown_prices_last() -> None:
    rules = Rules(("a", "b", "d"), {"a": "dear", "b": "cheap", "d": "mystery"}, strategy="cost")
    refs = [str(c.ref) for c in plan(rules, situation("default")).candidates]
    assert refs == ["b/cheap", "a/dear", "d/mystery"]


def test_a_rule_names_where_it_stands() -> None:
    assert "config.toml:3" in plan(RULES, situation("debugging")).first.reason


@pytest.mark.parametrize(
    ("case", "rejected", "words"),
    [
        (situation("debugging", prompt=5_000), "a/small", "window of 1,000"),
        (situation("images"), "b/cheap", "has no vision"),
        (situation("default", needs=frozenset({"tools"})), "a/dear", "has no tools"),
        (situation("default", blocked={ModelRef("a", "dear"): "resting 9 s"}), "a/dear", "resting"),
    ],
)
def test_what_is_left_out_says_why(case: Situation, rejected: str, words: str) -> None:
    reasons = {str(item.ref): item.reason for item in plan(RULES, case).rejected}
    assert words in reasons[rejected]


def test_a_resting_model_is_better_than_none() -> None:
    rules = Rules(("a",), {"a": "dear"})
    chosen = plan(rules, situation("default", blocked={ModelRef("a", "dear"): "resting"}))
    assert str(chosen.first.ref) == "a/dear"


def test_a_tasks_price_limit_leaves_dear_and_unknown_models_out_unless_wished() -> None:
    rule = TaskRule(ModelRef("a", "dear"), (ModelRef("a", "mystery"),), max_cost_per_1k="0.01")
    rules = replace(RULES, tasks={"default": rule})
    chosen = plan(rules, situation("default"))
    assert [str(c.ref) for c in chosen.candidates] == ["b/cheap"]
    reasons = {str(item.ref): item.reason for item in chosen.rejected}
    assert "$0.05 per 1,000" in reasons["a/dear"]
    assert "not known" in reasons["a/mystery"]
    assert str(plan(rules, situation("default", Wish(model="a/dear"))).first.ref) == "a/dear"


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(provider="c"), "no key: set C_API_KEY"),
        (Wish(model="x", provider="zz"), "no provider named 'zz'"),
        (Wish(model="c/x"), "no key: set C_API_KEY"),
        (Wish(provider="zz", fallback=False), "no provider named 'zz'"),
        (Wish(model="b/cheap", task="images"), "b/cheap was asked for by name: has no vision"),
    ],
)
def test_what_was_asked_for_by_name_is_not_replaced(wish: Wish, words: str) -> None:
    with pytest.raises(NoModel, match=words):
        plan(RULES, situation(wish.task or "default", wish))


@pytest.mark.parametrize(
    ("rules", "wish", "expected"),
    [
        ({"default": TaskRule(ModelRef("b", "wide"))}, Wish(), ["a/dear", "b/wide"]),
        ({"default": TaskRule(ModelRef("b", "wide"))}, Wish(model="a/new"), ["a/new", "a/dear"]),
        ({"default": TaskRule(ModelRef("b", "wide"))}, Wish(fallback=False), ["b/wide"]),
        ({"default": TaskRule(ModelRef("a", "x"), (ModelRef("b", "wide"),))}, Wish(), ["a/x", "b/wide"]),
    ],
)  # fmt: skip
def test_a_model_known_to_see_comes_before_one_of_which_it_is_not_known(
    rules: dict[str, TaskRule], wish: Wish, expected: list[str]
) -> None:
    case = situation("default", wish, needs=frozenset({"vision"}))
    chosen = plan(replace(RULES, tasks=rules), case)
    assert [str(one.ref) for one in chosen.candidates][: len(expected)] == expected
    unknown = next(one for one in chosen.candidates if one.ref.model in {"wide", "x", "new"})
    by_name = bool(wish.model) and unknown.ref.model == "new"
    assert ("whether it has vision is not known" in unknown.reason) is not by_name


def test_a_model_asked_for_by_name_that_is_too_small_is_named() -> None:
    with pytest.raises(ContextTooLong, match="does not fit a/small, which was asked for by name"):
        plan(RULES, situation("default", Wish(model="a/small"), prompt=5_000))


def test_another_model_of_a_provider_asked_for_stands_in_for_one_that_cannot() -> None:
    chosen = plan(RULES, situation("debugging", Wish(provider="a"), prompt=5_000))
    assert [str(one.ref) for one in chosen.candidates] == ["a/dear", "b/wide"]


def test_a_choice_says_which_model_of_the_user_s_it_passes_over() -> None:
    case = situation("debugging", prompt=5_000)
    rules = replace(RULES, tasks={"debugging": TaskRule(ModelRef("a", "small"))})
    first = plan(rules, case).first
    assert str(first.ref) != "a/small"
    assert "a/small is left out: window of 1,000 tokens is too small" in first.reason


def test_other_names_of_a_provider_are_understood() -> None:
    rules = replace(RULES, aliases={"alpha": "a"})
    assert str(plan(rules, situation("default", Wish(provider="alpha"))).first.ref) == "a/dear"
    assert str(plan(rules, situation("default", Wish(model="alpha/m"))).first.ref) == "a/m"


def test_nothing_configured_says_what_to_do() -> None:
    with pytest.raises(NoModel) as caught:
        plan(Rules((), {}), situation("default"))
    assert "aircher local pull" in caught.value.hint


def test_all_too_small_names_the_widest() -> None:
    rules = Rules(("a", "b"), {"a": "small", "b": "wide"})
    with pytest.raises(ContextTooLong) as caught:
        plan(rules, situation("default", prompt=200_000))
    assert (caught.value.provider, caught.value.model) == ("b", "wide")


@pytest.mark.parametrize(
    ("name", "ref"),
    [
        ("b/org/model", ModelRef("b", "org/model")),
        ("c", ModelRef("c", "")),
        ("a", ModelRef("a", "dear")),
        ("cheap", ModelRef("b", "cheap")),
        ("wide", ModelRef("b", "wide")),
        ("org/unknown", ModelRef("a", "org/unknown")),
    ],
)
def test_names(name: str, ref: ModelRef) -> None:
    assert resolve(name, RULES, facts) == ref
