from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.workspace.folder import Folder
from aircher.workspace.fuzzy import find, index
from aircher.workspace.listing import Listing
from tests.workspace.conftest import Git

PATHS = [
    "README.md",
    "src/main.py",
    "src/domain/models.py",
    "src/domain/test_models.py",
    "src/models/base.py",
    "src/remodels.py",
    "docs/My Notes.txt",
    "src/m/o/d/e/l/s.txt",
]


@pytest.mark.parametrize(
    ("query", "best"),
    [
        (
            "models",
            [
                "src/domain/models.py",
                "src/domain/test_models.py",
                "src/remodels.py",
                "src/models/base.py",
                "src/m/o/d/e/l/s.txt",
            ],
        ),
        ("MODELS.PY", ["src/domain/models.py", "src/domain/test_models.py", "src/remodels.py"]),
        ("readme", ["README.md"]),
        ("smain", ["src/main.py", "src/domain/models.py"]),
        ("domain/mod", ["src/domain/models.py"]),
        ("./README", ["README.md"]),
        ("my notes", ["docs/My Notes.txt"]),
        ("zzz", []),
        ("[", []),
        (".*", []),
        ("\n", ["README.md"]),
    ],
)
def test_better_matches_come_first(query: str, best: list[str]) -> None:
    assert find(query, index(PATHS), 20)[: max(1, len(best))] == best


def test_an_empty_query_lists_the_shallowest(tmp_path: Path) -> None:
    assert find("", index(["a/b/c", "z", "a/b"]), 2) == ["z", "a/b"]


_names = st.text("abAB/.-_ \n^]\\ü", min_size=1, max_size=12)


@given(st.lists(_names, unique=True, max_size=20), st.text("abAB.-_^]\\ü", max_size=5))
def test_found_are_exactly_the_paths_with_the_letters_in_order(
    paths: list[str], query: str
) -> None:
    def holds(path: str) -> bool:
        letters = iter(path.lower())
        return all(letter in letters for letter in query.lower())

    found = find(query, index(paths), 99)
    assert sorted(found) == sorted(path for path in paths if holds(path))


def test_fifty_thousand_paths_are_searched_in_time() -> None:
    paths = index(
        [f"packages/part{n % 97}/source/module_{n}/Component{n}.tsx" for n in range(50_000)]
    )
    slowest = 0.0
    for query in ("c", "component4", "mod", "pkgcomp49", "source/module_77", "zzzz", "tsx"):
        times = []
        for _ in range(3):
            began = time.perf_counter()
            find(query, paths, 20)
            times.append(time.perf_counter() - began)
        slowest = max(slowest, min(times))
    assert slowest < 0.3  # ten times what it takes on a quiet machine


def test_ignored_files_are_left_out(tree: Path, git: Git) -> None:
    (tree / ".gitignore").write_text("*.log\nbuilt/\n")
    (tree / "built").mkdir()
    for name in ("a.log", "a.py", "built/a.py", "tracked.log"):
        (tree / name).touch()
    git("add", "-f", "tracked.log")
    assert set(Folder(tree).find("")) == {".gitignore", "a.py", "tracked.log"}


def test_outside_git_dull_folders_are_left_out(tmp_path: Path) -> None:
    for name in ("a.py", "node_modules/b.js", ".cache/c", "sub/d.py", "__pycache__/e.pyc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "sub" / "up").symlink_to(tmp_path)
    assert Folder(tmp_path).find("") == ["a.py", "sub/d.py"]


def test_a_new_file_is_found_once_the_list_is_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path)
    (tmp_path / "first").touch()
    assert folder.find("") == ["first"]
    (tmp_path / "second").touch()
    assert folder.find("") == ["first"]
    monkeypatch.setattr("aircher.workspace.listing.FRESH_FOR_S", 0.0)
    deadline = time.monotonic() + 5
    while folder.find("second") != ["second"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_slow_list_does_not_hold_up_the_first_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "aircher.workspace.listing.list_files", lambda root: time.sleep(0.6) or ["late"]
    )
    listing = Listing(tmp_path)
    began = time.monotonic()
    assert list(listing.get().paths) == []
    assert time.monotonic() - began < 0.5
    while not listing.get().paths:
        time.sleep(0.01)
    assert list(listing.get().paths) == ["late"]


def test_names_that_are_not_utf8_can_be_found(tmp_path: Path) -> None:
    name = os.fsdecode(b"odd-\xff")
    (tmp_path / name).touch()
    assert Folder(tmp_path).find("odd") == [name]
