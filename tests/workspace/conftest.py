from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Git = Callable[..., str]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=folder, check=True)
    return folder


@pytest.fixture
def git(tree: Path) -> Git:
    def run(*words: str, check: bool = True) -> str:
        done = subprocess.run(
            ["git", *words], cwd=tree, check=check, capture_output=True, text=True
        )
        return done.stdout

    return run
