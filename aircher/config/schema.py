"""Every key of the configuration: its type, default, meaning, and who may set it.

This file is the source of the loader, of `aircher config show`, of config.example.toml,
docs/config.md and docs/config.schema.json.  One class is one TOML table; one field is one key.
``project=False`` marks what no repository may set, trusted or not: where prompts and keys are
sent, which key is used, what may be spent, and which files are opened.
"""

# The field functions return a fresh dataclass field each time, as dataclasses.field does.

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from aircher.config.commit_schema import Commit
from aircher.config.cost_schema import Costs
from aircher.config.fallback_schema import Fallback
from aircher.config.health_schema import Breaker, HealthTable
from aircher.config.model_schema import Models
from aircher.config.provider_schema import ProviderConfig
from aircher.config.routing_schema import Routing
from aircher.config.rows import Row, each, named, others, rows_of, setting, table, tree_of
from aircher.config.task_schema import TaskSigns
from aircher.config.values import (
    BOOL,
    DURATION,
    INT,
    NUMBER,
    PROVIDER,
    PROVIDERS,
    TEXT,
    WORD,
    WORDS,
)
from aircher.domain.chat import Effort
from aircher.domain.classes import dataclass
from aircher.domain.errors import PROVIDER_KINDS
from aircher.domain.guarding import GuardAction
from aircher.domain.settings import RetrySettings

_RETRY = RetrySettings()
_LOCAL_LAST = ("openai", "claude", "gemini", "ollama", "local")


@dataclass(frozen=True)
class Providers:
    """Who answers, and who takes over."""

    default: str | None = setting(
        PROVIDER,
        None,
        "The provider that is asked first.",
        unset="the first of fallback_order that can be used",
        example="openai",
    )
    fallback_order: tuple[str, ...] = setting(
        PROVIDERS, _LOCAL_LAST, "Who takes over, in this order, when a provider fails."
    )
    health_check_interval: float = setting(
        DURATION,
        300.0,
        "How often an unused provider's model list is asked for; 0 never.",
        minimum=0,
    )
    named: Mapping[str, ProviderConfig] = others(ProviderConfig)


@dataclass(frozen=True)
class Retry:
    """How failures are met before another model takes over."""

    max_retries: int = setting(
        INT, _RETRY.max_retries, "Further tries per model.", minimum=0, maximum=20
    )
    initial_delay: float = setting(
        DURATION, _RETRY.initial_delay_s, "The first wait.", minimum=0, maximum=600
    )
    max_delay: float = setting(
        DURATION, _RETRY.max_delay_s, "The longest wait.", minimum=0, maximum=3600
    )
    backoff_factor: float = setting(
        NUMBER, _RETRY.backoff_factor, "Each wait is so many times the last.", minimum=1, maximum=10
    )
    retryable_errors: tuple[str, ...] = setting(
        WORDS,
        tuple(kind for kind in PROVIDER_KINDS if kind in _RETRY.retryable),
        "Which kinds of error are worth another try.",
        choices=tuple(PROVIDER_KINDS),
    )
    deadline: float = setting(
        DURATION, _RETRY.deadline_s, "The longest time for a whole request.", minimum=1
    )


@dataclass(frozen=True)
class Ui:
    """How it looks."""

    theme: str = setting(WORD, "aircher-dark", "The theme's name.")
    themes_dir: str = setting(
        TEXT, "", "A folder with your own theme files.", unset="none", project=False
    )
    sidebar: bool = setting(BOOL, True, "Show costs and providers beside the chat.")
    thinking: bool = setting(BOOL, True, "Show a model's reasoning where it is sent.")
    notify: str = setting(
        WORD,
        "bell",
        "How the end of a long answer, and a limit that comes near, is told.",
        choices=("bell", "desktop", "off"),
    )


@dataclass(frozen=True)
class Secrets:
    """Where keys are kept that `aircher keys set` stores."""

    key_file: str = setting(
        TEXT,
        "",
        "A private file (0600) whose content opens the encrypted file instead of a passphrase.",
        unset="a passphrase is asked for",
        example="~/.config/aircher/unlock",
        project=False,
    )


@dataclass(frozen=True)
class Network:
    """How servers are reached.  TLS is always verified."""

    ca_file: str = setting(
        TEXT,
        "",
        "Certificates to trust besides the usual ones, as a PEM file: a company's own authority.",
        unset="none",
        example="~/company-ca.pem",
        project=False,
    )


@dataclass(frozen=True)
class Log:
    """What is written for finding faults: nothing, unless a file is named."""

    file: str = setting(
        TEXT,
        "",
        "Write what happens to this file, a JSON object a line; also --log FILE.",
        unset="nothing is written",
        example="aircher.log",
        project=False,
    )
    level: str = setting(
        WORD,
        "info",
        "How much: error, warning, info or debug; also --log-level.",
        choices=("error", "warning", "info", "debug"),
        project=False,
    )
    prompts: bool = setting(
        BOOL, False, "Write prompts and answers too; also --log-prompts.", project=False
    )


