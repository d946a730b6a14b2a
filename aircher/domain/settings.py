"""The configuration as the rest of the program sees it: resolved values, and facts about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Literal

from aircher.domain.chat import Effort
from aircher.domain.classes import dataclass
from aircher.domain.commits import CommitSettings
from aircher.domain.limits import Rate
from aircher.domain.models import ModelRef
from aircher.domain.preferences import Gates
from aircher.domain.routes import Rules


@dataclass(frozen=True, slots=True)
class ConfigValue:
    """One setting: dotted key, its value and default as TOML text, where it was set, and its help.

    ``origin`` is "default", "FILE:LINE", "environment NAME" or "flag --x".
    """

    key: str
    value: str
    default: str
    origin: str
    help: str


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing wrong in the configuration; ``line`` is 1-based, 0 where there is none."""

    file: str
    line: int
    key: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.line else f"{self.file}: "
        return f"{where}{self.message}" + (f" ({self.hint})" if self.hint else "")


@dataclass(frozen=True, slots=True)
class Limit:
    """A spending limit as configured: nano-dollars per window.

    ``window`` is "request", "day" or "month"; ``provider``/``task`` narrow it ("" = all).
    A ``soft`` limit is told when it is passed, and refuses nothing.
    """

    name: str
    window: str
    nano_usd: int
    provider: str = ""
    task: str = ""
    soft: bool = False


@dataclass(frozen=True, slots=True)
class SpendSettings:
    """The part of [costs] that says what happens near a limit; shares are of a limit, 1.0 all.

    ``downgrade`` maps what a user names (a model, "provider/model" or a task) to the model
    that takes over.  A request is unusual from a robust z-score of ``unusual_score`` on
    (0 = never), and never below ``unusual_floor_nano`` nano-dollars.
    """

    alert_at: tuple[float, ...] = (0.8,)
    auto_downgrade: bool = True
    downgrade_at: float = 0.9
    downgrade: Mapping[str, ModelRef] = field(default_factory=dict)
    by_provider: bool = True
    unusual_score: float = 3.5
    unusual_floor_nano: int = 100_000_000


@dataclass(frozen=True, slots=True)
class RetrySettings:
    """[retry]: ``max_retries`` per model; delays in seconds; ``deadline_s`` for a whole turn."""

    max_retries: int = 2
    initial_delay_s: float = 1.0
    max_delay_s: float = 30.0
    backoff_factor: float = 2.0
    retryable: frozenset[str] = frozenset(
        {"rate_limit", "overloaded", "server", "network", "timeout", "malformed"}
    )
    deadline_s: float = 600.0


Consent = Literal["auto", "ask", "never"]
"""Whether another model may take over: unasked, after a question, or not at all."""

Reaction = Literal["next", "ask", "longer", "stop"]
"""What follows an error: the next model; the next one after a question; only a model with a
longer window; no other model."""

BrokenAnswer = Literal["continue", "restart", "stop"]
"""What becomes of an answer that broke off: the next model goes on from it, begins anew, or no
other model is asked."""

REACTIONS: Mapping[str, Reaction] = MappingProxyType({
    "auth": "next",
    "permission": "next",
    "quota": "next",
    "rate_limit": "next",
    "overloaded": "next",
    "server": "next",
    "network": "next",
    "timeout": "next",
    "malformed": "next",
    "not_found": "next",
    "address": "next",
    "paused": "next",
    "context_length": "longer",
    "content_filter": "next",
    "invalid_request": "stop",
})  # fmt: skip
"""Error kind -> what follows, where the user says nothing.  A wrong request is wrong everywhere.

What a spending limit leads to stands in [costs]."""


