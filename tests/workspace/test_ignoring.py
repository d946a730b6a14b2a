"""Ignore files: one answer for completion, attachments and diffs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aircher.domain.errors import UsageError
from aircher.domain.messages import Document
from aircher.workspace.folder import Folder
from aircher.workspace.ignoring import Ignores

pytestmark = pytest.mark.security


def tree(root: Path, files: dict[str, str]) -> Folder:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Folder(root)


@pytest.mark.parametrize(
    ("files", "ignored", "open_"),
    [
        ({".aircherignore": "*.secret\n"}, ["a.secret", "deep/b.secret"], ["a.txt"]),
        ({".aiignore": "private/\n"}, ["private/a.txt", "x/private/b"], ["private"]),
        ({".aircherignore": "/top.txt\n"}, ["top.txt"], ["deep/top.txt"]),
        ({".aircherignore": "*.log\n!keep.log\n"}, ["a.log"], ["keep.log", "deep/keep.log"]),
        ({".aircherignore": "a/**/z\n"}, ["a/z", "a/b/c/z"], ["z"]),
        ({"sub/.aiignore": "x.txt\n"}, ["sub/x.txt", "sub/more/x.txt"], ["x.txt"]),
        ({".aiignore": "*.txt\n", "sub/.aiignore": "!x.txt\n"}, ["x.txt", "sub/y.txt"], ["sub/x.txt"]),
        ({".aiignore": "sub/\n", "sub/.aiignore": "!x.txt\n"}, ["sub/x.txt"], ["x.txt"]),
        ({".aircherignore": "# no\n\n\\#yes\n"}, ["#yes"], ["no", "# no"]),
        ({".aircherignore": "a.txt\n", ".aiignore": "b.txt\n"}, ["a.txt", "b.txt"], ["c.txt"]),
        ({}, [], ["a.txt", "deep/b.secret"]),
    ],
)  # fmt: skip
def test_patterns_hold_as_in_gitignore(
    tmp_path: Path, files: dict[str, str], ignored: list[str], open_: list[str]
) -> None:
    folder = tree(tmp_path, files)
    assert [path for path in ignored if not folder.ignored(path)] == []
    assert [path for path in open_ if folder.ignored(path)] == []
    ignores = Ignores(tmp_path)
    assert list(ignores.without([*ignored, *open_])) == open_


def test_an_ignored_file_is_not_attached_by_any_name(tmp_path: Path) -> None:
    folder = tree(tmp_path, {".aiignore": "private/\n", "private/a.txt": "x", "b.txt": "y"})
    (tmp_path / "link.txt").symlink_to(tmp_path / "private" / "a.txt")
    for name in ("private/a.txt", "./private/../private/a.txt", "link.txt",
                 os.fspath(tmp_path / "private" / "a.txt")):  # fmt: skip
        with pytest.raises(UsageError, match="is ignored by"):
            folder.attach(name)
    assert folder.attach("b.txt") == Document("b.txt", "text/plain", b"y")


def test_an_ignored_file_is_not_offered(tmp_path: Path) -> None:
    folder = tree(tmp_path, {".aiignore": "private/\n", "private/plan.txt": "x", "plan.txt": "y"})
    assert list(folder.find("plan")) == ["plan.txt"]


def test_a_change_of_the_ignore_file_counts_at_once(tmp_path: Path) -> None:
    folder = tree(tmp_path, {"a.txt": "x"})
    assert not folder.ignored("a.txt")
    (tmp_path / ".aircherignore").write_text("a.txt\n")
    assert folder.ignored("a.txt")
    (tmp_path / ".aircherignore").unlink()
    assert not folder.ignored("a.txt")


def test_a_file_below_is_named_from_the_root_wherever_the_user_stands(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.txt").write_text("x")
    part = Folder(tmp_path / "deep").attach("a.txt")
    assert isinstance(part, Document)
    assert part.name == "deep/a.txt"
