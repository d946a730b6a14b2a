"""What of a diff is shown, what stands for the rest, and the messages that rules make of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.domain.changes import Changes, FileChange, Hunk
from aircher.policy.commit.fit import batches, fit
from aircher.policy.commit.kinds import area_of, is_lock
from aircher.policy.commit.plain import scope_of, several, subject_of, type_of
from aircher.workspace.repository import GitRepository
from aircher.workspace.rule_files import read_rule_files
from tests.support.repository import Repo, new_repo


def words(text: str) -> int:
    return len(text.split())


def changed(path: str, *lines: str, status: str = "modified") -> FileChange:
    raw = tuple(line.encode() for line in lines)
    added = sum(line.startswith("+") for line in lines)
    removed = sum(line.startswith("-") for line in lines)
    hunk = Hunk(b"@@ -1 +1 @@ def around():", raw, 1, 1, 1, 1)
    hunks = (hunk,) if raw else ()
    return FileChange(path, status, added=added, removed=removed, hunks=hunks)  # type: ignore[arg-type] - test shorthand


CODE = changed("src/core.py", "-old = 1", "+def important():", "+    return 1")
DOCS = changed("README.md", *(f"+words about thing number {n}" for n in range(400)))
DATA = changed("rows.json", *(f'+{{"row": {n}}}' for n in range(900)))


def test_all_of_a_small_diff_is_shown() -> None:
    fitted = fit(Changes((CODE,)), 1000, words)
    assert fitted.cuts == ()
    assert "+def important():" in fitted.text
    assert "@@ line 1 def around():" in fitted.text


def test_code_is_kept_and_data_gives_way() -> None:
    fitted = fit(Changes((DATA, DOCS, CODE)), 400, words)
    assert "+def important():" in fitted.text
    assert any("rows.json" in cut for cut in fitted.cuts)
    assert any("README.md" in cut for cut in fitted.cuts)
    assert "[...]" in fitted.text
    assert fitted.text.index("rows.json") < fitted.text.index("README.md")  # in git's order


@given(st.integers(0, 400), st.integers(1, 60), st.integers(0, 80))
def test_a_diff_never_outgrows_its_room_by_much(room: int, files: int, lines: int) -> None:
    made = [
        changed(f"d{n % 5}/f{n}.py", *(f"+value {i}" for i in range(lines))) for n in range(files)
    ]
    fitted = fit(Changes(tuple(made)), room, words)
    assert words(fitted.text) <= room * 1.2 + 40
    if fitted.cuts == ():
        for file in made:
            assert file.path in fitted.text


@given(st.lists(st.integers(1, 300), min_size=1, max_size=30), st.integers(1, 6))
def test_parts_hold_every_file_once(sizes: list[int], most: int) -> None:
    files = tuple(
        changed(f"f{n}.py", *(f"+x {i}" for i in range(size))) for n, size in enumerate(sizes)
    )
    parts = batches(Changes(files), 200, words, most)
    assert len(parts) <= most
    assert tuple(file for part in parts for file in part.files) == files


def test_areas() -> None:
    areas = {
        "src/a.py": "code", "tests/test_a.py": "test", "docs/x.md": "docs", "README": "docs",
        ".github/workflows/ci.yml": "ci", "pyproject.toml": "build", "requirements.txt": "build",
        "settings.toml": "config", "rows.csv": "data", "a/b_test.go": "test", "Makefile": "build",
    }  # fmt: skip
    assert {path: area_of(path) for path in areas} == areas
    assert is_lock("web/package-lock.json")
    assert not is_lock("lock.py")


# -- rules, on real repositories


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = new_repo(tmp_path / "repo")
    made.stage(
        "src/api/users.py",
        "def get(id):\n    return id\n\n\ndef other():\n    a = 1\n    b = 2\n    c = 3\n    return a\n",
    )
    made.stage("docs/guide.md", "# Guide\n\ntext\n")
    made.stage("app.toml", "name = 1\nsize = 2\n")
    made.git("commit", "-qm", "Begin")
    return made


def by_rules(repo: Repo) -> tuple[str, str, str]:
    changes = GitRepository(repo.path).staged()
    return type_of(changes), scope_of(changes), subject_of(changes)


def move(repo: Repo) -> None:
    (repo.path / "lib").mkdir()
    repo.git("mv", "src/api/users.py", "lib/users.py")


USERS = "src/api/users.py"
BODY = (
    "def get(id):\n    return id\n\n\ndef other():\n    a = 1\n    b = 2\n    c = 3\n    return a\n"
)
ARRANGED = {
    "new file": (lambda r: r.stage("src/api/posts.py"), ("feat", "api", "Add posts.py")),
    "new function": (lambda r: r.stage(USERS, BODY + "\n\ndef add(x):\n    return x\n"), ("feat", "api", "Add add to users.py")),
    "function gone": (lambda r: r.stage(USERS, BODY[: BODY.index("def other")]), ("chore", "api", "Remove other from users.py")),
    "inside a function": (lambda r: r.stage(USERS, BODY.replace("return a", "return b")), ("chore", "api", "Change other in users.py")),
    "file gone": (lambda r: r.git("rm", "-q", USERS), ("refactor", "api", "Remove users.py")),
    "moved": (move, ("refactor", "users", "Move users.py to lib")),
    "renamed": (lambda r: r.git("mv", USERS, "src/api/people.py"), ("refactor", "api", "Rename users.py to people.py")),
    "heading": (lambda r: r.stage("docs/guide.md", "# Guide\n\ntext\n\n## Limits\n"), ("docs", "docs", "Add Limits to guide.md")),
    "setting": (lambda r: r.stage("app.toml", "name = 1\nsize = 3\n"), ("chore", "", "Set size in app.toml")),
    "white space": (lambda r: r.stage(USERS, BODY.replace("    ", "  ")), ("refactor", "api", "Reformat users.py")),
    "with its test": (lambda r: (r.stage("src/api/posts.py"), r.stage("tests/test_posts.py")), ("feat", "api", "Add posts.py")),
    "lock file": (lambda r: r.stage("Cargo.lock", "x\n"), ("build", "", "Add Cargo.lock")),
    "a package": (lambda r: [r.stage(f"src/shop/{n}.py", f"def {n}a(): ...\ndef {n}b(): ...\n") for n in ("__init__", "cart", "till")], ("feat", "shop", "Add shop to src")),
    "many new names": (lambda r: [r.stage(f"src/shop/{n}.py", f"def {n}a(): ...\ndef {n}b(): ...\n" * m) for m, n in ((1, "cart"), (2, "till"))], ("feat", "shop", "Add till.py and cart.py to shop")),
    "a class with methods": (lambda r: r.stage(USERS, BODY + "\n\nclass Users:\n    def all(self): ...\n    def one(self): ...\n"), ("feat", "api", "Add Users to users.py")),
    "several": (lambda r: [r.stage(f"src/api/f{n}.txt", "x\n") for n in range(5)], ("docs", "api", "Add 5 files in src/api")),
}  # fmt: skip


@pytest.mark.parametrize("name", ARRANGED)
def test_rules_say_what_happened(repo: Repo, name: str) -> None:
    arrange, wanted = ARRANGED[name]
    arrange(repo)
    assert by_rules(repo) == wanted
    assert by_rules(repo) == wanted  # the same again


def test_a_branch_names_the_type(repo: Repo) -> None:
    repo.stage(USERS, BODY.replace("return a", "return b"))
    changes = GitRepository(repo.path).staged()
    assert type_of(changes, "bugfix/wrong-name") == "fix"
    assert type_of(changes, "feature/x") == "feat"
    assert type_of(changes, "main") == "chore"


# -- files with rules for messages

FILES = {
    ".commitlintrc": "rules:\n  header-max-length: [2, always, 60]\n",
    ".commitlintrc.json": '{"rules": {"header-max-length": [2, "always", 60]}}',
    "commitlint.config.js": "// rules: {'header-max-length': [2, 'always', 9]}\nmodule.exports = {\n  extends: ['@commitlint/config-conventional'],\n  rules: { 'header-max-length': [2, 'always', 60,], 'type-enum': [2, 'always', types()] },\n};\n",
    "package.json": '{"name": "x", "commitlint": {"rules": {"header-max-length": [2, "always", 60]}}}',
}


@pytest.mark.parametrize("name", FILES)
def test_rule_files_are_read_and_never_run(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(FILES[name])
    (found,), unreadable = read_rule_files(tmp_path)
    assert (found.kind, found.path, unreadable) == ("commitlint", name, ())
    rules = found.values["rules"]
    assert isinstance(rules, dict)
    assert rules["header-max-length"] == [2, "always", 60]


def test_files_that_say_nothing_or_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "x"}')
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\n")
    assert read_rule_files(tmp_path) == ((), ())
    (tmp_path / ".commitlintrc.json").write_text("{")
    (tmp_path / "commitlint.config.js").write_text("module.exports = require('./rules')()\n")
    (tmp_path / ".gitlint").write_text("[title-max-length]\nline-length=50\n")
    found, unreadable = read_rule_files(tmp_path)
    assert [file.kind for file in found] == ["gitlint"]
    assert unreadable == (".commitlintrc.json", "commitlint.config.js")


def test_rules_name_the_most_changed_files_first(repo: Repo) -> None:
    rows = {"a.txt": 1, "b.txt": 9, "one/c.txt": 5, "two/c.txt": 3}
    for name, lines in rows.items():
        repo.stage(name, "before\n" * lines)
    repo.git("commit", "-qm", "Add rows")
    for name, lines in rows.items():
        repo.stage(name, "after\n" * lines)
    assert by_rules(repo)[2] == "Update b.txt, one/c.txt, two/c.txt and 1 more"


def test_one_file_is_never_spoken_of_in_the_plural(repo: Repo) -> None:
    repo.stage("app.toml", "name = 1\nsize = 3\n")
    changes = GitRepository(repo.path).staged()
    said = [draft.subject for draft in several(changes, 5)]
    assert said == ["Set size in app.toml", "Update app.toml"]
