"""Loading: layers, origins, and every kind of mistake with its line."""

import os
from dataclasses import fields, is_dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from aircher.config.layers import Flag
from aircher.config.load import Config, Places, load
from aircher.config.names import BUILT_IN
from aircher.config.schema import Tree
from aircher.config.trust import Trust
from aircher.domain.settings import Limit

NAMES = dict(BUILT_IN) | {
    "openrouter": "openrouter",
    "lm-studio": "lmstudio",
    "lmstudio": "lmstudio",
}


def loaded(
    tmp_path: Path, text: str, environ: dict[str, str] | None = None, *flags: Flag
) -> Config:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    return load(Places(file), environ=environ or {}, flags=flags, names=NAMES)


def test_no_file_at_all_is_a_good_state(tmp_path: Path) -> None:
    config = load(Places(tmp_path / "none.toml"), environ={})
    assert (config.problems, config.warnings) == ((), ())
    assert {f.name: getattr(config, f.name) for f in fields(Tree)} == {
        f.name: getattr(Tree(), f.name) for f in fields(Tree)
    }
    assert config.origin("retry.max_retries") == "default"


def test_values_are_typed(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        """
[providers]
default = "anthropic"
fallback_order = ["google", "openai"]
health_check_interval = "1m30s"
[providers.anthropic]
model = "claude-sonnet-5-5"
temperature = 1
timeout = "250ms"
models = { cheap = "claude-haiku-5-5" }
[providers.ollama]
[models.task.debugging]
preferred = "openai/gpt-5"
max_cost_per_1k = 0.1
[models.custom."openai/gpt-4.1"]
input_price = 2
[costs]
daily_limit = 0.1
[costs.limits]
anthropic_daily = 5
[costs.task_budgets]
summaries = 2.5
[keys]
provider.next = "f2"
"chat.send" = "enter"
""",
    )
    assert config.problems == ()
    assert config.providers.default == "claude"
    assert config.providers.fallback_order == ("gemini", "openai")
    assert config.providers.health_check_interval == 90.0
    assert set(config.providers.named) == {"claude", "ollama"}
    claude = config.providers.named["claude"]
    assert claude.given == {
        "model": "claude-sonnet-5-5",
        "temperature": 1.0,
        "timeout": 0.25,
        "models": {"cheap": "claude-haiku-5-5"},
    }
    assert config.providers.named["ollama"].given == {}
    assert config.models.task["debugging"].max_cost_per_1k == Decimal("0.1")
    assert config.models.custom["openai/gpt-4.1"].input_price == 2
    assert config.keys == {"provider.next": "f2", "chat.send": "enter"}
    assert config.limits() == (
        Limit("costs.daily_limit", "day", 100_000_000),
        Limit("costs.limits.anthropic_daily", "day", 5_000_000_000, provider="claude"),
        Limit("costs.task_budgets.summaries", "month", 2_500_000_000, task="summaries"),
    )
    assert config.was_set("providers.claude.model")
    assert not config.was_set("providers.ollama.model")
    assert config.get("providers.ollama.model") is None
    assert config.get("keys.provider.next") == "f2"
    assert config.get("models.custom.openai/gpt-4.1.input_price") == 2
    with pytest.raises(KeyError):
        config.get("retry.nothing")


def test_models_are_split_only_at_known_providers(tmp_path: Path) -> None:
    config = loaded(tmp_path, '[providers.mine]\nbase_url = "https://mine.example/v1"\n')
    assert config.split_model("openai/gpt-5") == ("openai", "gpt-5")
    assert config.split_model("anthropic/claude-x") == ("claude", "claude-x")
    assert config.split_model("mine/a/b") == ("mine", "a/b")
    assert config.split_model("meta-llama/llama-4") == ("", "meta-llama/llama-4")
    assert config.split_model("gpt-5") == ("", "gpt-5")
    assert config.split_model("openai/") == ("", "openai/")


