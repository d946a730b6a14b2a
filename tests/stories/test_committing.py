"""``aircher commit`` in a real terminal: the dialogue, hooks that ask, and Ctrl+C while one runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commit.conftest import CONFIG
from tests.support.program import write_config
from tests.support.recording import Recorder, message, messages, recording
from tests.support.repository import Repo, new_repo
from tests.support.terminal import terminal

pytestmark = pytest.mark.story

COMMIT = (sys.executable, "-m", "aircher", "commit")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = new_repo(tmp_path / "repo")
    made.commit("Begin", a__py="1\n")
    made.stage("b.py", "def parse_diff():\n    return 2\n")
    return made


@pytest.fixture
def model(home: Path) -> Iterator[Recorder]:
    with recording(messages(message("Add parse_diff", "It was missing."))) as made:
        write_config(home, CONFIG.format(url=made.url))
        yield made


def hook(repo: Repo, script: str) -> None:
    path = repo.path / ".git" / "hooks" / "pre-commit"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


async def test_a_hook_may_ask_on_the_terminal(repo: Repo, model: Recorder) -> None:
    hook(repo, 'printf "really? " >/dev/tty; read said </dev/tty; [ "$said" = sure ]')
    with terminal(repo.path, 80, 24) as screen:
        screen.start(COMMIT)
        shown = await screen.wait_for("q stop")
        assert "Add parse_diff" in shown
        assert "It was missing." in shown
        assert "commit_messages  mine/m  $0.0010  1 file +2 -0" in shown
        screen.key("Enter")
        await screen.wait_for("really?")
        screen.type("sure")
        screen.key("Enter")
        assert await screen.wait_ended() == 0
    assert repo.message == "Add parse_diff\n\nIt was missing."


async def test_ctrl_c_in_a_slow_hook_commits_nothing_and_keeps_the_message(
    repo: Repo, model: Recorder
) -> None:
    hook(repo, "echo checking >/dev/tty; sleep 60")
    before, index = repo.head, repo.index
    with terminal(repo.path, 80, 24) as screen:
        screen.start(COMMIT)
        await screen.wait_for("q stop")
        screen.key("Enter")
        await screen.wait_for("checking")
        screen.key("C-c")
        assert await screen.wait_ended() in {3, 130}
        assert "aircher commit --retry" in screen.screen()
        assert (repo.head, repo.index) == (before, index)
        hook(repo, "true")
        screen.again((*COMMIT, "--retry"))
        await screen.wait_for("q stop")
        screen.key("Enter")
        assert await screen.wait_ended() == 0
    assert repo.git("log", "-1", "--format=%s") == "Add parse_diff"
    assert len(model.bodies) == 1


async def test_git_commit_opens_with_a_message(repo: Repo, model: Recorder, home: Path) -> None:
    """The hook, from ``git commit`` in a terminal: what the editor shows, and a second look."""
    install = (sys.executable, "-m", "aircher", "hook", "install")
    (home / "edit").write_text(
        '#!/bin/sh\ncat "$1"; printf "take it? "; read said; [ "$said" = yes ]\n'
    )
    (home / "edit").chmod(0o755)
    with terminal(repo.path, 100, 30) as screen:
        screen.start(install)
        assert await screen.wait_ended() == 0
        screen.again(("env", f"GIT_EDITOR={home}/edit", "git", "commit"))
        shown = await screen.wait_for("take it?")
        assert "aircher: writing a message ..." in shown
        assert "Add parse_diff\n\nIt was missing.\n" in shown
        assert "# aircher wrote this (mine/m, $0.0010)." in shown
        screen.type("yes")
        screen.key("Enter")
        assert await screen.wait_ended() == 0
    assert repo.message == "Add parse_diff\n\nIt was missing."


async def test_ctrl_c_while_the_hook_waits_commits_nothing(
    repo: Repo, model: Recorder, home: Path
) -> None:
    release = home / "release"
    model.before = lambda: _until(release)
    before, index = repo.head, repo.index
    with terminal(repo.path, 100, 30) as screen:
        screen.start((sys.executable, "-m", "aircher", "hook", "install"))
        assert await screen.wait_ended() == 0
        screen.again(("env", "GIT_EDITOR=true", "git", "commit"))
        await screen.wait_for("writing a message")
        screen.key("C-c")
        try:
            assert await screen.wait_ended() != 0
        finally:
            release.touch()
    assert (repo.head, repo.index) == (before, index)
    assert not (repo.path / ".git/index.lock").exists()


def _until(file: Path) -> None:
    for _ in range(400):
        if file.exists():
            return
        time.sleep(0.05)
