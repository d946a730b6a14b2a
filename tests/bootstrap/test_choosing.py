"""Who may answer, in which order, for what: from configuration and what was found, to rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from aircher.bootstrap.choosing import TASK_TIERS, Chosen, Findings, choose
from aircher.bootstrap.configuring import load_config
from aircher.domain.models import ModelFacts, ModelRef
from aircher.domain.tasks import TASKS
from aircher.policy.route.fitness import is_local
from aircher.providers.vendors import vendors
from tests.support.program import write_config

KEYS = {"claude": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}


def chosen(home: Path, text: str = "", **findings: object) -> Chosen:
    write_config(home, text)
    config = load_config()
    assert config.problems == ()
    given = {"local_model": "not fetched", **findings}
    return choose(config, vendors(), Findings(**given), ModelFacts)  # type: ignore[arg-type] - test shorthand


def test_nothing_configured_takes_what_is_found_the_built_in_model_last(home: Path) -> None:
    found = {"groq": "GROQ_API_KEY", **KEYS}
    servers = {"ollama": ("qwen3:4b",), "lmstudio": ("x",)}
    rules = chosen(home, keys=found, servers=servers, local_model="").rules
    assert rules.order == ("openai", "claude", "ollama", "groq", "lmstudio", "local")
    assert rules.models["ollama"] == "qwen3:4b"
    assert rules.unusable["gemini"] == "no key: set GEMINI_API_KEY or GOOGLE_API_KEY"


def test_what_was_found_is_told_only_while_nothing_says_what_to_use(home: Path) -> None:
    assert chosen(home, keys=KEYS).found == (
        "OpenAI, by the key in OPENAI_API_KEY",
        "Claude, by the key in ANTHROPIC_API_KEY",
    )
    assert chosen(home, '[providers]\ndefault = "claude"\n', keys=KEYS).found == ()


def test_every_task_has_a_tier_and_gets_that_tiers_model(home: Path) -> None:
    assert set(TASK_TIERS) == set(TASKS)
    models = chosen(home, keys=KEYS).rules.task_models["openai"]
    tiers = vendors()["openai"].models
    assert models["quick_questions"] == tiers["cheap"]
    assert models["documentation"] == tiers["medium"]
    assert models["debugging"] == tiers["powerful"]


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ('[providers]\ndefault = "claude"\n', ("claude", "openai")),
        ('[providers]\ndefault = "anthropic"\n', ("claude", "openai")),
        ('[providers]\nfallback_order = ["claude"]\n', ("claude",)),
        ("[providers.openai]\nenabled = false\n", ("claude",)),
        (
            '[providers.mine]\nbase_url = "http://127.0.0.1:1/v1"\nmodel = "m"\n',
            ("openai", "claude", "mine"),
        ),
        (
            (
                '[providers]\nfallback_order = ["claude"]\n[providers.mine]\n'
                'base_url = "http://127.0.0.1:1/v1"\nmodel = "m"\n'
            ),
            ("claude", "mine"),
        ),
    ],
)
def test_the_users_order(home: Path, text: str, order: tuple[str, ...]) -> None:
    assert chosen(home, text, keys=KEYS).rules.order == order


def test_a_model_set_for_a_provider_stands_for_all_its_tasks(home: Path) -> None:
    rules = chosen(home, '[providers.openai]\nmodel = "gpt-5-nano"\n', keys=KEYS).rules
    assert set(rules.task_models["openai"].values()) == {"gpt-5-nano"}


def test_tasks_name_models_in_every_form(home: Path) -> None:
    text = (
        '[models.tasks]\ndebugging = "claude/x"\nsummaries = "anthropic/y"\ndefault = "z"\n'
        '[models.task.refactoring]\npreferred = "openai/p"\nfallbacks = ["claude/q"]\n'
        'required_features = ["tools"]\n'
    )
    tasks = chosen(home, text, keys=KEYS).rules.tasks
    assert tasks["debugging"].preferred == ModelRef("claude", "x")
    assert tasks["debugging"].origin == "config.toml:2"
    assert tasks["summaries"].preferred == ModelRef("claude", "y")
    assert tasks["default"].preferred == ModelRef("openai", "z")
    assert tasks["refactoring"].fallbacks == (ModelRef("claude", "q"),)
    assert tasks["refactoring"].required_features == {"tools"}


def test_a_known_vendor_may_be_reached_by_another_protocol(home: Path) -> None:
    text = '[providers.claude]\nkind = "openai"\nbase_url = "https://gateway.example/v1"\n'
    row = chosen(home, text, keys=KEYS).vendors["claude"]
    assert (row.kind, row.quirks, row.title) == ("openai", {}, "Claude")


ROUTED = """
[providers]
fallback_order = ["openai", "ollama", "gateway", "far"]
[providers.openai]
custom_models = ["openai/tomorrow-1"]
fallback_models = ["gpt-5-mini"]
[providers.gateway]
base_url = "http://127.0.0.1:9/v1"
local = true
[providers.far]
base_url = "http://127.0.0.1:8/v1"
[routing]
prioritise = "cost"
max_cost_per_request = 0.05
[routing.weights]
quality = 3.0
[routing.tiers]
powerful = "tomorrow-1"
powerful_from = 6
[routing.rules]
large_context = "openai/gpt-5-mini"
[routing.rule.nights]
hours = "22-6"
days = ["sat"]
branches = ["release/*"]
tier = "cheap"
[models.task.debugging]
preferred = "gpt-5-mini"
min_quality = 0.8
"""


def test_what_the_user_says_of_routing_reaches_the_rules(home: Path) -> None:
    rules = chosen(home, ROUTED, keys=KEYS, servers={"ollama": ("qwen3:4b",)}).rules
    tomorrow = ModelRef("openai", "tomorrow-1")
    assert rules.more == (tomorrow, ModelRef("openai", "gpt-5-mini"))
    assert rules.tiers.models == {"powerful": tomorrow}
    assert (rules.tiers.powerful_from, rules.tiers.of_task["debugging"]) == (6, "powerful")
    assert rules.preferences.prioritise == "cost"
    assert rules.preferences.max_cost_nano == 50_000_000
    assert rules.preferences.weights.quality == 3.0
    assert rules.tasks["debugging"].min_quality == 0.8
    nights, large = rules.special
    assert (nights.name, nights.tier, nights.origin) == ("nights", "cheap", "config.toml:26")
    assert nights.when.hours is not None
    assert (nights.when.hours.since, nights.when.hours.until) == (22 * 60, 6 * 60)
    assert nights.when.days == {5}
    assert nights.when.branches == ("release/*",)
    assert (large.use, large.when.min_tokens) == (ModelRef("openai", "gpt-5-mini"), 100_000)


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("", {"ollama"}),
        ('[providers.ollama]\nbase_url = "https://models.example.com"\n', set()),
        (
            '[providers.ollama]\nbase_url = "https://models.example.com"\nlocal = true\n',
            {"ollama"},
        ),
        ("[providers.ollama]\nlocal = false\n", set()),
        ('[providers.mine]\nbase_url = "http://127.0.0.1:9/v1"\n', {"ollama"}),
        (
            '[providers.mine]\nbase_url = "http://127.0.0.1:9/v1"\nlocal = true\n',
            {"ollama", "mine"},
        ),
    ],
)
def test_what_counts_as_this_machine(home: Path, text: str, local: set[str]) -> None:
    rules = chosen(home, text, keys=KEYS, servers={"ollama": ("qwen3:4b",)}).rules
    assert set(rules.local) == local
    if "ollama" in local:
        assert is_local(ModelRef("ollama", "qwen3:4b"), rules)
        assert not is_local(ModelRef("ollama", "gpt-oss:120b-cloud"), rules)
