"""The real program on a pseudo-terminal: every byte that it writes there."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import struct
import termios
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.support.program import AIRCHER

WAIT_S = 60.0


_CONTROL = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*\x07")


def words(output: bytes) -> bytes:
    """What was written without the controls: text only, places and colours lost."""
    return _CONTROL.sub(b"", output)


class OnPty:
    """A run whose standard streams are one pseudo-terminal; ``output`` is all it wrote so far."""

    def __init__(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        size: tuple[int, int] = (120, 36),
    ) -> None:
        self.words, self.cwd = words, cwd
        self.env = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **(env or {})}
        self.size = size
        self.output = bytearray()

    async def __aenter__(self) -> Self:
        self.master, slave = pty.openpty()
        self.resize(*self.size)
        self.process = await asyncio.create_subprocess_exec(
            *AIRCHER, *self.words, stdin=slave, stdout=slave, stderr=slave,
            env=self.env, cwd=self.cwd, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        os.set_blocking(self.master, False)
        self._changed = asyncio.Event()
        asyncio.get_running_loop().add_reader(self.master, self._read)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        self._stop()

    def _stop(self) -> None:
        if self.master >= 0:
            asyncio.get_running_loop().remove_reader(self.master)
            os.close(self.master)
            self.master = -1

    def _read(self) -> None:
        try:
            data = os.read(self.master, 65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.output += data
        else:
            asyncio.get_running_loop().remove_reader(self.master)
        self._changed.set()

    def resize(self, columns: int, rows: int) -> None:
        """Sets the window's size; the kernel tells the program."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def type(self, text: str | bytes) -> None:
        """Writes to the program, however slowly it reads."""
        data = text.encode() if isinstance(text, str) else text
        while data:
            with suppress(BlockingIOError):
                data = data[os.write(self.master, data[:4096]) :]
            await asyncio.sleep(0)

    async def wait_for(
        self, wanted: bytes | Callable[[bytes], bool], timeout: float = WAIT_S
    ) -> None:
        """Returns once it was written, ever."""
        question = wanted if callable(wanted) else (lambda output: wanted in words(output))
        async with asyncio.timeout(timeout):
            while not question(bytes(self.output)):
                self._changed.clear()
                await self._changed.wait()

    async def ended(self, timeout: float = WAIT_S) -> int:
        """The exit code, after all output was read."""
        async with asyncio.timeout(timeout):
            code = await self.process.wait()
        await asyncio.sleep(0.05)
        self._read_rest()
        return code

    def _read_rest(self) -> None:
        with suppress(OSError):
            while data := os.read(self.master, 65536):
                self.output += data


async def on_pty(*words: str, env: Mapping[str, str] | None = None, cwd: Path | None = None,
                 keys: str = "") -> tuple[int, bytes]:  # fmt: skip
    """Runs ``aircher WORDS`` to its end on a terminal: exit code, output."""
    async with OnPty(*words, env=env, cwd=cwd) as run:
        if keys:
            await run.type(keys)
        code = await run.ended()
        return code, bytes(run.output)
