"""The parent's side of the model's process: start it, know its address, end it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import IO

from aircher.domain.classes import dataclass
from aircher.domain.errors import ModelNotFound, TimedOut
from aircher.domain.inert import inert
from aircher.providers.local.model import FETCH_HINT, RUNTIME_HINT, has_runtime
from aircher.providers.local.server import Setup

START_LIMIT_S = 30.0
"""Loading takes 0.6 s for the built-in model, and some seconds for a large file."""

_STOP_LIMIT_S = 2.0
_RING_LINES = 40
# The child needs none of the user's keys, so it is given none of the other variables.
_PASSED_ON = frozenset(
    {
        *("PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TEMP", "TMP"),
        *("SYSTEMROOT", "WINDIR", "COMSPEC", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
        *("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"),
    }
)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What to load: its name in requests, its file, its window in tokens."""

    name: str
    path: Path
    context: int
    builtin: bool


class Child:
    """A running model.  Made by ``start``."""

    def __init__(
        self, process: subprocess.Popen[bytes], setup: Setup, url: str, ring: Ring
    ) -> None:
        self._process = process
        self._ring = ring
        self.url = url
        self.key = setup.key

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """False once the process has ended."""
        return self._process.poll() is None

    def ended(self, within_s: float) -> bool:
        """True when it has ended, or does so in that time.  Blocks: call it in a thread."""
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def last_words(self) -> str:
        """The last thing it wrote to stderr, one line."""
        return self._ring.last()

    def stop(self) -> None:
        """Ends it; closing its stdin is the signal, a kill the last resort."""
        if self._process.stdin:
            self._process.stdin.close()
        _end(self._process)


class Ring:
    """Reads a stream in a thread and keeps its last lines, so that the pipe never fills up."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._lines: deque[str] = deque(maxlen=_RING_LINES)
        self._stream = stream
        self._thread = threading.Thread(target=self._read, daemon=True, name="local-model-stderr")
        self._thread.start()

    def _read(self) -> None:
        with self._stream as stream:
            for line in stream:
                if text := inert(line.decode("utf-8", "replace")).strip():
                    self._lines.append(text)

    def first_error(self) -> str:
        """What went wrong first: the rest follows from it.  The last line if nothing is marked."""
        lines = self._settled()
        errors = [line.split(" E ", 1)[1] for line in lines if " E " in line]
        return _short((errors or lines[-1:] or [""])[0])

    def last(self) -> str:
        """The last line; "" if there is none."""
        return _short((self._settled() or [""])[-1])

    def _settled(self) -> list[str]:
        self._thread.join(timeout=0.2)  # what a dying process wrote may be on its way
        return list(self._lines)


def _short(line: str) -> str:
    return " ".join(line.split())[:300].rstrip(".")


def start(model: ModelFile, threads: int, idle_s: int) -> Child:
    """Starts the process and waits until the model is loaded.  Blocks: call it in a thread.

    Raises ``ModelNotFound`` where the file or xllamacpp is missing or the file cannot be
    loaded, ``TimedOut`` after ``START_LIMIT_S``.
    """
    check(model)
    setup = Setup(
        path=str(model.path),
        alias=model.name,
        key=secrets.token_urlsafe(32),
        context=model.context,
        threads=threads,
        idle_s=idle_s,
        small_cache=model.builtin,
    )
    process = subprocess.Popen(
        # -P: the current folder may be anyone's, nothing is imported from it.
        [sys.executable, "-P", "-m", "aircher.providers.local.server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if name in _PASSED_ON},
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    ring = Ring(process.stderr)
    late = threading.Timer(START_LIMIT_S, process.kill)
    late.start()
    try:
        process.stdin.write(setup.line())
        process.stdin.flush()
        line = process.stdout.readline()
    except BrokenPipeError:
        line = b""
    finally:
        timed_out = not late.is_alive()
        late.cancel()
        process.stdout.close()
    if line:
        return Child(process, setup, json.loads(line)["url"], ring)
    _end(process)
    if timed_out:
        raise TimedOut(f"{model.name} was not loaded within {START_LIMIT_S:.0f} s.")
    raise ModelNotFound(
        f"{model.name} cannot be loaded: {ring.first_error() or 'its process ended'}.",
        hint="Check the file with: aircher local status" if model.builtin else "",
    )


def check(model: ModelFile) -> None:
    """Raises ``ModelNotFound``, with the command that helps, if the model cannot be started."""
    if not model.path.is_file():
        raise (
            ModelNotFound("The built-in model is not on this machine yet.", hint=FETCH_HINT)
            if model.builtin
            else ModelNotFound(f"There is no model file {model.path}.")
        )
    if not has_runtime():
        raise ModelNotFound(
            "xllamacpp, which runs models on this machine, is not installed.", hint=RUNTIME_HINT
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin:
        process.stdin.close()
