"""Runs the user's own check of an answer: a command that reads it and says yes by its exit code."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Collection, Mapping

from aircher.domain.children import child_environment
from aircher.domain.preferences import Gates

_SAID = 160
"""Characters of the command's own words that are passed on."""


class CommandCheck:
    """The port ``AnswerCheck`` as a child process, without a shell unless the user asks for one.

    ``hidden`` are variables that hold keys; no variable named like a secret is passed on either.
    """

    def __init__(self, hidden: Collection[str] = ()) -> None:
        self._hidden = hidden

    async def __call__(self, answer: str, gates: Gates) -> str:
        """Why the command refuses the answer, "" if it does not.

        A command that is missing, or that takes longer than it may, refuses nothing: the answer
        stands, and nobody pays for another one because of a broken check.
        """
        try:
            process = await _start(gates, child_environment(os.environ, self._hidden))
        except OSError:
            return ""
        try:
            async with asyncio.timeout(gates.check_timeout_s):
                said, _ = await process.communicate(answer.encode())
        except TimeoutError:
            return ""
        finally:
            await _end(process)
        if process.returncode == 0:
            return ""
        words = " ".join(said.decode("utf-8", "replace").split())[:_SAID]
        return f"your check says {words!r}" if words else "your check refused it"


async def _start(gates: Gates, env: Mapping[str, str]) -> asyncio.subprocess.Process:
    """Starts it in a process group of its own, so that all of it can be ended; it sees no keys."""
    pipe, merged = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    if gates.check_shell:
        return await asyncio.create_subprocess_shell(
            gates.check[0],
            stdin=pipe,
            stdout=pipe,
            stderr=merged,
            start_new_session=True,
            env=env,
        )
    return await asyncio.create_subprocess_exec(
        *gates.check,
        stdin=pipe,
        stdout=pipe,
        stderr=merged,
        start_new_session=True,
        env=env,
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ends what still runs, the command's own children too."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