MISTAKES = [
    ('theme = "x"', ["1: theme is not a known key"]),
    ("discver = true", ['1: discver is not a known key (did you mean "discover"?)']),
    (
        "[retry]\nmax_retry = 1",
        ['2: retry.max_retry is not a known key (did you mean "max_retries"?)'],
    ),
    ("[cost]\ndaily_limit = 1.0", ['1: cost is not a known key (did you mean "costs"?)']),
    ('discover = "yes"', ['1: discover must be true or false, not "yes"']),
    ("discover = 1", ["1: discover must be true or false, not 1"]),
    ("[chat]\nmax_output = true", ["2: chat.max_output must be a whole number, not true"]),
    ("[chat]\nmax_output = 1.5", ["2: chat.max_output must be a whole number, not 1.5"]),
    ("[chat]\nmax_output = 0", ["2: chat.max_output must be at least 1"]),
    ("[chat]\ntemperature = 2.1", ["2: chat.temperature must be at most 2"]),
    ("[chat]\ntemperature = nan", ["2: chat.temperature must be a number, not nan"]),
    (
        "[costs]\ndaily_limit = inf",
        ["2: costs.daily_limit must be an amount in USD such as 5.0, not inf"],
    ),
    ("[costs]\ndaily_limit = -1", ["2: costs.daily_limit must be at least 0"]),
    (
        '[costs]\ndaily_limit = "5"',
        ['2: costs.daily_limit must be an amount in USD such as 5.0, not "5"'],
    ),
    (
        "[costs]\ndaily_limit = 2026-01-01",
        ["2: costs.daily_limit must be an amount in USD such as 5.0, not 2026-01-01"],
    ),
    (
        "[retry]\nmax_delay = 30",
        ['2: retry.max_delay must be a duration such as "30s", "5m" or "1h30m", not 30'],
    ),
    (
        '[retry]\nmax_delay = "30"',
        [
            '2: retry.max_delay is not usable: write a duration with its unit, such as "30s", "5m" or "1h30m"'
        ],
    ),
    ('[retry]\nmax_delay = "2h"', ["2: retry.max_delay must be at most 1h"]),
    (
        '[retry]\nmax_delay = "100ms"',
        ["2: retry.initial_delay is longer than retry.max_delay (100ms)"],
    ),
    (
        '[retry]\nretryable_errors = ["timeout",\n "boom"]',
        [
            (
                "2: retry.retryable_errors must be one of auth, permission, quota, invalid_request, "
                "not_found, address, context_length, content_filter, rate_limit, overloaded, server, network, "
                'timeout, malformed, not "boom"'
            )
        ],
    ),
    (
        '[routing]\nprioritise = "fast"',
        ['2: routing.prioritise must be one of cost, speed, quality, not "fast"'],
    ),
    (
        '[routing.rules]\nvison = "gpt-5"',
        ['2: "vison" is no kind of request (did you mean "vision"?)'],
    ),
    (
        '[routing.rule.x]\nhours = "9-25"\ntier = "cheap"',
        ['2: routing.rule.x.hours must be hours of the day such as "09:00-17:30" or "22-6"'],
    ),
    (
        '[routing.rule.idle]\ntasks = ["debugging"]',
        ["1: routing.rule.idle does nothing (give it use, tier or strategy)"],
    ),
    (
        '[routing.gates]\nescalate_on = ["check"]',
        [
            '2: routing.gates.escalate_on names "check", but routing.gates.check is not set',
        ],
    ),
    (
        'providers = "openai"',
        ["1: [providers] must be a table (write [providers] on a line of its own, its keys below)"],
    ),
    ("[ui]\ntheme = { a = 1 }", ["2: ui.theme must be one word in quotes, not a table"]),
    ('[ui]\ntheme = "a b"', ["2: ui.theme must be one word, without blanks"]),
    ('[ui]\ntheme = ["a"]', ['2: ui.theme must be one word in quotes, not ["a"]']),
    (
        '[providers]\ndefalt = "openai"',
        ['2: providers.defalt is not a known key (did you mean "default"?)'],
    ),
    (
        '[providers]\ndefault = "opnai"',
        ['2: providers.default names "opnai", which is no provider (did you mean "openai"?)'],
    ),
    (
        '[providers]\nfallback_order = ["openai", "gemni"]',
        [
            '2: providers.fallback_order names "gemni", which is no provider (did you mean "gemini"?)'
        ],
    ),
    (
        '[providers]\nfallback_order = ["claude", "anthropic"]',
        ['2: providers.fallback_order names "claude" twice'],
    ),
    (
        '[providers]\ndefault = "openai"\n[providers.openai]\nenabled = false',
        ['2: providers.default is "openai", which is not enabled'],
    ),
    (
        '[providers.opnrouter]\nmodel = "x"',
        [
            (
                '1: "opnrouter" is not a provider that is known here (did you mean "openrouter"? '
                "or for a server of your own set base_url (and kind))"
            )
        ],
    ),
    (
        '[providers.openai]\nmodel = "a"\n[providers.anthropic]\nmodel = "b"\n[providers.claude]\nmodel = "c"',
        ["6: providers.claude.model is set twice (under two names)"],
    ),
    (
        '[providers.mine]\nbase_url = "ftp://x"',
        [
            "2: providers.mine.base_url must be an address such as https://host/v1, without ? and #",
        ],
    ),
    (
        '[providers.openai]\nbase_url = "https://me:secret@example.com"',
        ["2: providers.openai.base_url must not hold a user name or password"],
    ),
    (
        '[providers.openai]\nbase_url = "http://10.0.0.1/v1"',
        [
            (
                "2: providers.openai.base_url is not encrypted: prompts and keys could be read on the way "
                "(use https, or set allow_http = true if the network is yours)"
            )
        ],
    ),
    (
        '[providers.openai]\nmodels = { tiny = "x" }',
        ['2: "tiny" is no tier of models (tiers are cheap, medium, powerful)'],
    ),
    (
        '[providers.openai]\nmodel = "a"\nfallback_models = ["b", "a", "b"]',
        [
            '3: providers.openai.fallback_models names "b" twice',
            '3: providers.openai.fallback_models falls back from "a" to itself',
        ],
    ),
    (
        (
            '[providers.openai]\nfallback_models = ["claude/x"]\n[providers.claude]\nfallback_models = ["gemini/y"]\n'
            '[providers.gemini]\nfallback_models = ["openai/z"]'
        ),
        [
            "2: fallback_models go in a circle: openai -> claude -> gemini -> openai (take one of them out)"
        ],
    ),
    ('[models.tasks]\ndebuging = "x"', ['2: "debuging" is not a task (did you mean "debugging"?)']),
    (
        '[models.tasks]\npoetry = "x"',
        ['2: "poetry" is not a task (define it with [models.task.poetry])'],
    ),
    (
        '[models.task.debugging]\npreferred = "a"\nfallbacks = ["a"]',
        ['3: models.task.debugging.fallbacks falls back from "a" to itself'],
    ),
    (
        '[models.tasks]\ndebugging = "a"\n[models.task.debugging]\nfallbacks = ["a"]',
        ['4: models.task.debugging.fallbacks falls back from "a" to itself'],
    ),
    (
        '[models.task.debugging]\nrequired_features = ["sight"]',
        [
            (
                "2: models.task.debugging.required_features must be one of vision, documents, tools, "
                'json, long_context, thinking, streaming, local, not "sight"'
            )
        ],
    ),
    (
        '[models.custom."gpt-5"]\ncontext_window = 5',
        ['1: "gpt-5" does not say whose model it is (write [models.custom."provider/gpt-5"])'],
    ),
    (
        "[costs.limits]\nopenai_weekly = 5.0",
        ['2: "openai_weekly" is no limit (write PROVIDER_daily or PROVIDER_monthly)'],
    ),
    (
        "[costs.limits]\nopnai_daily = 5.0",
        ['2: "opnai" in "opnai_daily" is no provider (did you mean "openai"?)'],
    ),
    (
        "[costs.task_budgets]\nsumaries = 5.0",
        ['2: "sumaries" is not a task (did you mean "summaries"?)'],
    ),
    ("a = 1\na = 2", ["2: not valid TOML: Cannot overwrite a value"]),
    ("[ui]\ntheme = nord", ["2: not valid TOML: Invalid value (column 9)"]),
    ("[ui]\n\ntheme = 'x", ['3: not valid TOML: Expected "\'"']),
    ("x = " + "[" * 5000, ["not usable: brackets are nested too deeply"]),
]


