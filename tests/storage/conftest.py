"""A data file in a folder of its own, and a clock the test owns."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aircher.storage.database import Database

START = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


class SetClock:
    """Stands still until told."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def forward(self, **amount: float) -> None:
        self.time += timedelta(**amount)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "aircher.db"


@pytest.fixture
def db(file: Path, clock: SetClock) -> Iterator[Database]:
    database = Database.open(file, clock)
    yield database
    database.close()


Start = Callable[..., "subprocess.Popen[str]"]

PRELUDE = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from aircher.domain.budget import Cap, Claim
from aircher.domain.errors import OverBudget
from aircher.domain.messages import Text, user
from aircher.domain.models import ModelRef
from aircher.domain.usage import Cost, Tokens, UsageRow
from aircher.storage.database import Database
ref = ModelRef("openai", "some-model")
now = datetime.now(UTC)
db = Database.open(Path(sys.argv[1]))
"""


@pytest.fixture
def start(file: Path) -> Iterator[Start]:
    """Runs Python code in another process, with the data file open as ``db``."""
    running: list[subprocess.Popen[str]] = []

    def begin(code: str, *args: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", PRELUDE + code, str(file), *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()
