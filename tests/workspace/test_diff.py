"""What is read of a diff: exact for any content and name, and bent by no setting."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aircher.domain.changes import FileChange
from aircher.domain.errors import GitRefused, UsageError
from aircher.workspace.diff.parse import parse
from aircher.workspace.diff.read import HARDENED, OPTIONS
from aircher.workspace.repository import GitRepository
from tests.support.repository import Repo, new_repo


def staged(repo: Repo, **how: bool) -> tuple[FileChange, ...]:
    return GitRepository(repo.path).staged(**how).files


def summary(files: tuple[FileChange, ...]) -> list[tuple[str, str, int | None, int | None]]:
    return [(file.name, file.status, file.added, file.removed) for file in files]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = new_repo(tmp_path / "repo")
    made.commit(a__py="def f():\n    return 1\n", b__txt="one\ntwo\nthree\n", old__md="# A\nb\nc\n")
    return made


def full(repo: Repo) -> None:
    """Stages one change of each kind."""
    repo.stage("a.py", "def f():\n    return 2\n")
    repo.git("rm", "-q", "b.txt")
    repo.git("mv", "old.md", "new.md")
    repo.stage("bin", b"\0\1")
    repo.stage("späß ü.txt", "grün\n")
    repo.stage("latin", b"gr\xfcn\n")
    repo.stage("run.sh", "echo\n")
    repo.git("update-index", "--chmod=+x", "run.sh")
    os.symlink("a.py", repo.path / "link")
    repo.git("add", "link")
    repo.stage("empty", "")


FULL = [
    ("a.py", "modified", 1, 1),
    ("b.txt", "deleted", 0, 3),
    ("bin", "added", None, None),
    ("empty", "added", 0, 0),
    ("latin", "added", 1, 0),
    ("link", "added", 1, 0),
    ("new.md", "renamed", 0, 0),
    ("run.sh", "added", 1, 0),
    ("späß ü.txt", "added", 1, 0),
]


def test_every_kind_of_change_is_read(repo: Repo) -> None:
    full(repo)
    files = {file.name: file for file in staged(repo)}
    assert summary(tuple(files.values())) == FULL
    assert files["new.md"].old_name == "old.md"
    assert files["run.sh"].new_mode == "100755"
    assert files["link"].new_mode == "120000"
    assert files["bin"].binary
    assert list(files["latin"].lines(b"+")) == ["gr\ufffdn"]
    assert files["a.py"].hunks[0].text == "@@ -1,2 +1,2 @@\n def f():\n-    return 1\n+    return 2"


SETTINGS = {
    "diff.external": "false",
    "diff.noprefix": "true",
    "diff.mnemonicPrefix": "true",
    "diff.srcPrefix": "x/",
    "diff.dstPrefix": "y/",
    "diff.relative": "true",
    "diff.renames": "false",
    "diff.renameLimit": "1",
    "diff.orderFile": "order",
    "diff.ignoreSubmodules": "all",
    "diff.submodule": "log",
    "diff.context": "0",
    "diff.interHunkContext": "9",
    "diff.suppressBlankEmpty": "true",
    "diff.wordRegex": ".",
    "diff.wsErrorHighlight": "all",
    "diff.colorMoved": "zebra",
    "diff.statGraphWidth": "3",
    "diff.algorithm": "patience",
    "diff.indentHeuristic": "false",
    "core.quotePath": "true",
    "core.pager": "false",
    "core.fsmonitor": "false",
    "core.attributesFile": "none",
    "core.precomposeUnicode": "true",
    "color.ui": "always",
    "color.diff": "always",
    "core.abbrev": "4",
    "log.showSignature": "true",
    "status.relativePaths": "true",
    "pager.diff": "false",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_no_setting_bends_it(repo: Repo, name: str) -> None:
    repo.stage("blank", "a\n\nb\n\nc\n")
    repo.git("commit", "-qm", "blank")
    repo.stage("blank", "a\n\nb\n\nd\n")
    full(repo)
    repo.write("order", "späß ü.txt\n")
    before = staged(repo)
    repo.git("config", name, SETTINGS[name])
    assert staged(repo) == before


ENVIRONMENT = {
    "GIT_EXTERNAL_DIFF": "false",
    "GIT_DIFF_OPTS": "--unified=0",
    "GIT_PAGER": "false",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_ICASE_PATHSPECS": "1",
    "GIT_TRACE": "2",
    "GIT_CONFIG_PARAMETERS": "'diff.noprefix=true'",
    "GIT_PREFIX": "nowhere/",
    "LC_ALL": "tr_TR.UTF-8",
}


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_no_variable_bends_it(repo: Repo, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    full(repo)
    before = staged(repo)
    monkeypatch.setenv(name, ENVIRONMENT[name])
    assert staged(repo) == before


def test_textconv_and_a_drivers_command_are_not_run(repo: Repo) -> None:
    full(repo)
    before = staged(repo)
    script = repo.path / ".git" / "trap"
    script.write_text(f"#!/bin/sh\ntouch '{repo.path}/.git/sprung'\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    (repo.path / ".git" / "info").mkdir(exist_ok=True)
    (repo.path / ".git" / "info" / "attributes").write_text("* diff=trap\n")
    for key in ("command", "textconv"):
        repo.git("config", f"diff.trap.{key}", os.fspath(script))
    repo.git("config", "core.fsmonitor", os.fspath(script))
    repo.git("config", "core.hooksPath", os.fspath(script.parent))
    after = staged(repo)
    assert [file.patch() for file in after] == [file.patch() for file in before]
    assert GitRepository(repo.path).staged(everything=True).files
    assert not (repo.path / ".git" / "sprung").exists()


NAMES = [
    "new\nline", "tab\there", 'quo"te', "-dash", "--cached", ":(exclude)a", ":!a", ":/x", "[x].py",
    "*", "?", "sp ace", " lead", "trail ", "ünïcödé", "日本語.txt", "a\\b", "$HOME", "`id`", "#x",
    "a => b", "{a => b}.py", "diff --git a b", "\x01bell\x07", "x\x1b[31m", ":100644 x", "HEAD",
]  # fmt: skip


def test_hostile_names_are_just_names(repo: Repo) -> None:
    for name in NAMES:
        repo.stage(name, "content\n")
    repo.stage(b"byte\xff.txt", "content\n")
    files = staged(repo)
    assert {file.path for file in files} == {*NAMES, os.fsdecode(b"byte\xff.txt")}
    assert all((file.status, file.added) == ("added", 1) for file in files)
    assert all("\n" not in file.name and "\x1b" not in file.name for file in files)


def test_a_diff_inside_of_a_file_is_text(repo: Repo) -> None:
    full(repo)
    inner = repo.git("diff", "--cached")
    repo.git("commit", "-qm", "x")
    repo.stage("fixture.diff", inner + "\n")
    repo.stage("z.txt", "last\n")
    files = staged(repo)
    assert [file.name for file in files] == ["fixture.diff", "z.txt"]
    assert len(files[0].hunks) == 1
    repo.git("commit", "-qm", "x")
    repo.stage("fixture.diff", inner.replace("@@ -1,2", "@@ -7,2") + "\n")
    assert [file.name for file in staged(repo)] == ["fixture.diff"]


def test_a_file_that_becomes_a_link_is_one_change(repo: Repo) -> None:
    (repo.path / "a.py").unlink()
    os.symlink("b.txt", repo.path / "a.py")
    repo.stage("z.txt", "last\n")
    repo.git("add", "-A")
    files = staged(repo)
    assert [(file.name, file.status) for file in files] == [("a.py", "type"), ("z.txt", "added")]
    assert (len(files[0].hunks), files[0].split) == (2, 1)


line = st.sampled_from(
    [b"", b" ", b"a", b"b", b"-", b"+", b"@@ -1 +1 @@", b"diff --git a/x b/x", b"\\", b"\r", b"\xff",
     b"--- a/x", b"+++ b/x", b"* Unmerged path x", b":100644", b"x" * 90]
)  # fmt: skip
content = st.builds(
    lambda lines, end: b"\n".join(lines) + end,
    st.lists(line, max_size=30),
    st.sampled_from([b"", b"\n"]),
)


@settings(max_examples=40)
@given(
    before=st.lists(content, min_size=3, max_size=3),
    after=st.lists(content, min_size=3, max_size=3),
)
def test_what_is_read_is_what_git_wrote(
    tmp_path_factory: pytest.TempPathFactory, before: list[bytes], after: list[bytes]
) -> None:
    repo = new_repo(tmp_path_factory.mktemp("any"))
    for number, text in enumerate(before):
        repo.stage(f"f{number}", text)
    repo.git("commit", "-q", "--allow-empty", "-m", "x")
    for number, text in enumerate(after):
        repo.stage(f"f{number}", text)
    words = [word for word in OPTIONS if word not in {"--raw", "--numstat"}]
    plain = repo_bytes(repo, *HARDENED, "diff-index", "--cached", *words, "HEAD", "--")
    files = staged(repo)
    assert b"".join(file.patch() for file in files) == plain
    for file in files:
        if not file.binary:
            assert sum(hunk.added for hunk in file.hunks) == file.added
            assert sum(hunk.removed for hunk in file.hunks) == file.removed


def repo_bytes(repo: Repo, *words: str) -> bytes:
    import subprocess

    return subprocess.run(["git", *words], cwd=repo.path, capture_output=True, check=True).stdout


ENTRY = b":100644 100644 " + b"1" * 40 + b" " + b"2" * 40 + b" M\0a\0"
WHOLE = (
    ENTRY
    + b"1\t1\ta\0\0diff --git a/a b/a\nindex 1..2 100644\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n"
)


@given(st.integers(0, len(WHOLE)), st.integers(0, 9), st.binary(max_size=9))
def test_nonsense_is_refused_and_never_a_crash(at: int, less: int, more: bytes) -> None:
    assert parse(WHOLE)[0].added == 1
    with contextlib.suppress(GitRefused):
        parse(WHOLE[:at] + more + WHOLE[at + less :])


def test_only_what_is_staged_is_read(repo: Repo) -> None:
    repo.stage("a.py", "def f():\n    return 2\n")
    repo.write("a.py", "def f():\n    return 3\n")
    repo.write("untracked", "x\n")
    assert [list(file.lines(b"+")) for file in staged(repo)] == [["    return 2"]]


def test_everything_reads_tracked_files_and_leaves_the_index(repo: Repo) -> None:
    repo.write("a.py", "def f():\n    return 3\n")
    repo.write("untracked", "x\n")
    (repo.path / "b.txt").unlink()
    index = repo.index
    assert summary(staged(repo, everything=True)) == [
        ("a.py", "modified", 1, 1),
        ("b.txt", "deleted", 0, 3),
    ]
    assert repo.index == index
    assert staged(repo) == ()


def test_the_index_of_a_hook_is_the_one_that_is_read(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = repo.path / ".git" / "other"
    other.write_bytes((repo.path / ".git" / "index").read_bytes())
    repo.stage("a.py", "other\n")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/other")
    monkeypatch.setenv("GIT_DIR", ".git")
    assert staged(repo) == ()
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert len(staged(repo)) == 1


def test_an_unborn_branch_and_sha256(tmp_path: Path) -> None:
    for number, options in enumerate([(), ("--object-format=sha256",)]):
        repo = new_repo(tmp_path / str(number), *options)
        assert staged(repo) == ()
        repo.stage("a", "x\n")
        assert summary(staged(repo)) == [("a", "added", 1, 0)]
        assert GitRepository(repo.path).head == ""
        repo.git("commit", "-qm", "x")
        repo.stage("a", "y\n")
        assert summary(staged(repo)) == [("a", "modified", 1, 1)]


def test_a_subfolder_sees_the_whole(repo: Repo) -> None:
    full(repo)
    repo.write("sub/deep/x", "x\n")
    repo.git("config", "diff.relative", "true")
    inside = GitRepository(repo.path / "sub" / "deep")
    assert summary(inside.staged().files) == FULL
    assert inside.top == os.fspath(repo.path)


def test_a_submodule_is_one_change(repo: Repo, tmp_path: Path) -> None:
    other = new_repo(tmp_path / "other")
    other.commit(x="1\n")
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.path), "sub")
    repo.git("config", "-f", ".gitmodules", "submodule.sub.ignore", "all")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "sub")
    other.commit("2", x="2\n")
    inner = Repo(repo.path / "sub")
    inner.git("fetch", "-q")
    inner.git("checkout", "-q", "origin/main")
    repo.git("add", "--force", "sub")
    assert [(f.name, f.new_mode) for f in staged(repo)] == [("sub", "160000")]
    inner.stage("y", "y\n")
    found = GitRepository(inner.path)
    assert summary(found.staged().files) == [("y", "added", 1, 0)]
    assert found.key != GitRepository(repo.path).key


def test_where_no_commit_can_be_made_it_says_so(tmp_path: Path, repo: Repo) -> None:
    for options, words in ((("--bare",), "bare"),):
        bare = new_repo(tmp_path / "bare", *options)
        with pytest.raises(UsageError, match=words):
            GitRepository(bare.path)
    with pytest.raises(UsageError, match="not a work tree"):
        GitRepository(repo.path / ".git")
    outside = tmp_path / "outside"
    outside.mkdir()
    with pytest.raises(UsageError, match="no git repository"):
        GitRepository(outside)


def test_attributes_are_read_for_any_name(repo: Repo) -> None:
    repo.stage(".gitattributes", "*.gen linguist-generated\n*.lock -diff\n")
    repo.stage("new\nline.gen", "x\n")
    repo.stage("a.lock", "x\n")
    found = {file.path: dict(file.attributes) for file in staged(repo)}
    assert found["new\nline.gen"] == {"linguist-generated": "set"}
    assert found["a.lock"] == {"diff": "unset"}
    assert found[".gitattributes"] == {}


def test_amending_and_ranges(repo: Repo) -> None:
    repo.commit("two", a__py="2\n")
    repo.stage("c", "c\n")
    found = GitRepository(repo.path)
    assert [f.name for f in found.staged(amend=True).files] == ["a.py", "c"]
    assert [f.name for f in found.between("HEAD~1..HEAD").files] == ["a.py"]
    assert [f.name for f in found.between("HEAD~1..").files] == ["a.py"]
    assert [f.name for f in found.between("HEAD~1").files] == ["a.py", "b.txt", "old.md"]
    repo.git("branch", "side", "HEAD~1")
    assert [f.name for f in found.between("side...main").files] == ["a.py"]
    for wrong in ("nowhere..HEAD", "--output=x..HEAD", "HEAD..-x", "a b"):
        with pytest.raises(UsageError, match="no commit"):
            found.between(wrong)


def test_a_conflict_is_told_by_its_name(repo: Repo) -> None:
    repo.git("checkout", "-qb", "side")
    repo.commit("side", a__py="side\n")
    repo.git("checkout", "-q", "main")
    repo.commit("main", a__py="main\n")
    repo.git("merge", "side", fine=(1,))
    with pytest.raises(GitRefused, match=r"a\.py still has a conflict"):
        GitRepository(repo.path).staged()


def test_history_holds_messages_and_paths(repo: Repo) -> None:
    repo.commit("fix: ü\n\nWhy\x01 it was so.\n", a__py="2\n")
    repo.git("commit", "-q", "--allow-empty", "-m", "empty")
    repo.git("config", "diff.orderFile", "nowhere")
    repo.git("config", "log.showSignature", "true")
    empty, fix, begin = GitRepository(repo.path).setting().history
    assert (empty.subject, empty.paths) == ("empty", ())
    assert (fix.subject, fix.body, fix.paths) == ("fix: ü", "Why\x01 it was so.", ("a.py",))
    assert begin.paths == ("a.py", "b.txt", "old.md")


def test_the_fingerprint_follows_index_and_head(repo: Repo) -> None:
    found = GitRepository(repo.path)
    seen = [found.fingerprint()]
    repo.stage("a.py", "2\n")
    seen.append(found.fingerprint())
    repo.write("a.py", "3\n")
    assert found.fingerprint() == seen[-1]
    seen.append(found.fingerprint(everything=True))
    repo.git("commit", "-qm", "x")
    seen.append(found.fingerprint())
    repo.git("commit", "-q", "--allow-empty", "-m", "y")
    seen.append(found.fingerprint())
    assert len(set(seen)) == len(seen)