@pytest.mark.parametrize(("text", "expected"), MISTAKES, ids=[text[:40] for text, _ in MISTAKES])
def test_each_mistake_is_told_with_its_line(tmp_path: Path, text: str, expected: list[str]) -> None:
    config = loaded(tmp_path, text)
    told = [
        str(one).removeprefix(f"{tmp_path / 'config.toml'}:").strip() for one in config.problems
    ]
    assert told == expected


def test_all_mistakes_are_told_at_once_and_defaults_hold(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        'discver = 1\n[chat]\nmax_output = -1\nstream = false\n[ui]\ntheme = 5\n[models.tasks]\npoetry = "x"\n',
        {"AIRCHER_COSTS_DAILY_LIMIT": "much"},
    )
    assert [(one.line, one.key) for one in config.problems] == [
        (1, "discver"),
        (3, "chat.max_output"),
        (6, "ui.theme"),
        (8, "models.tasks.poetry"),
        (0, "costs.daily_limit"),
    ]
    assert config.chat.max_output == Tree().chat.max_output
    assert config.chat.stream is False
    assert config.ui.theme == Tree().ui.theme


SECRET = "sk-proj-abcdefgh12345678"


@pytest.mark.parametrize(
    "text",
    [
        f'[providers.openai]\napi_key = "{SECRET}"',
        f'[providers.openai]\napi_key_env = "{SECRET}"',
        f'[providers.openai]\napi_key_env = ["{SECRET}"]',
        f'[providers.openai]\nenabled = "{SECRET}"',
        f'[chat]\nmax_output = "{SECRET}"',
        f'[routing]\nprioritise = "{SECRET}"',
        f'[providers]\ndefault = "{SECRET}"',
        f'[providers]\nfallback_order = ["{SECRET}"]',
        f'[models.task.debugging]\nfallbacks = ["{SECRET}", "{SECRET}"]',
        f'[retry]\nmax_delay = "{SECRET}"',
        f'{SECRET} = "x"',
        f'[providers.{SECRET}]\nmodel = "x"',
        f'[models.tasks]\n{SECRET} = "x"',
        f"[costs.limits]\n{SECRET}_daily = 1.0",
        f"[costs.task_budgets]\n{SECRET} = 1.0",
        f"[models.custom.{SECRET}]\ncontext_window = 1",
        f'[providers.openai]\nbase_url = "https://user:{SECRET}@example.com"',
    ],
)
def test_a_pasted_key_is_refused_and_never_repeated(tmp_path: Path, text: str) -> None:
    config = loaded(tmp_path, text)
    assert config.problems
    assert not any(SECRET in str(one) for one in (*config.problems, *config.warnings))


