"""Which files the user has open or just saved: a hint for detection, and never worth a wait.

Read are names only: of changed files saved within some minutes, of Vim's and Neovim's swap files,
and, inside a terminal of Neovim ($NVIM), of its buffers, asked over msgpack-rpc.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

RECENT_S = 600.0
"""A file saved so lately counts as open."""

NVIM_TIMEOUT_S = 0.04
"""For all of the exchange with Neovim; a busy editor is left alone."""

MOST = 20
_FOLDERS = 30
_ANSWER_BYTES = 64 * 1024

_EXPRESSION = (
    "json_encode(map(getbufinfo({'buflisted': 1}), {_, b -> [b.name, empty(b.windows) ? 0 : 1]}))"
)


def open_files(root: Path, cwd: Path, changed: Iterable[str], nvim: str = "") -> tuple[str, ...]:
    """Paths below ``root``, relative to it, the surest first; ``nvim`` is $NVIM's value.

    Takes some milliseconds, at most ``NVIM_TIMEOUT_S`` more; blocking, so in a worker.
    """
    paths = list(changed)[:50]
    found = [*_buffers(nvim), *_swapped(root, cwd, paths), *_saved(root, paths)]
    below = (path for one in found if (path := _below(root, one)))
    return tuple(dict.fromkeys(below))[:MOST]


def _below(root: Path, path: str) -> str:
    absolute = os.path.normpath(os.path.join(root, path))
    inside = os.path.relpath(absolute, root)
    return "" if inside.startswith("..") or inside == "." else Path(inside).as_posix()


def _saved(root: Path, changed: Iterable[str]) -> Iterator[str]:
    """Changed files by the time of their last save, the newest first."""
    now = time.time()
    times = []
    for path in changed:
        try:
            saved = (root / path).stat().st_mtime
        except (OSError, ValueError):
            continue
        if 0 <= now - saved <= RECENT_S:
            times.append((saved, path))
    yield from (path for _, path in sorted(times, reverse=True))


def _swapped(root: Path, cwd: Path, changed: Iterable[str]) -> Iterator[str]:
    """Files with a swap file beside them (".name.swp"), or in Neovim's folder for all of them."""
    folders = dict.fromkeys([cwd, root, *((root / path).parent for path in changed)])
    for folder in list(folders)[:_FOLDERS]:
        for name in _names(folder):
            if name.startswith(".") and name[-4:-1] == ".sw" and len(name) > 5:
                path = folder / name[1:-4]
                if path.is_file():
                    yield os.fspath(path)
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    for name in _names(Path(state) / "nvim" / "swap"):
        path = Path(name[:-4].replace("%", "/"))
        if name[-4:-1] == ".sw" and path.is_file():
            yield os.fspath(path)


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for _, entry in zip(range(2_000), entries, strict=False)]
    except OSError:
        return []


def _buffers(nvim: str) -> list[str]:
    """Neovim's listed buffers, those in a window first; [] where it does not answer in time."""
    try:
        if not nvim or not _ours(nvim):
            return []
        with socket.socket(socket.AF_UNIX) as line:
            answer = _asked(line, nvim, time.monotonic() + NVIM_TIMEOUT_S)
        buffers = [one for one in json.loads(answer) if one[0]]
        return [str(name) for name, shown in sorted(buffers, key=lambda one: -one[1])]
    except (OSError, ValueError, TypeError, IndexError, AttributeError):
        return []  # no editor, a busy one, or one that speaks otherwise


def _ours(nvim: str) -> bool:
    """A socket of this user: who else may listen there is not asked."""
    facts = os.lstat(nvim)
    return stat.S_ISSOCK(facts.st_mode) and facts.st_uid == os.geteuid()


def _asked(line: socket.socket, address: str, deadline: float) -> str:
    """The expression's value; msgpack-rpc: [0, id, method, params] -> [1, id, error, result]."""
    line.settimeout(NVIM_TIMEOUT_S)
    line.connect(address)
    method, text = b"nvim_eval", _EXPRESSION.encode()
    line.sendall(
        b"\x94\x00\x01" + bytes([0xA0 | len(method)]) + method
        + b"\x91\xda" + len(text).to_bytes(2, "big") + text
    )  # fmt: skip
    data = b""
    while (value := _result(data)) is None:
        left = deadline - time.monotonic()
        if left <= 0 or len(data) > _ANSWER_BYTES:
            raise TimeoutError
        line.settimeout(left)
        more = line.recv(65_536)
        if not more:
            raise ConnectionError
        data += more
    return value


def _result(data: bytes) -> str | None:
    """The text in an answer; None while it is not whole.  Raises ``ValueError`` for another one."""
    if len(data) < 5:
        return None
    if data[:4] != b"\x94\x01\x01\xc0":
        raise ValueError("not the answer to the question")
    kind = data[4]
    width = {0xD9: 1, 0xDA: 2, 0xDB: 4}.get(kind, 0)
    if not width and kind >> 5 != 0b101:
        raise ValueError("not a text")
    start = 5 + width
    size = int.from_bytes(data[5:start], "big") if width else kind & 0x1F
    if len(data) < start or len(data) < start + size:
        return None
    return data[start : start + size].decode(errors="replace")
