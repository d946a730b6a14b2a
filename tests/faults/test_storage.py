"""The disk is full, read-only, slow, locked or damaged: one sentence, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import WHOLE, Row
from tests.faults.dialects import DIALECTS, text_of
from tests.faults.judging import NEXT, QUESTION, assert_money, plainly
from tests.faults.stage import Ran, Stage, assert_clear

DIALECT = DIALECTS[2]
SLOWLY = "cut=line,delay=0.03"

whole_only = pytest.mark.whole


async def begun(stage: Stage, modes: str = "") -> None:
    """One good turn, so that there is something to lose."""
    stage.configure(DIALECT, stage.address(DIALECT.case, modes))
    ran = await stage.ask(QUESTION)
    assert ran.code == 0, ran


async def refused(stage: Stage, row: Row, sentence: str, **how: object) -> None:
    """The next question ends with code 9 and one sentence; what was there is untouched."""
    before = stage.kept()
    ran = await stage.ask("-c", NEXT, **how)  # type: ignore[arg-type]  # passed on
    assert_clear(ran)
    assert ran.code == 9, ran
    (said,) = ran.said("aircher: ")
    assert sentence in said
    assert said.endswith(".")
    row.said = plainly(said, stage)
    row.survived = 1
    after = stage.kept()
    assert after.questions[: len(before.questions)] == before.questions
    assert after.answers[: len(before.answers)] == before.answers
    assert after.spent == before.spent


async def goes_on(stage: Stage, row: Row) -> None:
    """Once it is mended, the conversation goes on, and no money is held."""
    before = stage.kept()
    ran = await stage.ask("-c", NEXT)
    assert_clear(ran)
    assert ran.code == 0, ran
    after = stage.kept()
    assert after.questions[: len(before.questions)] == before.questions
    assert after.questions[-1] == NEXT
    assert after.answers[-1] == text_of(DIALECT.case)
    assert_money(after)
    row.kept = 1


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A disk of 2 MB at the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Writes until nothing more fits."""
    filler = folder / "filler"
    with open(filler, "wb", buffering=0) as out:
        for size in (65536, 4096, 1):
            try:
                while True:
                    out.write(b"x" * size)
            except OSError:
                continue
    return filler


@whole_only
async def test_the_disk_is_full(stage: Stage, row: Row) -> None:
    row.fault, row.where = "disk full", "before the question is kept"
    with small_disk(stage.data):
        await begun(stage)
        filler = fill(stage.data)
        await refused(stage, row, "The disk is full")
        filler.unlink()
        await goes_on(stage, row)


@whole_only
async def test_the_disk_gets_full_in_mid_answer(stage: Stage, row: Row) -> None:
    row.fault, row.where = "disk full", "in mid-answer"
    with small_disk(stage.data):
        await begun(stage)
        stage.configure(DIALECT, stage.address(DIALECT.case, SLOWLY))
        run = await stage.warm.start("ask", "-c", NEXT, env=stage.environment(), cwd=stage.home)
        await seen(run.out, 20)
        filler = fill(stage.data)
        code, said, out = await run.ended(), run.err.read_text(), run.out.read_text()
        assert code == 9, said
        assert out.strip() == text_of(DIALECT.case).strip()
        assert "The disk is full" in said
        row.said = plainly(Ran(code, out, said).said("aircher: ")[0], stage)
        row.survived = 1
        filler.unlink()
        await goes_on(stage, row)


async def seen(file: Path, characters: int) -> None:
    """Returns once so much was printed."""
    async with asyncio.timeout(60):
        while not file.exists() or len(file.read_bytes()) < characters:
            await asyncio.sleep(0.01)


async def test_no_file_may_grow(stage: Stage, row: Row) -> None:
    row.fault, row.where = "no file may grow (RLIMIT_FSIZE)", "before the question is kept"
    await begun(stage)
    await refused(stage, row, "refused to read or write", limits={resource.RLIMIT_FSIZE: 4096})
    await goes_on(stage, row)


async def test_nobody_takes_the_answer(stage: Stage, row: Row) -> None:
    row.fault, row.where = "stdout is full (/dev/full)", "in mid-answer"
    stage.configure(DIALECT, stage.address(DIALECT.case))
    ran = await stage.ask(QUESTION, out=Path("/dev/full"))
    assert_clear(ran)
    assert ran.code == 9, ran
    (said,) = ran.said("aircher: ")
    row.said = plainly(said, stage)
    row.survived = 1
    kept = stage.kept()
    assert kept.questions == (QUESTION,)
    assert kept.answers[0]
    assert text_of(DIALECT.case).startswith(kept.answers[0])
    assert_money(kept)
    await goes_on(stage, row)


