"""The real program without its start: a server that has read the code, and forks for each run.

A run is a process of its own (signals, limits, environment, streams), and is over in a tenth of
the time.  Where the start matters too, run ``python -m aircher`` instead (``program.run``).
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import pkgutil
import resource
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aircher.providers import dialects
from tests.support.program import AIRCHER

_ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Run:
    """A run under way; its streams are files."""

    pid: int
    out: Path
    err: Path
    end: asyncio.Future[int]

    async def ended(self, timeout: float = 90.0) -> int:
        """The exit code; negative for a signal."""
        try:
            async with asyncio.timeout(timeout):
                return await self.end
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            raise

    @property
    def over(self) -> bool:
        return self.end.done()


class Warm:
    """A client of the running server."""

    def __init__(self, path: Path, folder: Path) -> None:
        self._path, self._folder, self._number = path, folder, 0

    async def start(
        self,
        *words: str,
        env: Mapping[str, str],
        cwd: Path,
        limits: Mapping[int, int] | None = None,
        out: Path | None = None,
        cold: bool = False,
        command: Sequence[str] = (),
    ) -> Run:
        """Begins a run; ``limits`` are resource.RLIMIT_* -> value; ``out`` where stdout goes.

        ``cold``: not forked, but started as users start it (by ``command``).
        """
        self._number += 1
        stem = self._folder / f"run-{self._number}"
        out, err = out or stem.with_suffix(".out"), stem.with_suffix(".err")
        for file in (out, err):
            file.touch()
        pairs = list((limits or {}).items())
        if cold or command:
            return await _cold((*(command or AIRCHER), *words), env, cwd, pairs, out, err)
        reader, writer = await asyncio.open_unix_connection(str(self._path))
        asked = {
            "words": words, "env": dict(env), "cwd": str(cwd), "out": str(out), "err": str(err),
            "limits": pairs,
        }  # fmt: skip
        writer.write(json.dumps(asked).encode() + b"\n")
        pid = int(json.loads(await reader.readline())["pid"])

        async def end() -> int:
            line = await reader.readline()
            writer.close()
            return int(json.loads(line)["code"])

        return Run(pid, out, err, asyncio.ensure_future(end()))


async def _cold(
    command: Sequence[str],
    env: Mapping[str, str],
    cwd: Path,
    limits: Sequence[tuple[int, int]],
    out: Path,
    err: Path,
) -> Run:
    def limit() -> None:
        for kind, value in limits:
            resource.setrlimit(kind, (value, value))

    with open(out, "ab") as to, open(err, "wb") as told:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=to, stderr=told, env=dict(env),
            cwd=cwd, preexec_fn=limit if limits else None,
        )  # fmt: skip
    return Run(process.pid, out, err, asyncio.ensure_future(process.wait()))


def launch(folder: Path) -> tuple[subprocess.Popen[str], Warm]:
    """Starts the server; returns its process, to be ended by ``kill``, and a client."""
    path = folder / "warm.sock"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.warm", str(path)],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "READY\n"
    return process, Warm(path, folder)


def _child(asked: dict[str, Any]) -> None:
    """Becomes the program; never returns."""
    code = 1
    try:
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(
                number,
                signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL,
            )
        signal.set_wakeup_fd(-1)
        os.environ.clear()
        os.environ.update(asked["env"])
        os.chdir(asked["cwd"])
        for target, path in ((0, os.devnull), (1, asked["out"]), (2, asked["err"])):
            flags = os.O_RDONLY if target == 0 else os.O_WRONLY | os.O_CREAT
            source = os.open(path, flags, 0o600)
            os.dup2(source, target)
            os.close(source)
        for kind, value in asked["limits"]:
            resource.setrlimit(kind, (value, value))
        # Open until the process ends.
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
        sys.argv = ["aircher", *asked["words"]]
        from aircher.entry import main

        code = main()
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 1
    except BaseException:
        with suppress(BaseException):
            sys.excepthook(*sys.exc_info())
    finally:
        with suppress(BaseException):
            sys.stdout.flush()
        with suppress(BaseException):
            sys.stderr.flush()
        os._exit(code)


def _read_the_code() -> None:
    """All that an ``ask`` imports, with every SDK."""
    for name in (
        "anthropic", "google.genai", "ollama", "openai", "aircher.entry", "aircher.cli.main",
        "aircher.cli.argv", "aircher.cli.ask", "aircher.cli.sessions", "aircher.bootstrap.compose",
        "aircher.catalog.prices", "genai_prices", "bpe_openai",
    ):  # fmt: skip
        importlib.import_module(name)
    for one in pkgutil.walk_packages(dialects.__path__, f"{dialects.__name__}."):
        importlib.import_module(one.name)


def _serve(path: str) -> None:
    _read_the_code()
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(64)
    wakeup, pipe = socket.socketpair()
    wakeup.setblocking(False)
    pipe.setblocking(False)
    signal.set_wakeup_fd(pipe.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    selector = selectors.DefaultSelector()
    selector.register(server, selectors.EVENT_READ)
    selector.register(wakeup, selectors.EVENT_READ)
    running: dict[int, socket.socket] = {}
    print("READY", flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj is wakeup:
                with suppress(BlockingIOError):
                    wakeup.recv(4096)
                _tell_ended(running)
                continue
            client, _ = server.accept()
            asked = json.loads(client.makefile("rb").readline())
            pid = os.fork()
            if pid == 0:
                for one in (server, client, wakeup, pipe, *running.values()):
                    one.close()
                _child(asked)
            running[pid] = client
            with suppress(OSError):
                client.sendall(json.dumps({"pid": pid}).encode() + b"\n")


def _tell_ended(running: dict[int, socket.socket]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        client = running.pop(pid)
        with suppress(OSError):
            client.sendall(json.dumps({"code": os.waitstatus_to_exitcode(status)}).encode() + b"\n")
        client.close()


if __name__ == "__main__":
    _serve(sys.argv[1])
