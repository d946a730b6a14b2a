"""``aircher commit`` in this process, in a fresh repository, with a provider that records."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from aircher.cli.main import main
from tests.support.program import write_config
from tests.support.recording import Recorder, recording
from tests.support.repository import Repo, new_repo

CONFIG = """
[providers]
default = "mine"
fallback_order = ["mine"]
[providers.mine]
kind = "openai"
base_url = "{url}/v1"
model = "m"
[models.custom."mine/m"]
input_price = 1.0
output_price = 2.0
context_window = 64000
[retry]
max_retries = 0
"""


@dataclass(frozen=True)
class Ran:
    """How a run ended."""

    code: int
    out: bytes
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Bench:
    """A repository, the recording provider, and a way to run the program."""

    repo: Repo
    model: Recorder
    home: Path
    monkeypatch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[bytes]
    folder: Path | None = None
    env: dict[str, str] = field(default_factory=dict)
    """Variables for the program alone."""

    def config(self, more: str = "", **commit: object) -> None:
        """The configuration: the provider, ``[commit]``, and more TOML."""
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in commit.items())
        text = CONFIG.format(url=self.model.url) + f"[commit]\n{lines}" + more
        write_config(self.home, text)

    def run(self, *words: str, typed: str | None = None) -> Ran:
        """``aircher commit WORDS``; ``typed`` is what somebody at the terminal types."""
        self.monkeypatch.chdir(self.folder or self.repo.path)
        if typed is not None:
            self.monkeypatch.setattr("sys.stdin", io.StringIO(typed))
            for module in ("aircher.cli.commit", "aircher.cli.asking"):
                self.monkeypatch.setattr(f"{module}.somebody_there", lambda: True)
        self.capture.readouterr()
        with self.monkeypatch.context() as patch:
            for name, value in self.env.items():
                patch.setenv(name, value)
            code = main(["commit", *words])
        out, err = self.capture.readouterr()
        return Ran(code, out, err.decode())


@pytest.fixture
def bench(
    tmp_path: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Iterator[Bench]:
    """An empty repository with one commit."""
    repo = new_repo(tmp_path / "repo")
    repo.commit("Begin", a__py="def f():\n    return 1\n", keep__txt="kept\n")
    with recording() as model:
        made = Bench(repo, model, home, monkeypatch, capfdbinary)
        made.config()
        yield made