@whole_only
async def test_the_folder_is_read_only(stage: Stage, row: Row) -> None:
    row.fault, row.where = "read-only data folder", "at the start"
    await begun(stage)
    if os.geteuid():
        stage.data.chmod(0o500)
        stage.database.chmod(0o400)
        await refused(stage, row, "may not be written")
        stage.database.chmod(0o600)
        stage.data.chmod(0o700)
        await goes_on(stage, row)
        return
    bound = subprocess.run(
        ["mount", "--bind", str(stage.data), str(stage.data)], capture_output=True, check=False
    )
    if bound.returncode:
        pytest.skip("no folder can be made read-only for this user here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(stage.data)], check=True)
        await refused(stage, row, "cannot be opened")
    finally:
        subprocess.run(["umount", "-l", str(stage.data)], check=True)
    await goes_on(stage, row)


@contextmanager
def held(database: Path, how: str) -> Iterator[None]:
    """Another program has the file for itself."""
    with closing(sqlite3.connect(database, isolation_level=None)) as raw:
        raw.execute(f"BEGIN {how}")
        raw.execute("CREATE TABLE held (x)")
        yield
        raw.execute("ROLLBACK")


async def test_the_file_is_locked(stage: Stage, row: Row) -> None:
    row.fault, row.where = "locked database", "at the start"
    await begun(stage)
    with held(stage.database, "IMMEDIATE"):
        await refused(stage, row, "in use by another program")
    await goes_on(stage, row)


@whole_only
async def test_the_file_is_locked_in_mid_answer(stage: Stage, row: Row) -> None:
    row.fault, row.where = "locked database", "in mid-answer, to its end"
    await begun(stage)
    stage.configure(DIALECT, stage.address(DIALECT.case, SLOWLY))
    run = await stage.warm.start("ask", "-c", NEXT, env=stage.environment(), cwd=stage.home)
    await seen(run.out, 20)
    with held(stage.database, "IMMEDIATE"):
        code, said, out = await run.ended(), run.err.read_text(), run.out.read_text()
    assert code == 9, said
    assert out.strip() == text_of(DIALECT.case).strip()
    row.said = plainly(Ran(code, out, said).said("aircher: ")[0], stage)
    assert "in use by another program" in row.said
    row.survived = 1
    await goes_on(stage, row)


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "overwritten with noise": lambda data: os.urandom(len(data)),
    "its first page lost": lambda data: bytes(4096) + data[4096:],
    "cut in half": lambda data: data[: len(data) // 2 - 100],
    "all pages but the first ruined": lambda data: data[:4096] + b"\xaa" * (len(data) - 4096),
}


@pytest.mark.parametrize("name", DAMAGES if WHOLE else [next(iter(DAMAGES))])
async def test_the_file_is_damaged(stage: Stage, row: Row, name: str) -> None:
    row.fault, row.where = "corrupted database", name
    await begun(stage)
    for side in ("-wal", "-shm"):
        stage.database.with_name(stage.database.name + side).unlink(missing_ok=True)
    stage.database.write_bytes(DAMAGES[name](stage.database.read_bytes()))
    ruined = stage.database.read_bytes()
    ran = await stage.ask(QUESTION)
    assert_clear(ran)
    assert ran.code == 0, ran
    (note,) = ran.said("note: ")
    assert "moved to" in note
    row.said = plainly(note.removeprefix("note: "), stage)
    row.survived = 1
    (aside,) = [one for one in stage.data.iterdir() if "damaged" in one.name]
    assert aside.read_bytes() == ruined
    await goes_on(stage, row)


@whole_only
async def test_the_folder_is_gone(stage: Stage, row: Row) -> None:
    row.fault, row.where = "data folder removed", "in mid-answer"
    await begun(stage)
    stage.configure(DIALECT, stage.address(DIALECT.case, SLOWLY))
    run = await stage.warm.start("ask", "-c", NEXT, env=stage.environment(), cwd=stage.home)
    await seen(run.out, 20)
    aside = stage.data.with_name("moved")
    shutil.move(stage.data, aside)
    code, out = await run.ended(), run.out.read_text()
    assert out.strip() == text_of(DIALECT.case).strip()
    assert code in {0, 9}
    assert "Traceback" not in run.err.read_text()
    row.said = f"(the whole answer; exit code {code})"
    row.survived = 1
    shutil.move(aside, stage.data)
    await goes_on(stage, row)
