"""``aircher commit --split`` killed with SIGKILL between its commits: told, and taken back on request."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.commit.conftest import Bench
from tests.commit.test_edge_cases import hook
from tests.commit.test_split import state, two_purposes
from tests.support.program import AIRCHER

WAITING = (
    "n=$(cat .git/n 2>/dev/null || echo 0); echo $((n+1)) > .git/n; [ $n -ne 1 ] && exit 0; "
    "touch .git/waiting; while [ ! -e .git/go ]; do sleep 0.02; done; exit $(cat .git/go)"
)


def until(file: Path, *, there: bool = True) -> None:
    end = time.monotonic() + 30
    while file.exists() != there:
        assert time.monotonic() < end, f"waited for {file.name}"
        time.sleep(0.01)


def staged(bench: Bench, *, unborn: bool = False) -> None:
    """Four commits' worth, and a hook that stops at the second."""
    two_purposes(bench)
    if unborn:
        bench.repo.git("checkout", "-q", "--orphan", "fresh")
    hook("pre-commit", WAITING)(bench)


def kill(bench: Bench, *, hook_ends_with: int = 1) -> None:
    """The split, killed while git makes the second commit, which that ends so."""
    git = bench.repo.path / ".git"
    process = subprocess.Popen(
        [*AIRCHER, "commit", "--split", "--offline", "--yes"],
        cwd=bench.repo.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    until(git / "waiting")
    assert (git / "aircher-split").exists()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (git / "go").write_text(f"{hook_ends_with}\n")
    # git itself was not killed: it ends in its own time.
    end = time.monotonic() + 30
    while _group_lives(process.pid) and time.monotonic() < end:
        time.sleep(0.01)
    (git / "hooks" / "pre-commit").unlink()


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("unborn", [False, True])
@pytest.mark.parametrize(("ends", "made"), [(1, 1), (0, 2)])
def test_the_next_run_says_so_and_undo_puts_all_back(
    bench: Bench, ends: int, made: int, unborn: bool
) -> None:
    staged(bench, unborn=unborn)
    before = state(bench.repo)
    kill(bench, hook_ends_with=ends)
    assert bench.repo.head != before[0]
    ran = bench.run("--dry-run", "--offline")
    assert f"was killed after {made} of " in ran.err, ran.err
    assert bench.repo.head[:10] in ran.err
    assert "`aircher commit --split --undo` takes them back" in ran.err
    undone = bench.run("--split", "--undo", "--json")
    assert undone.code == 0, undone.err
    assert len(undone.json["undone"]) == made
    assert state(bench.repo) == before
    again = bench.run("--split", "--undo")
    assert again.code == 4
    assert "There is no split to take back" in again.err
    assert bench.run("--split", "--offline", "--yes").code == 0
    assert bench.repo.git("status", "--porcelain") == ""


def test_who_goes_on_is_not_told_for_ever_and_loses_nothing(bench: Bench) -> None:
    staged(bench)
    tree = bench.repo.git("write-tree")
    kill(bench)
    ran = bench.run("--offline", "--yes")
    assert "was killed after 1 of 4" in ran.err
    assert bench.repo.git("rev-parse", "HEAD^{tree}") == tree
    head = bench.repo.head
    undone = bench.run("--split", "--undo")
    assert undone.code == 4
    assert bench.repo.head == head
    assert not (bench.repo.path / ".git" / "aircher-split").exists()


def test_another_branch_is_left_alone(bench: Bench) -> None:
    staged(bench)
    kill(bench)
    bench.repo.git("checkout", "-qb", "elsewhere")
    head = bench.repo.head
    assert bench.run("--split", "--undo").code == 4
    assert bench.repo.head == head
    bench.repo.git("checkout", "-q", "-")
    assert bench.run("--split", "--undo").code == 0


def test_one_that_is_at_work_is_not_taken_for_a_killed_one(bench: Bench) -> None:
    staged(bench)
    git = bench.repo.path / ".git"
    process = subprocess.Popen(
        [*AIRCHER, "commit", "--split", "--offline", "--yes"],
        cwd=bench.repo.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until(git / "waiting")
    ran = bench.run("--split", "--undo")
    (git / "go").write_text("0\n")
    assert process.wait(30) == 0
    assert ran.code == 4
    assert not (git / "aircher-split").exists()


@pytest.mark.parametrize(
    "damaged", ["", "{", "[]", '{"head": "x"}', '{"head": "", "branch": "", "trees": 3}']
)
def test_a_damaged_journal_is_none(bench: Bench, damaged: str) -> None:
    bench.repo.stage("b.py", "x = 1\n")
    (bench.repo.path / ".git" / "aircher-split").write_text(damaged)
    assert bench.run("--split", "--undo").code == 4
    assert bench.run("--offline", "--yes").code == 0


def test_undo_belongs_to_split(bench: Bench) -> None:
    ran = bench.run("--undo")
    assert ran.code == 2
    assert "aircher commit --split --undo" in ran.err
