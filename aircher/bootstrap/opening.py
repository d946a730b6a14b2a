"""The data file without the engine: what commands that call no model need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from aircher.bootstrap.clock import LOCAL, SystemClock
from aircher.bootstrap.configuring import data_dir, load_config
from aircher.config.atomic import private_folder
from aircher.domain.budget import CapState
from aircher.domain.classes import dataclass
from aircher.domain.errors import StorageError, UsageError
from aircher.domain.ports import (
    Clock,
    Corrections,
    HealthStore,
    Ledger,
    RateStore,
    SessionStore,
    UsageReader,
)
from aircher.policy.spend import caps
from aircher.storage.database import Database
from aircher.workspace.folder import Folder

DATABASE_NAME = "aircher.db"


@dataclass(frozen=True, slots=True)
class Records:
    """The ports over one open data file; ``notices`` are for the user to see once."""

    sessions: SessionStore
    corrections: Corrections
    ledger: Ledger
    usage: UsageReader
    health: HealthStore
    rates: RateStore
    notices: tuple[str, ...]
    close: Callable[[], None]


def database_path() -> Path:
    """The data file; it may not exist yet."""
    return data_dir() / DATABASE_NAME


def open_database(clock: Clock | None = None, *, in_any_case: bool = False) -> Records:
    """Opens the data file, making it if need be; close it when done.

    Raises ``StorageError`` where it cannot be used; with ``in_any_case`` a database in memory
    stands in for it then, and ``notices`` says so.
    """
    path, now = database_path(), clock or SystemClock()
    with suppress(OSError):  # what is wrong with it is said below
        private_folder(path.parent)
    try:
        database = Database.open(path, now)
    except StorageError as error:
        if not in_any_case:
            raise
        database = Database.stand_in(path, error, now)
    return Records(
        sessions=database.sessions,
        corrections=database.corrections,
        ledger=database.ledger,
        usage=database.ledger,
        health=database.health,
        rates=database.rates,
        notices=database.notices,
        close=database.close,
    )


@contextmanager
def records(clock: Clock | None = None) -> Iterator[Records]:
    """``open_database`` for a ``with`` statement."""
    opened = open_database(clock)
    try:
        yield opened
    finally:
        opened.close()


def session_to_open(wanted: str = "", *, newest: bool = False) -> str:
    """The id of the conversation to go on with; "" for a new one.

    Raises ``UsageError`` where there is none such.
    """
    if not wanted and not newest:
        return ""
    with records() as opened:
        if wanted:
            return opened.sessions.info(wanted).id
        latest = opened.sessions.list(limit=1)
        if not latest:
            raise UsageError(
                "There is no conversation to go on with.", hint="Leave out --continue."
            )
        return latest[0].id


def project_root(folder: str = "") -> str:
    """What ``SessionInfo.project`` is for conversations begun in that folder ("" = here)."""
    return Folder(Path(folder) if folder else None).root


def local_now() -> datetime:
    """The present in the user's time zone."""
    return datetime.now(LOCAL)


def alert_threshold() -> float:
    """The share of a limit from which on it counts as near."""
    return load_config().costs.alert_threshold[0]


def limit_states(ledger: Ledger, now: datetime) -> list[CapState]:
    """Every configured day and month limit with what is spent and held under it."""
    return list(ledger.state(caps(load_config().limits(), now)))