def test_a_key_in_the_file_is_told_where_it_belongs(tmp_path: Path) -> None:
    [problem] = loaded(tmp_path, f'[providers.openai]\napi_key = "{SECRET}"').problems
    assert "api_key_env" in problem.hint
    [problem] = loaded(tmp_path, f'[providers.openai]\napi_key_env = "{SECRET}"').problems
    assert "NAME of an environment variable" in problem.message


def test_a_new_task_may_be_defined_and_a_near_miss_is_a_warning(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        '[models.task.poetry]\npreferred = "x"\n[models.tasks]\npoetry = "y"\n'
        '[models.task.debuging]\npreferred = "opanai/x"\n',
    )
    assert config.problems == ()
    assert [(one.line, one.hint) for one in config.warnings] == [
        (5, 'did you mean "debugging"?'),
        (6, 'did you mean "openai"?'),
    ]


UNREADABLE = {
    "a folder": (lambda file: file.mkdir(), "is a folder, not a file", 0),
    "not UTF-8": (lambda file: file.write_bytes(b"a = 1\n# \xff\n"), "is not UTF-8 text", 2),
    "huge": (lambda file: file.write_bytes(b"#" * 1_000_001), "is larger than 1 MB", 0),
    "a pipe": (os.mkfifo, "is not a regular file", 0),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_an_unusable_file_is_one_clear_problem(tmp_path: Path, what: str) -> None:
    make, message, line = UNREADABLE[what]
    file = tmp_path / "config.toml"
    make(file)
    config = load(Places(file), environ={})
    [problem] = config.problems
    assert problem.message.startswith(message)
    assert (problem.file, problem.line) == (str(file), line)


def test_a_file_that_may_not_be_read_is_one_clear_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> int:
        raise PermissionError(13, "Permission denied")

    file = tmp_path / "config.toml"
    file.write_text("discover = false")
    monkeypatch.setattr(os, "open", refuse)  # root may read everything, so modes prove nothing
    [problem] = load(Places(file), environ={}).problems
    assert problem.message == "cannot be read: Permission denied"


def test_a_byte_order_mark_and_crlf_are_fine(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b'\xef\xbb\xbf# hi\r\n[ui]\r\ntheme = "nord"\r\n')
    config = load(Places(file), environ={})
    assert (config.problems, config.ui.theme) == ((), "nord")
    assert config.origin("ui.theme") == f"{file}:3"


def test_a_missing_file_is_a_problem_only_if_it_was_named(tmp_path: Path) -> None:
    places = Places(tmp_path / "none.toml", user_required=True)
    [problem] = load(places, environ={}).problems
    assert "AIRCHER_CONFIG" in problem.message


def test_settings_without_effect_are_told_of_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = frozenset({"providers.*.custom_models", "ui.notify"})
    monkeypatch.setattr("aircher.config.load.NOT_YET", idle)
    config = loaded(
        tmp_path, '[providers.openai]\nmodel = "m"\ncustom_models = ["x"]\n[ui]\nnotify = "off"\n'
    )
    assert config.problems == ()
    [warning] = config.warnings
    assert warning.line == 3
    assert warning.message == (
        "providers.openai.custom_models, ui.notify have no effect in this version"
    )


# ---- layers


def test_later_layers_win_and_each_value_knows_its_origin(tmp_path: Path) -> None:
    user, project = tmp_path / "config.toml", tmp_path / ".aircher.toml"
    user.write_text(
        '[chat]\nmax_output = 1\nstream = false\nsystem_prompt = "u"\n[ui]\ntheme = "u"\nnotify = "off"\n'
    )
    project.write_text(
        '[chat]\nmax_output = 2\nstream = true\nsystem_prompt = "p"\n[ui]\ntheme = "p"\n'
    )
    trust = Trust(tmp_path / "data" / "trusted.json")
    trust.add(project, project.read_bytes())
    config = load(
        Places(user, project, trust),
        environ={"AIRCHER_CHAT_MAX_OUTPUT": "3", "AIRCHER_UI_THEME": "e", "AIRCHER_UI_NOTIFY": " "},
        flags=[Flag("--theme", "ui.theme", "f")],
    )
    assert config.problems == ()
    seen = {
        key: (config.get(key), config.origin(key))
        for key in ("ui.theme", "chat.max_output", "chat.stream", "ui.notify", "ui.sidebar")
    }
    assert seen == {
        "ui.theme": ("f", "flag --theme"),
        "chat.max_output": (3, "environment AIRCHER_CHAT_MAX_OUTPUT"),
        "chat.stream": (True, f"{project}:3"),
        "ui.notify": ("off", f"{user}:7"),
        "ui.sidebar": (True, "default"),
    }


ENVIRONMENT = [
    ("AIRCHER_DISCOVER", "false", "discover", False),
    ("AIRCHER_DISCOVER", "On", "discover", True),
    ("AIRCHER_PROVIDERS_DEFAULT", "anthropic", "providers.default", "claude"),
    (
        "AIRCHER_PROVIDERS_FALLBACK_ORDER",
        "openai, google",
        "providers.fallback_order",
        ("openai", "gemini"),
    ),
    ("AIRCHER_PROVIDERS_FALLBACK_ORDER", '["openai"]', "providers.fallback_order", ("openai",)),
    ("AIRCHER_PROVIDERS_OPENAI_MODEL", "gpt-5", "providers.openai.model", "gpt-5"),
    ("AIRCHER_PROVIDERS_OPENAI_IDLE_TIMEOUT", "3s", "providers.openai.idle_timeout", 3.0),
    ("AIRCHER_PROVIDERS_OPENAI_MODELS_CHEAP", "x", "providers.openai.models.cheap", "x"),
    (
        "AIRCHER_PROVIDERS_LM_STUDIO_BASE_URL",
        "http://localhost:1",
        "providers.lmstudio.base_url",
        "http://localhost:1",
    ),
    ("AIRCHER_PROVIDERS_ANTHROPIC_MAX_TOKENS", "5", "providers.claude.max_tokens", 5),
    ("AIRCHER_MODELS_TASKS_CODE_REVIEW", "openai/x", "models.tasks.code_review", "openai/x"),
    (
        "AIRCHER_MODELS_TASK_DEBUGGING_FALLBACKS",
        "a,b",
        "models.task.debugging.fallbacks",
        ("a", "b"),
    ),
    ("AIRCHER_COSTS_DAILY_LIMIT", "$0.10", "costs.daily_limit", Decimal("0.10")),
    ("AIRCHER_COSTS_LIMITS_OPENAI_DAILY", "1", "costs.limits.openai_daily", Decimal(1)),
    ("AIRCHER_RETRY_MAX_DELAY", " 1m ", "retry.max_delay", 60.0),
    ("AIRCHER_ROUTING_WEIGHTS_COST", "0.5", "routing.weights.cost", 0.5),
    ("AIRCHER_CHAT_SYSTEM_PROMPT", "Be brief.", "chat.system_prompt", "Be brief."),
]


@pytest.mark.parametrize(("name", "text", "key", "value"), ENVIRONMENT)
def test_the_environment_reaches_every_kind_of_key(
    name: str, text: str, key: str, value: object
) -> None:
    config = load(Places(), environ={name: text}, names=NAMES)
    assert config.problems == ()
    assert all("no effect" in one.message for one in config.warnings)
    assert config.get(key) == value
    assert config.origin(key) == f"environment {name}"


def test_variables_that_mean_nothing_are_warned_of_only_if_they_look_like_ours() -> None:
    config = load(
        Places(), environ={"AIRCHER_UI_TEHME": "x", "AIRCHER_HOME": "y", "AIRCHER_CONFIG": "z"}
    )
    assert [str(one) for one in config.warnings] == [
        'environment AIRCHER_UI_TEHME: stands for no key and is ignored (did you mean "AIRCHER_UI_THEME"?)'
    ]


def test_a_section_that_only_the_environment_names_is_judged_too() -> None:
    config = load(Places(), environ={"AIRCHER_PROVIDERS_OPNAI_MODEL": "x"})
    assert [(one.file, one.hint.partition("?")[0]) for one in config.problems] == [
        ("environment AIRCHER_PROVIDERS_OPNAI_MODEL", 'did you mean "openai"')
    ]


# ---- project files


def project_config(tmp_path: Path, text: str, *, trusted: bool = True) -> Config:
    project = tmp_path / ".aircher.toml"
    project.write_text(text)
    trust = Trust(tmp_path / "data" / "trusted.json")
    if trusted:
        trust.add(project, project.read_bytes())
    return load(Places(None, project, trust), environ={}, names=NAMES)


@pytest.mark.security
def test_an_untrusted_project_file_sets_nothing_and_is_told_of(tmp_path: Path) -> None:
    config = project_config(tmp_path, '[ui]\ntheme = "p"\nnonsense = 1\n', trusted=False)
    assert config.ui.theme == "aircher-dark"
    assert config.problems == ()
    [warning] = config.warnings
    assert "not trusted" in warning.message
    assert "aircher trust" in warning.hint


@pytest.mark.security
def test_one_changed_byte_ends_the_trust(tmp_path: Path) -> None:
    assert project_config(tmp_path, '[ui]\ntheme = "p"\n').ui.theme == "p"
    file = tmp_path / ".aircher.toml"
    file.write_text('[ui]\ntheme = "q"\n')
    config = load(Places(None, file, Trust(tmp_path / "data" / "trusted.json")), environ={})
    assert config.ui.theme == "aircher-dark"
    assert "has changed since it was trusted" in config.warnings[0].message


@pytest.mark.security
def test_trust_belongs_to_a_place_as_well_as_to_a_content(tmp_path: Path) -> None:
    text = '[ui]\ntheme = "p"\n'
    project_config(tmp_path, text)
    other = tmp_path / "other" / ".aircher.toml"
    other.parent.mkdir()
    other.write_text(text)
    config = load(Places(None, other, Trust(tmp_path / "data" / "trusted.json")), environ={})
    assert config.ui.theme == "aircher-dark"


@pytest.mark.security
def test_a_damaged_trust_file_trusts_nothing(tmp_path: Path) -> None:
    for content in (b"", b"[]", b"\xff", b"{"):
        file = tmp_path / "trusted.json"
        file.write_bytes(content)
        assert not Trust(file).allows(tmp_path / "x", b"")


FORBIDDEN = [
    '[providers.openai]\nbase_url = "https://evil.example/v1"',
    '[providers.anthropic]\nbase_url = "https://evil.example/v1"',
    'providers.openai.base_url = "https://evil.example/v1"',
    'providers = { openai = { base_url = "https://evil.example/v1" } }',
    '[providers."openai"]\n"base_url" = "https://evil.example/v1"',
    '[providers.openai]\napi_key_env = "AWS_SECRET_ACCESS_KEY"',
    '[providers.openai]\nkind = "ollama"',
    "[providers.openai]\nallow_http = true",
    '[providers.openai]\norg_id = "evil"',
    '[providers.gemini]\nproject = "evil"',
    '[providers.gemini]\nlocation = "evil"',
    '[providers.bedrock]\nregion = "evil"',
    '[providers.claude]\ncloud = "vertex"',
    "[costs]\ndaily_limit = 1000000.0",
    "[costs]\nallow_unknown_price = true",
    "[costs.limits]\nopenai_daily = 1000000.0",
    "[costs.task_budgets]\nsummaries = 1000000.0",
    '[models.custom."openai/gpt-5"]\ninput_price = 0',
    '[keys]\n"chat.send" = "a"',
    '[local]\nmodel = "evil.gguf"',
    '[ui]\nthemes_dir = "/"',
    "discover = true",
]


@pytest.mark.parametrize("text", FORBIDDEN)
def test_a_project_may_not_say_where_prompts_keys_or_money_go(tmp_path: Path, text: str) -> None:
    config = project_config(tmp_path, text)
    assert config.origins == {}
    assert any("may not be set by a project" in one.message for one in config.problems)


def test_nothing_in_a_project_file_can_bring_a_provider_address_in(tmp_path: Path) -> None:
    """Whatever the file, no provider gets an address, a key's name or a kind from it."""
    config = project_config(
        tmp_path, "\n".join(f"{text}\n" for text in FORBIDDEN[:1] + FORBIDDEN[5:7])
    )
    for provider in config.providers.named.values():
        assert provider.base_url is provider.api_key_env is provider.kind is None


def test_sections_are_frozen(tmp_path: Path) -> None:
    config = loaded(tmp_path, "")
    for item in fields(Tree):
        section = getattr(config, item.name)
        if is_dataclass(section):
            with pytest.raises(AttributeError):
                setattr(section, fields(section)[0].name, None)
