"""The prepare-commit-msg hook, run by the real git in fresh repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from aircher.cli.main import main
from tests.commit.conftest import Bench
from tests.commit.test_edge_cases import conflict
from tests.support.loopback import Answer, plain
from tests.support.recording import message, messages
from tests.support.repository import Repo, new_repo

WRITTEN = "Change what is staged"
KEY = "AKIA" + "Q4XN7RTB2LKM6WZP"


@dataclass(frozen=True)
class Committed:
    """How a ``git commit`` ended, and what the editor was shown."""

    code: int
    err: str
    shown: str


def hook(bench: Bench, *words: str) -> int:
    bench.monkeypatch.chdir(bench.folder or bench.repo.path)
    return main(["hook", *words])


def git_commit(bench: Bench, *words: str, editor: str = "", **env: str) -> Committed:
    """``git commit WORDS`` as a user does it; the editor keeps what it is shown, and accepts."""
    seen = bench.home / "shown"
    seen.unlink(missing_ok=True)
    variables = {k: v for k, v in os.environ.items() if k != "CI"}
    done = subprocess.run(
        ["git", "commit", *words],
        cwd=bench.folder or bench.repo.path,
        env={**variables, "GIT_EDITOR": editor or f"cp \"$1\" '{seen}' && true", **env},
        capture_output=True,
        timeout=60,
        check=False,
    )
    shown = seen.read_bytes().decode(errors="replace") if seen.exists() else ""
    return Committed(done.returncode, done.stderr.decode(errors="replace"), shown)


def script(bench: Bench, name: str, text: str, mode: int = 0o755) -> Path:
    path = bench.repo.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mode)
        for path in folder.rglob("*")
        if path.is_file()
    }


# -- git's own commit


@dataclass(frozen=True)
class Case:
    """One way to commit.  ``shown`` stands in the editor, ``body`` is HEAD's message exactly."""

    name: str
    arrange: Callable[[Bench], object] = lambda _: None
    words: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    answers: tuple[Answer, ...] = (messages(message()),)
    calls: int = 1
    body: str | None = WRITTEN
    shown: tuple[str, ...] = (WRITTEN,)
    unshown: tuple[str, ...] = ()
    told: str = ""


def configured(**settings: str) -> Callable[[Bench], None]:
    def arrange(bench: Bench) -> None:
        for name, value in settings.items():
            bench.repo.git("config", name.replace("__", "."), value)

    return arrange


def template(text: str) -> Callable[[Bench], None]:
    def arrange(bench: Bench) -> None:
        bench.repo.write(".git/template", text)
        bench.repo.git("config", "commit.template", ".git/template")

    return arrange


def merging(bench: Bench) -> None:
    conflict(bench).git("merge", "side", fine=(1,))
    bench.repo.stage("a.py", "both\n")


def picking(bench: Bench) -> None:
    conflict(bench).git("cherry-pick", "side", fine=(1,))
    bench.repo.stage("a.py", "both\n")


def squashing(bench: Bench) -> None:
    repo = bench.repo
    repo.git("checkout", "-qb", "side")
    repo.commit("On the side", new__py="side = 1\n")
    repo.git("checkout", "-q", "main")
    repo.git("merge", "--squash", "side")


def gone(bench: Bench) -> None:
    """The program that was installed is no longer there, nor is one on the PATH."""
    path = bench.repo.path / ".git/hooks/prepare-commit-msg"
    text = path.read_text().splitlines(keepends=True)
    path.write_text("".join("program=/nowhere\n" if x.startswith("program=") else x for x in text))


def ignored(bench: Bench) -> None:
    bench.repo.write(".aircherignore", "b.py\n")


def local_only(bench: Bench) -> None:
    bench.config('[privacy]\nlocal_only = ["*.py"]\n')


