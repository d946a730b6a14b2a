"""``aircher commit --split`` in real repositories: what is committed, and what is not touched."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest

from aircher.domain.commits import Committing
from aircher.domain.errors import GitRefused
from aircher.policy.commit.grouping import by_rules, read_groups
from aircher.policy.commit.units import tied, units_of
from aircher.workspace.diff.apply import with_hunks
from aircher.workspace.repository import GitRepository
from aircher.workspace.splitting import SplitCommits
from tests.commit.conftest import Bench
from tests.commit.test_edge_cases import hook, merging
from tests.support.recording import message, messages, said
from tests.support.repository import Repo, new_repo

LINES = [f"line_{n} = {n}\n" for n in range(60)]


def changed(*at: int, text: str = "changed_{} = 1\n") -> str:
    return "".join(text.format(n) if n in at else line for n, line in enumerate(LINES))


def two_purposes(bench: Bench) -> None:
    """One file with two unrelated hunks, a test for one of them, and a document."""
    bench.repo.commit("Lines", code__py="".join(LINES), other__py="x = 1\n", README__md="# Hi\n")
    bench.repo.stage("code.py", changed(2, 50))
    bench.repo.stage("other.py", "x = 2\n")
    bench.repo.stage("README.md", "# Hello\n")


def groups(*made: list[int]) -> object:
    return said(json.dumps({"groups": made}))


def state(repo: Repo) -> tuple[object, ...]:
    return repo.head, repo.index, repo.tree, repo.git("status", "--porcelain")


def test_as_the_model_says(bench: Bench) -> None:
    two_purposes(bench)
    bench.repo.write("other.py", "x = 3\n")  # more, not staged
    bench.repo.write("untracked.txt", "mine\n")
    staged, tree = bench.repo.git("write-tree"), bench.repo.tree
    bench.model.answer(groups([1, 2], [3, 4]), messages(message("One")), messages(message("Two")))
    # 1 README.md, 2 and 3 the hunks of code.py, 4 other.py
    ran = bench.run("--split", "--yes")
    assert ran.code == 0, ran.err
    assert len(bench.model.bodies) == 3
    assert bench.repo.git("log", "-2", "--format=%s") == "Two\nOne"
    assert bench.repo.git("show", "--format=", "--name-only", "HEAD~") == "README.md\ncode.py"
    assert bench.repo.git("show", "--format=", "--name-only", "HEAD") == "code.py\nother.py"
    assert "changed_50" not in bench.repo.git("show", "HEAD~:code.py")
    assert "changed_2 " in bench.repo.git("show", "HEAD~:code.py")
    assert bench.repo.git("rev-parse", "HEAD^{tree}") == staged
    assert bench.repo.tree == tree
    assert bench.repo.git("status", "--porcelain") == " M other.py\n?? untracked.txt"
    first, second = bench.model.texts[1:]
    assert "changed_2 " in first
    assert "changed_50" not in first
    assert "changed_50" in second


@pytest.mark.parametrize(
    "answer",
    [[[1, 2]], [[1, 2], [2, 3, 4]], [[1, 2, 3, 4, 5]], [[0, 1, 2, 3]], ["x"], {"a": 1}, [[True, 2, 3, 4]]],
)  # fmt: skip
def test_a_proposal_that_does_not_add_up_is_not_used(bench: Bench, answer: object) -> None:
    two_purposes(bench)
    staged = bench.repo.git("write-tree")
    bench.model.answer(said(json.dumps({"groups": answer})), messages(message()))
    ran = bench.run("--split", "--yes")
    assert ran.code == 0, ran.err
    assert "split by rules" in ran.err
    assert bench.repo.git("rev-parse", "HEAD^{tree}") == staged


def test_offline_and_shown_only(bench: Bench) -> None:
    two_purposes(bench)
    before = state(bench.repo)
    ran = bench.run("--split", "--dry-run")
    assert ran.code == 0
    assert "README.md +1 -1" in ran.out.decode()
    ran = bench.run("--split", "--offline", "--json")
    assert [len(one["files"]) for one in ran.json["commits"]] == [1, 1, 1]
    assert not ran.json["committed"]
    assert not bench.model.bodies
    assert state(bench.repo) == before


def test_the_user_says_no_and_edits(bench: Bench) -> None:
    two_purposes(bench)
    before = state(bench.repo)
    assert bench.run("--split", "--offline", typed="q\n").code == 130
    assert state(bench.repo) == before
    bench.env["GIT_EDITOR"] = "sh -c 'echo Mine > \"$1\"' x"
    ran = bench.run("--split", "--offline", typed="e 3\n\n")
    assert ran.code == 0, ran.err
    assert bench.repo.git("log", "-1", "--format=%s") == "Mine"


REFUSING = {
    "pre-commit refuses the second": (
        "pre-commit",
        'n=$(cat .git/n 2>/dev/null || echo 0); echo $((n+1)) > .git/n; [ "$n" -lt 1 ]',
    ),
    "pre-commit rewrites and refuses": ("pre-commit", "echo y >> other.py; rm keep.txt; echo z > a.py; exit 1"),
    "pre-commit rewrites the commit": ("pre-commit", "echo y >> other.py; git add other.py"),
    "commit-msg refuses the second": ("commit-msg", '! grep -q Two "$1"'),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSING)
@pytest.mark.parametrize("unborn", [False, True])
def test_refused_all_is_as_it_was(bench: Bench, name: str, unborn: bool) -> None:
    if unborn:
        bench.repo.git("checkout", "-q", "--orphan", "fresh")
    else:
        two_purposes(bench)
    hook(*REFUSING[name])(bench)
    bench.repo.stage("other.py", "x = 2\n")
    bench.repo.stage("docs/x.md", "# New\n")
    bench.repo.write("other.py", "x = 'not staged'\n")
    bench.repo.write("untracked.txt", "mine\n")
    (bench.repo.path / ".git" / "n").unlink(missing_ok=True)
    before = state(bench.repo)
    bench.model.answer(said("{}"), messages(message("One")), messages(message("Two")))
    ran = bench.run("--split", "--yes")
    assert ran.code == 3, ran.err
    assert state(bench.repo) == before


def test_no_signer(bench: Bench) -> None:
    two_purposes(bench)
    bench.repo.git("config", "commit.gpgSign", "true")
    bench.repo.git("config", "gpg.program", "false")
    before = state(bench.repo)
    assert bench.run("--split", "--offline", "--yes").code == 3
    assert state(bench.repo) == before


def test_not_in_the_middle_of_a_merge_nor_with_flags_that_mean_one(bench: Bench) -> None:
    merging(bench)
    assert bench.run("--split", "--yes").code == 2
    for flag in ("--amend", "--all", "--print"):
        assert bench.run("--split", flag, "--offline").code == 2
    assert not bench.model.bodies


def test_staged_meanwhile(bench: Bench) -> None:
    two_purposes(bench)
    head = bench.repo.head
    bench.model.answer(groups([1, 2, 3, 4]), messages(message()))
    bench.model.before = lambda: bench.repo.stage("late.py")
    ran = bench.run("--split", "--yes")
    assert ran.code == 3
    assert "has changed" in ran.err
    assert bench.repo.head == head


def test_secrets_do_not_leave_with_the_proposal(bench: Bench) -> None:
    two_purposes(bench)
    key = "AKIA" + "Q4XN7RTB2LKM6WZP"
    bench.repo.stage("other.py", f'key = "{key}"\n')
    bench.model.answer(groups([1, 2, 3, 4]), messages(message()))
    assert bench.run("--split", "--yes").code == 0
    assert key not in "\n".join(bench.model.texts)


# -- any grouping of anything


def everything(repo: Repo) -> None:
    """Every kind of change beside files of several hunks."""
    repo.commit(
        "Base",
        many__py="".join(LINES),
        crlf__txt="".join(LINES).replace("\n", "\r\n"),
        bare__txt="".join(LINES).removesuffix("\n"),
        gone__py="gone\n",
        old__py="".join(f"old {n}\n" for n in range(20)),
        data__bin=b"a\0b",
        tool__sh="#!/bin/sh\n",
        was="a file\n",
    )
    repo.stage("many.py", changed(1, 20, 40, 59))
    repo.stage("crlf.txt", changed(3, 30, 57).replace("\n", "\r\n"))
    repo.stage("bare.txt", changed(0, 30, 59).removesuffix("\n") + "\nmore, no newline")
    repo.git("rm", "-q", "gone.py", "was")
    repo.git("mv", "old.py", "new name\nof.py")
    repo.stage("data.bin", b"a\0c")
    repo.stage("was/inside.py", "now a folder\n")
    repo.git("update-index", "--chmod=+x", "tool.sh")
    os.symlink("many.py", repo.path / "link")
    repo.git("add", "link")
    repo.stage("added.py", "fresh\n" * 3)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_any_grouping_ends_at_the_staged_tree(tmp_path: Path, seed: int, kind: str) -> None:
    repo = new_repo(tmp_path / "r", f"--object-format={kind}")
    everything(repo)
    repository = GitRepository(repo.path)
    changes = repository.staged()
    rng = random.Random(seed)
    made: list[list[object]] = [[] for _ in range(rng.randint(1, 5))]
    for unit in units_of(changes):
        rng.choice(made).append(unit)
    chosen = tied(changes, [group for group in made if group])  # type: ignore[misc]
    splits = SplitCommits(repo.path)
    plan = splits.plan(changes, chosen)
    staged, before = repo.git("write-tree"), (repo.index, repo.tree)
    ids = splits.commit(plan, [f"Part {n}" for n in range(len(chosen))], Committing())
    assert len(ids) == len(chosen)
    assert repo.git("rev-parse", "HEAD^{tree}") == staged
    assert (repo.index, repo.tree) == before
    assert [repo.git("rev-parse", f"{one}^{{tree}}") for one in ids] == [s.tree for s in plan.steps]
    assert repo.git("diff", "--cached") == ""


def test_a_plan_that_leaves_something_out_is_refused(tmp_path: Path) -> None:
    repo = new_repo(tmp_path / "r")
    everything(repo)
    changes = GitRepository(repo.path).staged()
    with pytest.raises(GitRefused, match="do not make up"):
        SplitCommits(repo.path).plan(changes, [units_of(changes)[:-1]])


def test_rules(tmp_path: Path) -> None:
    repo = new_repo(tmp_path / "r")
    repo.commit("Base", code__py="".join(LINES), package__json='{"a": 1}\n', fmt__py="a=1\n")
    repo.stage("package.json", '{"a": 2}\n')
    repo.stage("package-lock.json", '{"lock": 2}\n')
    repo.stage("code.py", changed(2, 50, text="def made_{}(): pass\n"))
    repo.stage("user.py", "made_50()\n")
    repo.stage("tests/test_user.py", "def test_it(): ...\n")
    repo.stage("fmt.py", "a = 1\n")
    repo.stage("docs/x.md", "# New\n")
    repo.stage(".github/workflows/ci.yml", "on: push\n")
    changes = GitRepository(repo.path).staged()
    found = [
        sorted({changes.files[unit.file].path for unit in group})
        for group in by_rules(changes, units_of(changes))
    ]
    assert found == [
        ["package-lock.json", "package.json"],
        ["fmt.py"],
        ["code.py", "tests/test_user.py", "user.py"],
        [".github/workflows/ci.yml"],
        ["docs/x.md"],
    ]


def test_each_part_exactly_once(tmp_path: Path) -> None:
    repo = new_repo(tmp_path / "r")
    everything(repo)
    changes = GitRepository(repo.path).staged()
    units = units_of(changes)
    numbers = list(range(1, len(units) + 1))
    made = read_groups(json.dumps({"groups": [numbers[:3], numbers[3:]]}), changes, units)
    assert sorted(unit for group in made for unit in group) == sorted(units)
    for bad in (numbers[1:], [*numbers, 1], [*numbers, 99]):
        with pytest.raises(ValueError, match="part"):
            read_groups(json.dumps({"groups": [bad]}), changes, units)


def test_a_hunk_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    repo = new_repo(tmp_path / "r")
    repo.commit("Base", a__txt="".join(LINES))
    repo.stage("a.txt", changed(3))
    hunk = GitRepository(repo.path).staged().files[0].hunks[0]
    assert with_hunks("".join(LINES).encode(), [hunk]) == changed(3).encode()
    with pytest.raises(ValueError, match="not as the hunk has it"):
        with_hunks(b"other\n" * 60, [hunk])
