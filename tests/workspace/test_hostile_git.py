"""A repository whose settings name programs: no call of ours runs one, and none gets a key."""

import logging
import os
import subprocess
import time
from pathlib import Path

import pytest

from aircher.domain.errors import GitRefused
from aircher.workspace import drivers, listing
from aircher.workspace.git import read_state
from aircher.workspace.listing import git_files, list_files
from aircher.workspace.repository import GitRepository

pytestmark = pytest.mark.security


PATIENT_S = 120.0
"""What runs or not is asked here, not how fast: a busy machine must not make an answer of it."""


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drivers, "_TIMEOUT_S", PATIENT_S)
    monkeypatch.setattr(listing, "_LIST_TIMEOUT_S", PATIENT_S)


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
    "filter without a name": '[filter ""]\nclean = {evil}\nrequired = true\n',
    "include by another file's address": (
        "[extensions]\nworktreeConfig = true\n"
        '[includeIf "hasconfig:remote.*.url:https://x.invalid/**"]\npath = more\n'
    ),
    "include on a branch": '[includeIf "onbranch:**"]\npath = more\n',
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
    filters = SETTINGS["filter.clean"].format(evil=evil)
    (hostile / ".git" / "more").write_text(filters)
    elsewhere = '[remote "r"]\nurl = https://x.invalid/y\n' if what.endswith("address") else filters
    (hostile / ".git" / "config.worktree").write_text(elsewhere)
    if what == "filter without a name":
        (hostile / ".gitattributes").write_text("* filter=\n")
    hooks = hostile / "hooks-of-theirs"
    hooks.mkdir()
    for name in ("post-index-change", "pre-commit", "reference-transaction", "fsmonitor-watchman"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (hooks / name).chmod(0o755)
    monkeypatch.chdir(hostile)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")

    state = await read_state(hostile, PATIENT_S)
    assert state is not None
    assert state.staged == 1
    assert "a.txt" in (git_files(hostile) or ())
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


@pytest.mark.parametrize("git_does", ["exec sleep 60", "exit 3", "kill -9 $$"])
async def test_where_the_filters_are_not_known_nothing_is_read(
    hostile: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, git_does: str
) -> None:
    """A git that is slow or breaks on ``config`` must not mean "there are no filters"."""
    mark = hostile.parent / "ran"
    with (hostile / ".git" / "config").open("a") as config:
        config.write(SETTINGS["filter.clean"].format(evil=program(hostile)))
    programs = hostile.parent / "bin"
    programs.mkdir()
    (programs / "git").write_text(
        f'#!/bin/sh\ncase " $* " in *" config "*) {git_does};; esac\nexec /usr/bin/git "$@"\n'
    )
    (programs / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr(drivers, "_TIMEOUT_S", 0.2)

    with caplog.at_level(logging.WARNING, "aircher"):
        assert await read_state(hostile, PATIENT_S) is None
        assert "a.txt" in list_files(hostile)  # looked for without git
    assert [one.facts["command"] for one in caplog.records] == ["git status", "git ls-files"]  # type: ignore[attr-defined]  # our own extra
    with pytest.raises(GitRefused, match="git did not tell this repository's filters"):
        GitRepository(hostile).staged()
    assert not mark.exists()


async def test_a_git_that_is_too_slow_is_told_in_the_log(
    hostile: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    programs = hostile.parent / "bin"
    programs.mkdir()
    (programs / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (programs / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr(listing, "_LIST_TIMEOUT_S", 0.2)
    with caplog.at_level(logging.WARNING, "aircher"):
        assert await read_state(hostile, 0.2) is None
        assert "a.txt" in list_files(hostile)
    said = [one.facts["outcome"] for one in caplog.records]  # type: ignore[attr-defined]  # our own extra
    assert said == ["no answer within 0.2 s"] * 2
