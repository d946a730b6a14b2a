from __future__ import annotations

import os
from pathlib import Path

import pytest

from aircher.domain.errors import UsageError
from aircher.domain.messages import Document, Image
from aircher.workspace.attach import MOST_BYTES
from aircher.workspace.folder import Folder


@pytest.mark.parametrize(
    ("name", "data", "part"),
    [
        ("a.py", b"print()\n", Document("a.py", "text/plain", b"print()\n")),
        ("a.MD", b"# x", Document("a.MD", "text/markdown", b"# x")),
        ("none", b"", Document("none", "text/plain", b"")),
        ("bom.txt", b"\xef\xbb\xbf\xc3\xbc", Document("bom.txt", "text/plain", b"\xc3\xbc")),
        ("le.csv", "ü,1".encode("utf-16"), Document("le.csv", "text/csv", b"\xc3\xbc,1")),
        ("be", b"\xfe\xff\x00\xfc", Document("be", "text/plain", b"\xc3\xbc")),
        ("odd", b"\xff\xfe\x00\xd8", Document("odd", "text/plain", b"\xef\xbf\xbd")),
        ("latin", b"caf\xe9", Document("latin", "text/plain", b"caf\xc3\xa9")),
        ("x.pdf", b"%PDF-1.7 \0", Document("x.pdf", "application/pdf", b"%PDF-1.7 \0")),
        ("png.txt", b"\x89PNG\r\n\x1a\n\0", Image("image/png", b"\x89PNG\r\n\x1a\n\0")),
        ("x.jpg", b"\xff\xd8\xff\xe0", Image("image/jpeg", b"\xff\xd8\xff\xe0")),
        ("x.gif", b"GIF89a\0", Image("image/gif", b"GIF89a\0")),
        ("x.webp", b"RIFF\0\0\0\0WEBP", Image("image/webp", b"RIFF\0\0\0\0WEBP")),
    ],
)
def test_kinds_are_told_by_their_bytes(
    tmp_path: Path, name: str, data: bytes, part: Document | Image
) -> None:
    (tmp_path / name).write_bytes(data)
    assert Folder(tmp_path).attach(name) == part


def refusal(folder: Path, path: str) -> UsageError:
    with pytest.raises(UsageError) as refused:
        Folder(folder).attach(path)
    return refused.value


def test_what_cannot_be_attached_says_why(tmp_path: Path) -> None:
    (tmp_path / "tool.exe").write_bytes(b"MZ\0\0")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "notes.txt").touch()
    (tmp_path / "loop").symlink_to("loop")
    assert "neither text nor an image nor a PDF" in refusal(tmp_path, "tool.exe").message
    assert "not a plain file" in refusal(tmp_path, "pipe").message
    assert "not a plain file" in refusal(tmp_path, "/dev/null").message
    assert "is a folder" in refusal(tmp_path, ".").message
    missing = refusal(tmp_path, "note.txt")
    assert missing.message == "There is no file note.txt."
    assert missing.hint == "Did you mean notes.txt?"
    assert "There is no file" in refusal(tmp_path, "notes.txt/x").message
    assert "There is no file" in refusal(tmp_path, "~nobody-here/x").message
    assert "cannot be read" in refusal(tmp_path, "a\0b").message
    assert "cannot be read" in refusal(tmp_path, "loop").message
    assert "cannot be read" in refusal(tmp_path, "x" * 5000).message
    assert "\x1b" not in refusal(tmp_path, "\x1b]0;x\x07").message


def test_ten_megabytes_and_no_more(tmp_path: Path) -> None:
    file = tmp_path / "big.txt"
    file.write_bytes(b"x" * MOST_BYTES)
    assert isinstance(Folder(tmp_path).attach("big.txt"), Document)
    file.write_bytes(b"x" * (MOST_BYTES + 1))
    assert "larger than 10 MB" in refusal(tmp_path, "big.txt").message


def test_paths_are_taken_from_here_then_from_the_root_then_from_home(
    tree: Path, home: Path
) -> None:
    (tree / "sub").mkdir()
    (tree / "top.txt").write_text("top")
    (tree / "both.txt").write_text("root's")
    (tree / "sub" / "both.txt").write_text("here")
    (home / "mine.txt").write_text("mine")
    folder = Folder(tree / "sub")
    for path, text in [
        ("top.txt", b"top"),
        ("both.txt", b"here"),
        ("sub/both.txt", b"here"),
        ("~/mine.txt", b"mine"),
        (str(home / "mine.txt"), b"mine"),
    ]:
        part = folder.attach(path)
        assert isinstance(part, Document)
        assert part.data == text
