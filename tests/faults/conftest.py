"""The servers that all faults share, and the row of the table that each test fills in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from tests.conftest import WIRE
from tests.faults.stage import Stage
from tests.support.warm import Warm, launch

HERE = Path(__file__).parent
WHOLE = bool(os.environ.get("AIRCHER_TEST_WHOLE"))
"""Every row; the program is begun as users begin it, wherever that could matter.  Else a part of
them, forked from a program that has read its code."""

COLD = WHOLE and not os.environ.get("AIRCHER_FAULTS_WARM")
"""Begun as users begin it; by `python -m tests.faults --warm` always forked."""

ROWS = os.environ.get("AIRCHER_FAULTS_ROWS")
"""The file that the rows of the table are written to."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is the fault suite, and needs the recordings."""
    ours = [item for item in items if item.path.is_relative_to(HERE)]
    for item in ours:
        item.add_marker("faults")
        item.add_marker(pytest.mark.timeout(600))
    left_out = [item for item in ours if not WHOLE and item.get_closest_marker("whole")]
    items[:] = [item for item in items if item not in left_out]


@dataclass
class Row:
    """A row of the table in docs/reliability.md, filled in as far as the test came."""

    fault: str = ""
    where: str = ""
    said: str = ""
    cases: int = 1
    survived: int = 0
    kept: int = 0


@pytest.fixture
def row() -> Iterator[Row]:
    """The test's row; written down whatever happens."""
    made = Row()
    yield made
    if ROWS:
        with open(ROWS, "a", encoding="utf-8") as out:
            out.write(json.dumps(asdict(made)) + "\n")


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """The program, ready to be forked."""
    process, client = launch(tmp_path_factory.mktemp("warm"))
    with process:
        yield client
        process.kill()


@pytest.fixture(scope="session")
def replay_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The replay server over the recordings of the five dialects and their changed twins."""
    if not (WIRE / "replay_server.py").is_file():
        pytest.skip("no recorded traffic beside this checkout (../shared/wire)")
    from tests.faults.dialects import write_corpus

    corpus = tmp_path_factory.mktemp("corpus")
    write_corpus(corpus)
    command = [
        sys.executable,
        str(WIRE / "replay_server.py"),
        "--port",
        "0",
        "--corpus",
        str(corpus),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline().split()[1])
        server.terminate()


@pytest.fixture
def stages(
    tmp_path_factory: pytest.TempPathFactory, warm: Warm, replay_port: int
) -> Callable[[], Stage]:
    """Makes a fresh home each time it is called."""
    return lambda: Stage(tmp_path_factory.mktemp("user"), warm, replay_port)


@pytest.fixture
def stage(stages: Callable[[], Stage]) -> Stage:
    """A fresh home."""
    return stages()