@dataclass(frozen=True, slots=True)
class FallbackSettings:
    """[fallback]: when another model takes over, and how.

    ``tasks`` holds the consent of tasks that have one of their own; ``on`` what the user changed
    of ``REACTIONS``.
    """

    consent: Consent = "auto"
    tasks: Mapping[str, Consent] = field(default_factory=dict)
    on: Mapping[str, Reaction] = field(default_factory=dict)
    broken_answer: BrokenAnswer = "continue"

    def consent_for(self, task: str) -> Consent:
        """The task's own word, else the one for all."""
        return self.tasks.get(task, self.consent)

    def reaction(self, kind: str) -> Reaction:
        """What follows an error of this kind."""
        return self.on.get(kind) or REACTIONS.get(kind, "stop")


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """[health]: what is looked at, and from when on a provider is not simply healthy.

    The newest ``calls`` calls within ``window_s`` seconds count.  ``degraded_errors`` is a share
    of them, ``degraded_latency_s`` the median time to the first token.  ``check_every_s`` is how
    often a quiet provider's model list is asked for (0 never).
    """

    window_s: float = 3600.0
    calls: int = 50
    degraded_errors: float = 0.2
    degraded_latency_s: float = 10.0
    check_every_s: float = 300.0


@dataclass(frozen=True, slots=True)
class UiSettings:
    """[ui] and [keys]."""

    theme: str = "aircher-dark"
    sidebar: bool = True
    thinking: bool = True
    keys: Mapping[str, str] = field(default_factory=dict)
    """Action id ("provider.next") -> key ("f2"), only where the user changed it."""
    notify: Literal["bell", "desktop", "off"] = "bell"
    """How the end of a long answer, and a limit that comes near, is told."""
    themes_dir: str = ""
    """A folder of the user's own theme files, read after the shipped ones."""


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """[privacy]: ``local`` keeps everything on this machine; ``local_only`` are patterns, as in
    .gitignore, of files that keep the conversation here which holds them.
    """

    local: bool = False
    local_only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallSettings:
    """How a provider's models are called; None leaves it to the model.

    ``max_output`` in tokens, ``timeout_s`` for one whole call.
    """

    max_output: int = 4096
    temperature: float | None = None
    stream: bool = True
    thinking: Effort | None = None
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the engine and the front ends need to know; made once, by the composition root.

    ``found`` says in words what was found where no configuration names it ("key in
    OPENAI_API_KEY", "Ollama on 127.0.0.1:11434", "the built-in model").
    ``baseline`` is the model that savings are measured against.  ``tiny`` are models that chat
    but are too small for work with rules to keep, such as a commit message.
    ``rates`` are the user's limits per minute, by provider.
    """

    rules: Rules
    retry: RetrySettings = field(default_factory=RetrySettings)
    health: HealthSettings = field(default_factory=HealthSettings)
    rates: Mapping[str, Rate] = field(default_factory=dict)
    fallback: FallbackSettings = field(default_factory=FallbackSettings)
    limits: tuple[Limit, ...] = ()
    alert_threshold: float = 0.8
    """The first share of a limit that is told: from here on it is shown as near."""
    spending: SpendSettings = field(default_factory=SpendSettings)
    allow_unknown_price: bool = False
    baseline: ModelRef | None = None
    tiny: frozenset[ModelRef] = frozenset()
    system: str = ""
    compact_at: float = 0.85
    """The share of a window from which on older messages are summarised before the next request."""
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    calls: CallSettings = field(default_factory=CallSettings)
    provider_calls: Mapping[str, CallSettings] = field(default_factory=dict)
    commit: CommitSettings = field(default_factory=CommitSettings)
    ui: UiSettings = field(default_factory=UiSettings)
    gates: Gates = field(default_factory=Gates)
    found: tuple[str, ...] = ()
    config_file: str = ""
    key_variables: frozenset[str] = frozenset()
    """Environment variables that hold keys: no program that is started may have them."""
    problems: tuple[ConfigProblem, ...] = ()

    def calls_to(self, provider: str) -> CallSettings:
        """How this provider is called: its own settings, else those for all."""
        return self.provider_calls.get(provider, self.calls)
