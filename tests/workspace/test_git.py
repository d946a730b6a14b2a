from __future__ import annotations

import asyncio
import os
import stat
import time
from pathlib import Path

import pytest

from aircher.domain.tasks import GitState
from aircher.workspace.folder import Folder
from aircher.workspace.git import parse_status
from tests.workspace.conftest import Git

HOSTILE = [
    "new\nline.txt",
    'quote".txt',
    "-dash.txt",
    ":(exclude)a",
    "b[x]*.py",
    "ü日本.txt",
    "? x",
]


async def test_outside_git_there_is_no_state(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert await folder.git() is None
    assert folder.root == str(tmp_path)


async def test_an_empty_repository(tree: Path) -> None:
    assert await Folder(tree).git() == GitState(str(tree), "main")


async def test_changes_are_counted_by_side(tree: Path, git: Git) -> None:
    for name in ("a", "b", "c", "d"):
        (tree / name).write_text(f"some lines of {name}\nand one more\n")
    git("add", ".")
    git("commit", "-qm", "first")
    (tree / "a").write_text("staged")
    git("add", "a")
    (tree / "a").write_text("and changed again")
    (tree / "b").unlink()
    git("mv", "c", "renamed")
    (tree / "new").touch()
    git("checkout", "-q", "-b", "topic/ü")
    assert await Folder(tree).git() == GitState(
        str(tree), "topic/ü", 2, 2, 1, changed=("a", "b", "renamed")
    )


async def test_names_of_all_kinds_are_one_file_each(tree: Path, git: Git) -> None:
    for name in HOSTILE:
        (tree / name).write_text(name)
    raw = os.fsencode(tree) + b"/not-utf8-\xff"
    Path(os.fsdecode(raw)).write_text("x")
    assert (await Folder(tree).git()) == GitState(str(tree), "main", untracked=len(HOSTILE) + 1)
    git("add", ".")
    state = await Folder(tree).git()
    assert state is not None
    assert state.staged == len(HOSTILE) + 1
    found = Folder(tree).find("", limit=99)
    assert set(found) == {*HOSTILE, os.fsdecode(b"not-utf8-\xff")}
    for name in found:
        Folder(tree).attach(name)


def test_a_rename_whose_old_path_looks_like_an_entry() -> None:
    output = (
        b"# branch.head x\x002 R. N... 100644 100644 100644 a b R100 new\x00? old\x00? real\x00"
    )
    assert parse_status(output) == GitState("", "x", 1, 0, 1, changed=("new",))


@pytest.mark.parametrize("under_way", ["merge", "rebase", "cherry-pick", "revert", "bisect"])
async def test_an_operation_under_way_is_named(tree: Path, git: Git, under_way: str) -> None:
    (tree / "a").write_text("base")
    git("add", ".")
    git("commit", "-qm", "base")
    git("checkout", "-q", "-b", "side")
    (tree / "a").write_text("side")
    git("commit", "-qam", "side")
    git("checkout", "-q", "main")
    (tree / "a").write_text("main")
    git("commit", "-qam", "main")
    command = {
        "merge": ["merge", "side"],
        "rebase": ["rebase", "side"],
        "cherry-pick": ["cherry-pick", "side"],
        "revert": ["revert", "main~1"],
        "bisect": ["bisect", "start"],
    }[under_way]
    folder = Folder(tree)
    git(*command, check=False)
    state = await folder.git()
    assert state is not None
    assert state.operation == under_way
    assert state.branch == ("" if under_way == "rebase" else "main")
    assert state.unstaged == (0 if under_way == "bisect" else 1)


async def test_a_second_work_tree_and_a_folder_inside(tree: Path, git: Git) -> None:
    git("commit", "-qm", "first", "--allow-empty")
    git("worktree", "add", "-q", "../other", "-b", "other")
    inside = tree.parent / "other" / "deep" / "down"
    inside.mkdir(parents=True)
    folder = Folder(inside)
    assert folder.root == str(tree.parent / "other")
    state = await folder.git()
    assert state is not None
    assert (state.branch, state.untracked) == ("other", 0)


async def test_the_answer_is_kept_for_a_moment_but_a_commit_is_seen(tree: Path, git: Git) -> None:
    folder = Folder(tree)
    before = await folder.git()
    (tree / "new").touch()
    assert await folder.git() is before
    git("add", "new")
    state = await folder.git()
    assert state is not None
    assert state.staged == 1


async def test_the_repository_s_own_settings_run_nothing(tree: Path, git: Git) -> None:
    trap = tree.parent / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tree.parent}/sprung\n")
    trap.chmod(trap.stat().st_mode | stat.S_IXUSR)
    hooks = tree.parent / "hooks"
    hooks.mkdir()
    (hooks / "post-index-change").symlink_to(trap)
    git("config", "core.fsmonitor", str(trap))
    git("config", "core.hooksPath", str(hooks))
    git("config", "core.pager", str(trap))
    git("config", "diff.external", str(trap))
    (tree / "a").touch()
    assert await Folder(tree).git() is not None
    assert Folder(tree).find("a") == ["a"]
    assert not (tree.parent / "sprung").exists()
    git("status")
    assert (tree.parent / "sprung").exists()  # the trap does work


async def test_the_index_is_not_written(tree: Path, git: Git) -> None:
    (tree / "a").write_text("x")
    git("add", "a")
    os.utime(tree / "a", (1, 1))
    before = (tree / ".git/index").read_bytes()
    await Folder(tree).git()
    assert (tree / ".git/index").read_bytes() == before


async def test_a_git_that_does_not_answer_is_left_alone(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tree.parent / "programs"
    programs.mkdir()
    slow = programs / "git"
    slow.write_text(f"#!/bin/sh\necho started >> {tree.parent}/calls\nexec sleep 20\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    folder = Folder(tree, git_timeout_s=0.2)
    began = time.monotonic()
    assert await folder.git() is None
    assert await folder.git() is None
    assert time.monotonic() - began < 2
    assert (tree.parent / "calls").read_text() == "started\n"


async def test_no_git_at_all(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree / "sub").mkdir()
    (tree / "sub" / "file.py").touch()
    monkeypatch.setenv("PATH", str(tree.parent / "nothing"))
    assert await Folder(tree).git() is None
    assert Folder(tree).find("file") == ["sub/file.py"]


async def test_cancelling_leaves_no_process(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tree.parent / "programs"
    programs.mkdir()
    slow = programs / "git"
    slow.write_text(f"#!/bin/sh\necho $$ > {tree.parent}/pid\nexec sleep 20\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    task = asyncio.create_task(Folder(tree, git_timeout_s=10).git())
    pid_file = tree.parent / "pid"
    while not pid_file.exists() or not pid_file.read_text().strip():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)
