"""Routing: the user's rules in, an ordered plan with reasons out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aircher.domain.models import ModelRef
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


@dataclass(frozen=True, slots=True)
class Estimate:
    """Tokens and cost before sending: ``prompt`` tokens in, at most ``max_output`` out.

    ``exact`` is True when the prompt was counted with the model's own tables; otherwise
    show it with "~".  ``worst`` is the cost if all of ``max_output`` is used.
    """

    prompt: int
    max_output: int
    likely: Cost
    worst: Cost
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model to try, and why it stands where it stands."""

    ref: ModelRef
    reason: str
    estimate: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A model that was considered and left out, and why."""

    ref: ModelRef
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The models to try, in order; never empty when returned by policy."""

    task: str
    strategy: str
    candidates: tuple[Candidate, ...]
    rejected: tuple[Rejected, ...] = ()

    @property
    def first(self) -> Candidate:
        """The one that is tried first."""
        return self.candidates[0]
