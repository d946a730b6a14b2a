"""The server that replays recorded traffic, one per test session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.wire import Replay, running


@pytest.fixture(scope="session")
def replay(wire_folder: Path) -> Iterator[Replay]:
    """``replay.url(case_id, modes)`` is the base URL of a recording; skips where there are none."""
    assert wire_folder.is_dir()
    with running() as server:
        yield server