@dataclass(frozen=True)
class Chat:
    """What is sent with every message."""

    system_prompt: str = setting(TEXT, "", "The system prompt.", example="Answer briefly.")
    max_output: int = setting(
        INT, 4096, "The longest answer in tokens, reasoning included.", minimum=1
    )
    temperature: float | None = setting(
        NUMBER,
        None,
        "How freely the model chooses words.",
        minimum=0,
        maximum=2,
        unset="the model's own",
        example=0.7,
    )
    stream: bool = setting(BOOL, True, "Show the answer as it is written.")
    thinking: str | None = setting(
        WORD,
        None,
        "How much the model may reason first.",
        choices=get_args(Effort),
        unset="the model's own",
        example="low",
    )
    compact_at: float = setting(
        NUMBER,
        0.85,
        "Summarise older messages when this share of the model's window would be full.",
        minimum=0.1,
        maximum=1,
    )


@dataclass(frozen=True)
class Local:
    """The model that runs on this machine."""

    model: str = setting(
        TEXT,
        "",
        "A GGUF file to use.",
        unset="the built-in model",
        project=False,
        example="/models/qwen3-4b.gguf",
    )
    threads: int | None = setting(
        INT,
        None,
        "How many threads it computes with.",
        minimum=1,
        maximum=1024,
        unset="half of the cores",
        project=False,
        example=4,
    )
    context: int | None = setting(
        INT,
        None,
        "Its context window in tokens; the built-in model takes no more than 8192.",
        minimum=256,
        unset="8192",
        project=False,
        example=4096,
    )
    idle_unload: float = setting(
        DURATION,
        300.0,
        "Free its memory after so long without use; 0 never.",
        minimum=0,
        project=False,
    )


@dataclass(frozen=True)
class GuardTable:
    """What is done about secrets in what is sent.  A project may only make it stricter."""

    action: str = setting(
        WORD,
        "redact",
        "What happens to a secret: its kind stands in its place, nothing is sent, it is sent, or you say.",
        choices=get_args(GuardAction),
        project=False,
    )
    strict: bool = setting(
        BOOL,
        False,
        "Send nothing at all while there is a secret in it, to models on this machine too.",
        stricter=True,
    )
    allow: tuple[str, ...] = setting(
        WORDS,
        (),
        "Fingerprints of values that may be sent; `aircher guard allow` adds one.",
        unset="none",
        project=False,
        example=("3f9c01d2ab47",),
    )
    paths: tuple[str, ...] = setting(
        WORDS,
        (),
        "Further files that are sensitive as a whole (patterns as in .gitignore).",
        unset="none",
        stricter=True,
        example=("*.pcap",),
    )
    rules: Mapping[str, str] = each(
        WORD,
        "What happens to one kind of secret; `aircher guard kinds` lists them.",
        choices=get_args(GuardAction),
        project=False,
        env=False,
        example="block",
        under=("aws-access-token",),
    )


@dataclass(frozen=True)
class Privacy:
    """What stays on this machine.  A project may only make it stricter."""

    local: bool = setting(
        BOOL, False, "Use only models on this machine, as --local does.", stricter=True
    )
    local_only: tuple[str, ...] = setting(
        WORDS,
        (),
        "Files (patterns as in .gitignore) that keep here every chat which holds one.",
        unset="none",
        stricter=True,
        example=("clients/**", "*.medical.md"),
    )


@dataclass(frozen=True)
class Tree:
    """The whole file."""

    discover: bool = setting(
        BOOL, True, "Look for model servers on this machine (Ollama, LM Studio ...).", project=False
    )
    providers: Providers = table(Providers)
    models: Models = table(Models)
    tasks: Mapping[str, TaskSigns] = named(TaskSigns)
    routing: Routing = table(Routing)
    retry: Retry = table(Retry)
    breaker: Breaker = table(Breaker)
    health: HealthTable = table(HealthTable)
    fallback: Fallback = table(Fallback)
    costs: Costs = table(Costs)
    keys: Mapping[str, str] = each(
        TEXT,
        'Your own keys: "action" = "key"; the actions are in docs/keys.md.',
        example="f2",
        under=("provider.next",),
        project=False,
        env=False,
    )
    ui: Ui = table(Ui)
    chat: Chat = table(Chat)
    commit: Commit = table(Commit)
    secrets: Secrets = table(Secrets)
    network: Network = table(Network)
    log: Log = table(Log)
    local: Local = table(Local)
    guard: GuardTable = table(GuardTable)
    privacy: Privacy = table(Privacy)


TREE = tree_of(Tree)


def all_rows() -> tuple[Row, ...]:
    """Every key, in the order of the file."""
    return tuple(rows_of(TREE))


NOT_YET: frozenset[str] = frozenset()
"""Keys that are understood and checked but that nothing acts on in this version.

Whoever sets one is told, and the documents say it.  A key leaves this list in the change that
makes it work.
"""