BUDGET = "[costs]\nper_request_limit = 0.0000001\nauto_downgrade_on_limit = false\n"
STRICT = '[guard]\nstrict = true\naction = "block"\n'
CASES = [
    Case("plain"),
    Case("a branch without commits", lambda b: b.repo.git("checkout", "-q", "--orphan", "new")),
    Case("a message is given", words=("-m", "Mine"), calls=0, body="Mine", shown=()),
    Case("a message from a file", words=("-F", "a.py"), calls=0, body="def f():\n    return 1", shown=()),
    Case("amended", words=("--amend",), calls=0, body="Begin", shown=("Begin",)),
    Case("message of another commit", words=("-c", "HEAD"), calls=0, body="Begin", shown=("Begin",)),
    Case("fixup", words=("--fixup", "HEAD"), calls=0, body="fixup! Begin", shown=()),
    Case("merge", merging, calls=0, body=None, shown=("Merge branch 'side'",), unshown=(WRITTEN,)),
    Case("cherry-pick", picking, calls=0, body="On the side\n\nWhy it was so.", shown=("On the side",)),
    Case("squash", squashing, calls=0, body=None, shown=("Squashed commit",), unshown=(WRITTEN,)),
    Case("CI", env={"CI": "true"}, calls=0, body="", shown=("# Please enter",), unshown=(WRITTEN, "aircher")),
    Case("CI = false", env={"CI": "false"}),
    Case("turned off", env={"AIRCHER_HOOK": "0"}, calls=0, body="", shown=("# Please",), unshown=(WRITTEN,)),
    Case("no editor", env={"GIT_EDITOR": ":"}, words=("--allow-empty-message",), calls=0, body="", shown=()),
    Case("nothing staged", lambda b: b.repo.git("reset", "-q"), words=("--allow-empty",), calls=0, body="",
         shown=("# Please",), unshown=("aircher",)),
    Case("all tracked", lambda b: b.repo.write("a.py", "x = 3\n"), words=("-a",)),
    Case("one file", lambda b: b.repo.write("a.py", "x = 3\n"), words=("a.py",)),
    Case("signed off", words=("-s",), body=f"{WRITTEN}\n\nSigned-off-by: Test <test@example.invalid>"),
    Case("sub-folder", lambda b: (b.repo.stage("deep/x.py"), setattr(b, "folder", b.repo.path / "deep"))),
    Case("commentChar", configured(core__commentChar=";"), answers=(messages(message(body=";x is one\n#y")),),
         body=f"{WRITTEN}\n\n ;x is one\n #y", shown=("; aircher wrote this (mine/m", "; Please enter")),
    Case("commentChar is a letter", configured(core__commentChar="C"), body="change what is staged", shown=("change what",)),
    Case("commentChar auto", lambda b: (configured(core__commentChar="auto")(b), template("# Why:\n")(b)),
         body=f"{WRITTEN}\n\n# Why:", shown=("; aircher wrote", "; Please enter")),
    Case("template", template("Why:\n\nTicket:\n# a hint\n"), body=f"{WRITTEN}\n\nWhy:\n\nTicket:",
         shown=(WRITTEN, "Why:", "# a hint", "# aircher wrote")),
    Case("template of comments", template("\n# subject, 50 characters\n"), shown=("# subject, 50",)),
    Case("verbose", configured(commit__verbose="true"), shown=("+x = 1", "diff --git", ">8")),
    Case("scissors", configured(commit__cleanup="scissors"), shown=(">8 ------------------------\n# Do not",)),
    Case("verbatim", configured(commit__cleanup="verbatim", commit__status="false"), unshown=("# aircher",)),
    Case("whitespace", configured(commit__cleanup="whitespace", commit__status="false"), unshown=("# aircher",)),
    Case("no status", configured(commit__status="false"), shown=("# aircher wrote",)),
    Case("latin-1", configured(i18n__commitEncoding="ISO-8859-1", i18n__logOutputEncoding="UTF-8"), answers=(messages(message("Grüße staged")),),
         body="Grüße staged", shown=()),
    Case("provider fails", answers=(plain({"error": {"message": "boom"}}, 500),), body="", shown=("# aircher: no message was written",),
         told="no message was written"),
    Case("provider fails, scissors", configured(commit__cleanup="scissors"), answers=(plain({"error": {"message": "boom"}}, 500),),
         body="", shown=("below it will be ignored.\n# aircher: no message",), told="no message was written"),
    Case("provider fails, verbatim", configured(commit__cleanup="verbatim", commit__status="false"),
         answers=(plain({"error": {"message": "boom"}}, 500),), body="", shown=(), unshown=("aircher",), told="no message was written"),
    Case("broken configuration", lambda b: b.config("[commit]\n"), calls=0, body="", shown=("# aircher: no message",), told="aircher"),
    Case("over the budget", lambda b: b.config(BUDGET), calls=0, body="", shown=("# aircher: no message",), told="limit"),
    Case("secret", lambda b: b.repo.stage("s.py", f'key = "{KEY}"\n'), shown=(WRITTEN,), unshown=(KEY,)),
    Case("secret, strict", lambda b: (b.config(STRICT), b.repo.stage("s.py", f'key = "{KEY}"\n')), calls=0, body="",
         shown=("# aircher: no message was written: Nothing was sent",)),
    Case("ignored file", ignored, shown=(WRITTEN,)),
    Case("local only", local_only, calls=0, body=None, shown=("aircher",)),
    Case("program gone", gone, env={"PATH": "/usr/bin:/bin"}, calls=0, body="", shown=("# Please",), unshown=("aircher",)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_git_commit(bench: Bench, case: Case) -> None:
    assert hook(bench, "install") == 0
    bench.model.answer(*case.answers)
    bench.repo.stage("b.py", "x = 1\n")
    case.arrange(bench)
    tree = bench.repo.tree
    before = bench.repo.head
    done = git_commit(bench, *case.words, **case.env)
    assert len(bench.model.bodies) == case.calls, done
    for words in case.shown:
        assert words in done.shown, done
    for words in case.unshown:
        assert words not in done.shown, done
    assert case.told in done.err
    made = bench.repo.head != before
    if case.body == "":
        # Git itself refuses an empty message; nothing of ours stands in the way of a typed one.
        assert made == ("--allow-empty-message" in case.words), done
    else:
        assert made, done
        assert case.body is None or bench.repo.message == case.body
    assert bench.repo.tree == tree
    text = "\n".join(bench.model.texts)
    assert KEY not in text
    if case.name == "ignored file":
        assert "x = 1" not in text


def test_slow_answer_does_not_hold_the_commit(bench: Bench) -> None:
    import time

    hook(bench, "install")
    bench.repo.stage("b.py")
    release = bench.home / "release"
    bench.model.before = lambda: _until(release)
    began = time.monotonic()
    try:
        done = git_commit(bench)
    finally:
        release.touch()
    assert time.monotonic() - began < 12
    assert "# aircher: no message was written: there was none within 8 s." in done.shown
    typed = git_commit(bench, editor="sh -c 'echo Mine > \"$1\"' x", AIRCHER_HOOK="0")
    assert typed.code == 0
    assert bench.repo.message == "Mine"


def _until(file: Path) -> None:
    import time

    for _ in range(600):
        if file.exists():
            return
        time.sleep(0.05)


def test_a_program_that_dies_leaves_a_line(bench: Bench) -> None:
    hook(bench, "install")
    broken = script(bench, ".git/broken", "#!/bin/sh\nkill -ALRM $$\n")
    path = bench.repo.path / ".git/hooks/prepare-commit-msg"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(
        "".join(f"program={broken}\n" if x.startswith("program=") else x for x in lines)
    )
    bench.repo.stage("b.py")
    done = git_commit(bench)
    assert "# aircher: no message was written (it ended with 142)" in done.shown


# -- where it goes


def test_installed_twice_and_taken_away(bench: Bench) -> None:
    hooks = bench.repo.path / ".git"
    shutil.rmtree(hooks / "hooks", ignore_errors=True)
    before = snapshot(hooks)
    assert hook(bench, "status") == 4
    assert hook(bench, "install") == 0
    assert hook(bench, "install") == 0
    assert hook(bench, "status") == 0
    assert hook(bench, "uninstall") == 0
    assert snapshot(hooks) == before
    assert not (hooks / "hooks").exists()
    assert hook(bench, "uninstall") == 4


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("by_name", [False, True])
def test_a_foreign_hook_is_run_and_put_back(bench: Bench, after: bool, by_name: bool) -> None:
    more = '[ "$(basename "$0")" = prepare-commit-msg ] || exit 9\n' if by_name else ""
    text = f'#!/bin/sh\n{more}printf "\\nX-Id: 7\\n" >> "$1"\n# \xe9 no newline at the end'
    script(bench, ".git/hooks/prepare-commit-msg", text, 0o750)
    before = snapshot(bench.repo.path / ".git/hooks")
    hook(bench, "install", *(["--after"] if after else []))
    bench.repo.stage("b.py")
    done = git_commit(bench)
    assert done.code == 0, done
    assert bench.repo.message.startswith(WRITTEN)
    assert "X-Id: 7" in bench.repo.message
    hook(bench, "uninstall")
    assert snapshot(bench.repo.path / ".git/hooks") == before


def test_a_foreign_hook_that_refuses_refuses(bench: Bench) -> None:
    script(bench, ".git/hooks/prepare-commit-msg", "#!/bin/sh\nexit 3\n")
    hook(bench, "install")
    bench.repo.stage("b.py")
    head = bench.repo.head
    assert git_commit(bench).code != 0
    assert bench.repo.head == head
    assert not bench.model.bodies


def test_a_foreign_hook_that_writes_is_left_alone(bench: Bench) -> None:
    script(bench, ".git/hooks/prepare-commit-msg", '#!/bin/sh\necho Theirs > "$1"\n')
    hook(bench, "install")
    bench.repo.stage("b.py")
    git_commit(bench)
    assert bench.repo.message == "Theirs"
    assert not bench.model.bodies


def test_one_that_git_would_not_run_is_not_run(bench: Bench) -> None:
    script(bench, ".git/hooks/prepare-commit-msg", "#!/bin/sh\nexit 3\n", 0o644)
    hook(bench, "install")
    bench.repo.stage("b.py")
    assert git_commit(bench).code == 0


def test_an_edited_hook_is_not_thrown_away(bench: Bench) -> None:
    hook(bench, "install")
    path = bench.repo.path / ".git/hooks/prepare-commit-msg"
    path.write_text(path.read_text() + "# mine\n")
    assert hook(bench, "uninstall") == 2
    assert path.exists()
    assert hook(bench, "uninstall", "--force") == 0
    assert not path.exists()


def _husky(bench: Bench) -> Path:
    """As husky 9 leaves it: stubs in a folder that it makes anew, the user's hooks beside it."""
    h = '#!/usr/bin/env sh\nn=$(basename "$0")\ns=$(dirname "$(dirname "$0")")/$n\n[ ! -f "$s" ] && exit 0\nsh -e "$s" "$@"\n'
    script(bench, ".husky/_/h", h, 0o644)
    script(bench, ".husky/_/prepare-commit-msg", '#!/usr/bin/env sh\n. "$(dirname "$0")/h"\n')
    bench.repo.git("config", "core.hooksPath", ".husky/_")
    return bench.repo.path / ".husky" / "prepare-commit-msg"


@pytest.mark.parametrize("foreign", [False, True])
def test_husky(bench: Bench, foreign: bool) -> None:
    place = _husky(bench)
    if foreign:
        script(bench, ".husky/prepare-commit-msg", 'printf "\\nX-Id: 7\\n" >> "$1"\n', 0o644)
    before = snapshot(bench.repo.path / ".husky")
    hook(bench, "install")
    assert place.exists()
    bench.repo.stage("b.py")
    assert git_commit(bench).code == 0
    assert bench.repo.message == (f"{WRITTEN}\n\nX-Id: 7" if foreign else WRITTEN)
    hook(bench, "uninstall")
    assert snapshot(bench.repo.path / ".husky") == before


PRE_COMMIT = """#!/bin/sh
# File generated by pre-commit: https://pre-commit.com
[ -z "$PRE_COMMIT_RUNNING_LEGACY" ] || { echo "bug: in migration mode" >&2; exit 1; }
here="$(cd "$(dirname "$0")" && pwd)"
if [ -x "$here/prepare-commit-msg.legacy" ]; then
    PRE_COMMIT_RUNNING_LEGACY=1 "$here/prepare-commit-msg.legacy" "$@" || exit $?
fi
echo ran >> "$here/ran"
"""
"""What matters of the hook of pre-commit: a hook that it found is its child, and it is no one's."""


def test_pre_commit_installed_later(bench: Bench) -> None:
    """It moves our hook, and runs it; what it moved before is still ours to run."""
    hooks = bench.repo.path / ".git/hooks"
    script(bench, ".git/hooks/prepare-commit-msg", PRE_COMMIT)
    hook(bench, "install")
    (hooks / "prepare-commit-msg").rename(hooks / "prepare-commit-msg.legacy")
    script(bench, ".git/hooks/prepare-commit-msg", PRE_COMMIT)
    assert hook(bench, "status") == 0
    bench.repo.stage("b.py")
    done = git_commit(bench)
    assert done.code == 0, done
    assert bench.repo.message == WRITTEN
    assert (hooks / "ran").read_text() == "ran\n"
    hook(bench, "uninstall")
    assert not (hooks / "prepare-commit-msg.legacy").exists()
    assert (hooks / "prepare-commit-msg").read_text() == PRE_COMMIT
    bench.repo.stage("c.py")
    assert git_commit(bench, "-m", "Mine").code == 0


def test_lefthook_moves_it_away_and_it_comes_back(bench: Bench) -> None:
    hooks = bench.repo.path / ".git/hooks"
    theirs = '#!/bin/sh\n# LEFTHOOK\nprintf "\\nX-Id: 7\\n" >> "$1"\n'
    script(bench, ".git/hooks/prepare-commit-msg", theirs)
    hook(bench, "install")
    (hooks / "prepare-commit-msg").rename(hooks / "prepare-commit-msg.old")
    script(bench, ".git/hooks/prepare-commit-msg", theirs + "# newer\n")
    assert hook(bench, "status") == 4
    assert hook(bench, "install") == 0
    assert not (hooks / "prepare-commit-msg.old").exists()
    bench.repo.stage("b.py")
    git_commit(bench)
    assert bench.repo.message == f"{WRITTEN}\n\nX-Id: 7"
    hook(bench, "uninstall")
    assert (hooks / "prepare-commit-msg").read_text() == theirs + "# newer\n"


def test_a_folder_that_others_use_is_asked_for(bench: Bench, tmp_path: Path) -> None:
    shared = tmp_path / "our hooks"
    bench.repo.git("config", "core.hooksPath", str(shared))
    assert hook(bench, "install") == 2
    assert not shared.exists()
    assert hook(bench, "install", "--shared") == 0
    bench.repo.stage("b.py")
    git_commit(bench)
    assert bench.repo.message == WRITTEN
    hook(bench, "uninstall")
    assert not shared.exists()


def test_worktree_and_submodule(bench: Bench, tmp_path: Path) -> None:
    other = tmp_path / "other tree"
    bench.repo.git("worktree", "add", "-q", "-b", "other", str(other))
    bench.repo = Repo(other)
    hook(bench, "install")
    assert (tmp_path / "repo/.git/hooks/prepare-commit-msg").exists()
    bench.repo.stage("b.py")
    git_commit(bench)
    assert bench.repo.message == WRITTEN

    inner = new_repo(tmp_path / "inner")
    inner.commit(x="1\n")
    outer = Repo(tmp_path / "repo")
    add = ("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.path), "sub")
    outer.git(*add)
    bench.repo = Repo(outer.path / "sub")
    hook(bench, "install")
    assert (outer.path / ".git/modules/sub/hooks/prepare-commit-msg").exists()
    bench.repo.stage("c.py")
    git_commit(bench)
    assert bench.repo.message == WRITTEN


def test_without_a_repository(bench: Bench, tmp_path: Path) -> None:
    bench.folder = tmp_path
    assert hook(bench, "install") == 2
    bench.folder = new_repo(tmp_path / "bare", "--bare").path
    assert hook(bench, "install") == 2


def test_a_program_whose_path_has_spaces(bench: Bench) -> None:
    from aircher.workspace.hooks import HookFiles

    real = Path(shutil.which("aircher") or "")
    link = bench.home / 'it\'s a "place"' / "aircher"
    link.parent.mkdir()
    link.symlink_to(Path(os.sys.executable).with_name("aircher") if not real.name else real)
    HookFiles(bench.repo.path).install(str(link), after=False, shared=False)
    assert HookFiles(bench.repo.path).status().program_found
    bench.repo.stage("b.py")
    git_commit(bench)
    assert bench.repo.message == WRITTEN
