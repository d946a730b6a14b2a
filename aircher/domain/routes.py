"""Routing: the user's rules in, an ordered plan with reasons out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from aircher.domain.classes import dataclass
from aircher.domain.models import ModelRef
from aircher.domain.preferences import Preferences, SpecialRule, Tiers
from aircher.domain.usage import Cost


@dataclass(frozen=True, slots=True)
class TaskRule:
    """What the user wants for one task, models already resolved to providers.

    ``max_cost_per_1k`` is in USD per 1,000 tokens (input and output price averaged).
    ``origin`` is where the rule stands ("config.toml:12", "default").
    """

    preferred: ModelRef
    fallbacks: tuple[ModelRef, ...] = ()
    required_features: frozenset[str] = frozenset()
    max_cost_per_1k: str = ""
    origin: str = "default"
    min_quality: float | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """The whole of routing's configuration, resolved.

    ``order`` lists the usable providers, most wanted first; ``models`` is each provider's
    own default model, ``task_models`` its models per task where they differ; ``tasks`` the
    rule per task.  ``unusable`` maps a provider to the
    reason why it cannot be used ("no key: set OPENAI_API_KEY").  ``aliases`` are other names
    for providers ("anthropic" -> "claude").
    """

    order: tuple[str, ...]
    models: Mapping[str, str]
    tasks: Mapping[str, TaskRule] = field(default_factory=dict)
    task_models: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unusable: Mapping[str, str] = field(default_factory=dict)
    strategy: str = "task"
    aliases: Mapping[str, str] = field(default_factory=dict)
    own_tasks: tuple[str, ...] = ()
    """Tasks that the user defined, with a model of their own or without."""
    provider_tiers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Provider -> tier -> model; none for a provider whose model the user fixed."""
    more: tuple[ModelRef, ...] = ()
    """Further models that a strategy may choose (custom_models, fallback_models)."""
    local: Mapping[str, str] = field(default_factory=dict)
    """Providers on this machine -> a pattern of those of their models that are not ("" = none)."""
    tiers: Tiers = field(default_factory=Tiers)
    special: tuple[SpecialRule, ...] = ()
    preferences: Preferences = field(default_factory=Preferences)

    @property
    def named(self) -> tuple[ModelRef, ...]:
        """Every model that the rules name at a usable provider, each once."""
        refs = [ModelRef(name, self.models.get(name, "")) for name in self.order]
        refs += [
            ModelRef(name, model)
            for name in self.order
            for model in self.task_models.get(name, {}).values()
        ]
        refs += [
            ref
            for rule in self.tasks.values()
            for ref in (rule.preferred, *rule.fallbacks)
            if ref.provider in self.order
        ]
        refs += [
            ref for ref in (*self.tiers.models.values(), *self.more) if ref.provider in self.order
        ]
        refs += [
            ModelRef(name, model)
            for name in self.order
            for model in self.provider_tiers.get(name, {}).values()
        ]
        refs += [
            rule.use
            for rule in self.special
            if rule.use is not None and rule.use.provider in self.order
        ]
        return tuple(dict.fromkeys(ref for ref in refs if ref.model))


@dataclass(frozen=True, slots=True)
class Wish:
    """What this one request asks for, over and above the rules (flags, keys, slash commands).

    ``barred`` are models that may not take it, with the reason.
    """

    provider: str = ""
    model: str = ""
    task: str = ""
    fallback: bool = True
    barred: Mapping[ModelRef, str] = field(default_factory=dict)
    local: bool = False
    """True: nothing of it may leave this machine."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Tokens and cost before sending: ``prompt`` tokens in, at most ``max_output`` out.

    ``exact`` is True when the prompt was counted with the model's own tables; otherwise
    show it with "~".  ``likely`` is the cost of a usual answer of ``likely_output`` tokens,
    ``worst`` the cost if all of ``max_output`` is used.
    """

    prompt: int
    max_output: int
    likely: Cost
    worst: Cost
    exact: bool = False
    likely_output: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model to try, and why it stands where it stands.

    ``confidence`` (0..1) says how well that place is founded: on the user's word, on measured
    facts, on estimates, or on none.  ``figure`` is what the strategy compared, in words.
    """

    ref: ModelRef
    reason: str
    estimate: Estimate | None = None
    confidence: float = 1.0
    figure: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A model that was considered and left out, and why."""

    ref: ModelRef
    reason: str
    key: str = ""
    """The configuration key that would let it in ("" where none would)."""


@dataclass(frozen=True, slots=True)
class Complexity:
    """How much a request asks of a model, 0 to 10, and what counted towards it."""

    score: int
    factors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The models to try, in order; never empty when returned by policy."""

    task: str
    strategy: str
    candidates: tuple[Candidate, ...]
    rejected: tuple[Rejected, ...] = ()
    stronger: tuple[Candidate, ...] = ()
    """Models of a higher tier than the first, the next one up first: for an answer that fails."""
    complexity: Complexity | None = None
    fired: tuple[str, ...] = ()
    """The user's rules that applied, in words."""
    fired_keys: tuple[str, ...] = ()
    """The configuration keys that these rules stand under."""
    untold: int = 0
    """How many further models stand behind these, of a pool too large to name each."""

    @property
    def first(self) -> Candidate:
        """The one that is tried first."""
        return self.candidates[0]
