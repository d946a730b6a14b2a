"""What a front end is given."""

from __future__ import annotations

from collections.abc import Callable

from aircher.domain.classes import dataclass
from aircher.domain.ports import (
    Catalog,
    Clock,
    Corrections,
    HealthBoard,
    Ledger,
    Providers,
    SessionStore,
    UsageReader,
    Workspace,
)
from aircher.domain.settings import Settings
from aircher.engine.turn import Engine


@dataclass(frozen=True, slots=True)
class Services:
    """The engine and the ports that front ends read from.  Close with ``await aclose()``."""

    engine: Engine
    settings: Settings
    sessions: SessionStore
    corrections: Corrections
    ledger: Ledger
    usage: UsageReader
    catalog: Catalog
    providers: Providers
    workspace: Workspace
    health: HealthBoard
    clock: Clock
    close: Callable[[], None]
    """Closes the database; called by ``aclose``."""
    notices: tuple[str, ...] = ()
    """Sentences the user should see once: an untrusted project file, a damaged database."""

    async def aclose(self) -> None:
        """Closes connections, the built-in model's process, and the database."""
        await self.providers.aclose()
        self.close()
