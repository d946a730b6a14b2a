"""What the engine is made of, handed over by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field

from aircher.domain.classes import dataclass
from aircher.domain.models import ModelRef, Speed
from aircher.domain.ports import (
    AnswerCheck,
    Catalog,
    Clock,
    Corrections,
    HealthBoard,
    Ledger,
    Providers,
    SessionStore,
    Workspace,
)
from aircher.domain.settings import Settings
from aircher.engine.gate import Gate
from aircher.engine.guard import Guard
from aircher.policy.detect import Detector
from aircher.policy.route import STRATEGIES, Strategy
from aircher.policy.route.situation import unmeasured


def _nowhere(text: str) -> str:  # noqa: ARG001 - as the port says
    return ""


@dataclass(frozen=True, slots=True)
class EnginePorts:
    """The engine's view of the world.

    ``roll`` gives uniform numbers in 0..1, for jitter; ``speeds`` what was measured, by model;
    ``check`` runs the user's own command on an answer;
    ``strategies`` the built-in ones and the user's own that is named; ``rescue`` keeps a text that
    the data file did not take elsewhere, and returns the file's name ("" = nowhere).
    """

    settings: Settings
    detector: Detector
    providers: Providers
    catalog: Catalog
    ledger: Ledger
    sessions: SessionStore
    corrections: Corrections
    workspace: Workspace
    health: HealthBoard
    gate: Gate
    guard: Guard
    clock: Clock
    roll: Callable[[], float]
    speeds: Callable[[], Mapping[ModelRef, Speed]] = unmeasured
    check: AnswerCheck | None = None
    rescue: Callable[[str], str] = _nowhere
    strategies: Mapping[str, Strategy] = field(default_factory=lambda: STRATEGIES)
