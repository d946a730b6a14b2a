"""A repository whose settings name programs: no call of ours runs one, and none gets a key."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from aircher.workspace.folder import Folder
from aircher.workspace.git import read_state
from aircher.workspace.repository import GitRepository

pytestmark = pytest.mark.security


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A repository with a file changed since it was committed, to which settings are added."""
    repo = tmp_path / "repo"
    repo.mkdir()
    git(repo, "init", "-q")
    (repo / "a.txt").write_text("hi\n")
    (repo / "b.bin").write_bytes(b"\0\1")
    (repo / ".gitattributes").write_text("* filter=e.vil diff=evil merge=evil\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "x")
    past = time.time() - 100
    (repo / "a.txt").write_text("ho\n")  # of the same size: git must look into it
    (repo / "c.txt").write_text("new\n")
    os.utime(repo / "b.bin", (past, past))
    git(repo, "add", "c.txt")
    return repo


def program(repo: Path) -> str:
    """A program that leaves a mark, with what it was given."""
    file = repo.parent / "evil.sh"
    file.write_text(f"#!/bin/sh\nenv > {repo.parent}/ran\ncat\n")
    file.chmod(0o755)
    return str(file)


SETTINGS = {
    "filter.clean": '[filter "e.vil"]\nclean = {evil}\nrequired = true\n',
    "filter.process": '[filter "e.vil"]\nprocess = {evil}\nrequired = true\n',
    "filter.smudge": '[filter "e.vil"]\nsmudge = {evil}\n',
    "fsmonitor": "[core]\nfsmonitor = {evil}\n",
    "hooksPath": "[core]\nhooksPath = hooks-of-theirs\n",
    "pager": "[core]\npager = {evil}\n[pager]\nstatus = {evil}\ndiff = {evil}\nlog = {evil}\n",
    "diff.external": "[diff]\nexternal = {evil}\n",
    "diff driver": '[diff "evil"]\ncommand = {evil}\n',
    "textconv": '[diff "evil"]\ntextconv = {evil}\ncachetextconv = true\n',
    "merge driver": '[merge "evil"]\ndriver = {evil}\n',
    "sshCommand": '[core]\nsshCommand = {evil}\n[remote "origin"]\nurl = ssh://x.invalid/y\n',
    "editor": "[core]\neditor = {evil}\n[sequence]\neditor = {evil}\n",
    "credential": '[credential]\nhelper = {evil}\n[remote "origin"]\nurl = https://x.invalid/y\n',
    "askpass": "[core]\naskPass = {evil}\n",
    "gpg": "[gpg]\nprogram = {evil}\n[log]\nshowSignature = true\n",
    "alias": "[alias]\nstatus = !{evil}\ndiff = !{evil}\nls-files = !{evil}\n",
    "include": "[include]\npath = more\n",
    "includeIf": '[includeIf "gitdir:**"]\npath = more\n',
    "worktree config": "[extensions]\nworktreeConfig = true\n",
    "alternate refs": "[core]\nalternateRefsCommand = {evil}\n",
    "trace": "[trace2]\neventTarget = {mark}\n",
    "submodule": '[submodule "s"]\nurl = ./s\nupdate = !{evil}\nactive = true\n',
}


@pytest.mark.parametrize("what", SETTINGS)
async def test_nothing_of_the_repository_s_own_is_run(
    hostile: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    evil = program(hostile)
    mark = hostile.parent / "ran"
    with (hostile / ".git" / "config").open("a") as config:
        config.write(SETTINGS[what].format(evil=evil, mark=mark))
    for name in ("more", "config.worktree"):
        more = SETTINGS["filter.clean"].format(evil=evil)
        (hostile / ".git" / name).write_text(more)
    hooks = hostile / "hooks-of-theirs"
    hooks.mkdir()
    for name in ("post-index-change", "pre-commit", "reference-transaction", "fsmonitor-watchman"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (hooks / name).chmod(0o755)
    monkeypatch.chdir(hostile)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")

    state = await read_state(hostile, 20)
    assert state is not None
    assert state.staged == 1
    assert "a.txt" in Folder(hostile).find("a.txt")
    # Not everything=True: who commits all wants what `git commit -a` would add, filters and all.
    GitRepository(hostile).staged()
    assert not mark.exists(), mark.read_text()


def test_the_filters_of_the_user_s_own_stay(
    hostile: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """git-lfs is set up in the user's configuration: without it every large file looks changed."""
    mine = tmp_path / "gitconfig"
    mine.write_text(SETTINGS["filter.clean"].format(evil=program(hostile)))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(mine))
    GitRepository(hostile).staged(everything=True)
    assert (hostile.parent / "ran").exists()
    assert "canary" not in (hostile.parent / "ran").read_text()
