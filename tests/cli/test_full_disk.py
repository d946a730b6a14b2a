"""The data file takes no more in mid-answer: the user is told where the rest is, and has it."""

from __future__ import annotations

import asyncio
import re
import resource
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.cli.test_ask import chunk, config
from tests.support.loopback import paced, serving
from tests.support.program import AIRCHER, Ran, write_config

WHOLE = "The beginning, and the end."


@asynccontextmanager
async def half_told(home: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, asyncio.Event]]:
    """An ``ask`` that has printed the beginning; the event lets the server go on."""
    gate = asyncio.Event()
    answer = paced(chunk("The beginning, "), gate, chunk("and the end."), chunk(finish="stop"))
    async with serving(answer) as server:
        write_config(home, config(server))
        process = await asyncio.create_subprocess_exec(
            *AIRCHER, "ask", "hi", stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        async with asyncio.timeout(30):
            first = await process.stdout.readexactly(len("The beginning, "))
        assert first == b"The beginning, "
        yield process, gate


def no_file_may_grow(process: asyncio.subprocess.Process) -> None:
    """As on a full disk: what is longer than 2 KB is refused."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (2_048, 2_048))


async def ended(process: asyncio.subprocess.Process) -> Ran:
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    return Ran(process.returncode or 0, "The beginning, " + out.decode(), err.decode())


async def test_the_answer_is_saved_elsewhere_and_the_file_is_named(home: Path) -> None:
    async with half_told(home) as (process, gate):
        no_file_may_grow(process)
        gate.set()
        ran = await ended(process)
    assert (ran.code, ran.out.strip()) == (9, WHOLE)
    assert "The answer is not kept whole in the session." in ran.err
    (named,) = re.findall(r"All of the answer that came is in (\S+)\. ", ran.err)
    saved = Path(named)
    assert saved.read_text() == WHOLE
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert saved.is_relative_to(home / ".local" / "state" / "aircher")


async def test_where_nothing_can_be_saved_that_is_said(home: Path) -> None:
    (home / ".local").mkdir()
    (home / ".local" / "state").write_text("no folder")
    async with half_told(home) as (process, gate):
        no_file_may_grow(process)
        gate.set()
        ran = await ended(process)
    assert (ran.code, ran.out.strip()) == (9, WHOLE)
    assert "It could not be saved elsewhere either" in ran.err


async def test_who_stops_it_is_not_told_that_all_is_kept(home: Path) -> None:
    async with half_told(home) as (process, _):
        no_file_may_grow(process)
        process.send_signal(2)
        ran = await ended(process)
    assert ran.code == 9, ran
    (named,) = re.findall(r"All of the answer that came is in (\S+)\. ", ran.err)
    assert Path(named).read_text() == "The beginning, "
    assert "what came is kept: go on" not in ran.err
