"""Open files: saved just now, swap files, Neovim's buffers over real msgpack-rpc bytes."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from aircher.workspace import editors
from aircher.workspace.editors import open_files
from aircher.workspace.folder import EDITORS_TIMEOUT_S, Folder


@pytest.fixture(autouse=True)
def no_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("NVIM", raising=False)


def test_changed_files_count_while_they_are_fresh(tmp_path: Path) -> None:
    (tmp_path / "new.py").touch()
    (tmp_path / "old.py").touch()
    long_ago = time.time() - editors.RECENT_S - 5
    os.utime(tmp_path / "old.py", (long_ago, long_ago))
    assert open_files(tmp_path, tmp_path, ["old.py", "new.py", "gone.py"]) == ("new.py",)


def test_swap_files_beside_and_in_neovims_folder(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    for name in ("a.py", "src/b.py", "c.py"):
        (tmp_path / name).touch()
    (tmp_path / ".a.py.swp").touch()
    (tmp_path / ".gone.py.swp").touch()
    swap = tmp_path / "state" / "nvim" / "swap"
    swap.mkdir(parents=True)
    (swap / (str(tmp_path / "src" / "b.py").replace("/", "%") + ".swp")).touch()
    (swap / "%etc%passwd.swp").touch()
    assert open_files(tmp_path, tmp_path, ()) == ("a.py", "src/b.py")


Serve = Callable[[bytes | None], str]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """An editor that reads one request and answers with these bytes; with None, never."""

    def start(answer: bytes | None) -> str:
        path = str(tmp_path / "nvim.sock")
        door = socket.socket(socket.AF_UNIX)
        door.bind(path)
        door.listen()

        def run() -> None:
            line, _ = door.accept()
            with line, door, contextlib.suppress(OSError):  # the other side may be gone
                talk(line)

        def talk(line: socket.socket) -> None:
            asked = line.recv(4_096)
            assert asked.startswith(b"\x94\x00\x01\xa9nvim_eval\x91\xda")
            if answer is None:
                line.recv(1)  # until the other side gives up
            else:
                for piece in (answer[:7], answer[7:]):
                    line.sendall(piece)

        threading.Thread(target=run, daemon=True).start()
        return path

    return start


def packed(value: object) -> bytes:
    text = json.dumps(value).encode()
    return b"\x94\x01\x01\xc0\xda" + len(text).to_bytes(2, "big") + text


def test_neovims_buffers_the_shown_first(tmp_path: Path, serve: Serve) -> None:
    buffers = [
        [str(tmp_path / "hidden.py"), 0],
        [str(tmp_path / "shown.py"), 1],
        ["", 1],
        ["/etc/hosts", 1],
    ]
    nvim = serve(packed(buffers))
    assert open_files(tmp_path, tmp_path, (), nvim) == ("shown.py", "hidden.py")


@pytest.mark.parametrize(
    "answer",
    [b"", b"\x94\x01\x01\xa5error\xc0", b"\x94\x01\x01\xc0\xc3", packed({"a": 1}), b"junk" * 9],
)
def test_an_editor_that_speaks_otherwise_is_nothing(
    tmp_path: Path, serve: Serve, answer: bytes
) -> None:
    assert open_files(tmp_path, tmp_path, (), serve(answer)) == ()


async def test_a_silent_editor_does_not_hold_a_turn_up(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NVIM", serve(None))
    began = time.monotonic()
    assert list(await Folder(tmp_path).open_files()) == []
    assert time.monotonic() - began < EDITORS_TIMEOUT_S + 0.2  # the machine may be busy


def test_a_path_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert open_files(tmp_path, tmp_path, (), str(tmp_path / "file")) == ()
    assert open_files(tmp_path, tmp_path, (), "127.0.0.1:6666") == ()


async def test_open_files_are_looked_for_once_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("aircher.workspace.folder.time", SimpleNamespace(monotonic=lambda: now))
    folder = Folder(tmp_path)
    (tmp_path / "first.py").touch()
    assert list(await folder.open_files(["first.py"])) == ["first.py"]
    (tmp_path / "first.py").unlink()
    now += 0.9
    assert list(await folder.open_files(["first.py"])) == ["first.py"]
    assert list(await folder.open_files(["first.py", "second.py"])) == []  # another question
    (tmp_path / "first.py").touch()
    now += 1.1
    assert list(await folder.open_files(["first.py", "second.py"])) == ["first.py"]
