"""What the engine is made of, handed over by the composition root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aircher.domain.ports import (
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
from aircher.policy.detect import Patterns


@dataclass(frozen=True, slots=True)
class EnginePorts:
    """The engine's view of the world.  ``roll`` gives uniform numbers in 0..1, for jitter."""

    settings: Settings
    patterns: Patterns
    providers: Providers
    catalog: Catalog
    ledger: Ledger
    sessions: SessionStore
    corrections: Corrections
    workspace: Workspace
    health: HealthBoard
    clock: Clock
    roll: Callable[[], float]
