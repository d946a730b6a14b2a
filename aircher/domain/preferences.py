"""What the user wants of routing besides a model per task: rules, tiers, preferences, gates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from aircher.domain.classes import dataclass
from aircher.domain.models import ModelRef

TIERS = ("cheap", "medium", "powerful")
"""Tiers of ability, the least first."""


@dataclass(frozen=True, slots=True)
class Hours:
    """A part of the day in minutes since local midnight; ``until`` <= ``since`` goes past midnight."""

    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Condition:
    """When a rule of the user's applies: all that is given must hold; an empty field always does.

    ``needs`` are features that the request itself requires.  ``min_tokens`` and ``max_tokens``
    bound the prompt's size, ``min_complexity`` and ``max_complexity`` its complexity (0-10).
    ``days`` count from Monday = 0, in the user's time zone, as ``hours`` do.  ``branches`` and
    ``files`` are globs.
    """

    tasks: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    min_tokens: int | None = None
    max_tokens: int | None = None
    min_complexity: int | None = None
    max_complexity: int | None = None
    days: frozenset[int] = frozenset()
    hours: Hours | None = None
    branches: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SpecialRule:
    """A rule of the user's: when ``when`` holds, ``use`` is asked first, or ``tier`` or
    ``strategy`` replaces what would have counted.
    """

    name: str
    when: Condition
    use: ModelRef | None = None
    tier: str = ""
    strategy: str = ""
    origin: str = "default"
    key: str = ""
    """The configuration key that it stands under ("routing.rules.vision")."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What counts how much for the strategy "balanced"."""

    cost: float = 1.0
    quality: float = 1.0
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class Preferences:
    """[routing]: who goes first among models that are otherwise equal, and limits on a request.

    ``prioritise`` is "cost", "speed", "quality" or "".  ``max_cost_nano`` bounds the worst case
    in nano-dollars, ``max_response_s`` the expected time to the whole answer.
    """

    prioritise: str = ""
    max_cost_nano: int | None = None
    max_response_s: float | None = None
    weights: Weights = field(default_factory=Weights)


@dataclass(frozen=True, slots=True)
class Gates:
    """[routing.gates]: when an answer is not good enough and a stronger model is asked.

    ``escalate_on`` holds "refused", "empty", "truncated", "check".  ``check`` is the user's own
    command, as words, which reads the answer on stdin and refuses it by its exit code; with
    ``shell`` it is one line for the shell.  ``check_tasks`` narrows it ("" = every task).
    """

    escalate_on: frozenset[str] = frozenset({"refused", "empty"})
    most: int = 1
    check: tuple[str, ...] = ()
    check_timeout_s: float = 30.0
    check_shell: bool = False
    check_tasks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Tiers:
    """Which tier a task gets, and how the prompt's complexity moves it.

    A complexity (0-10) of at least ``powerful_from`` raises the tier by one; one of at most
    ``cheap_up_to`` lets a general request go to the cheap tier.  ``models`` are the user's own
    for a tier, whoever the provider; they stand for providers' own.
    """

    of_task: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, ModelRef] = field(default_factory=dict)
    cheap_up_to: int = 1
    powerful_from: int = 7
