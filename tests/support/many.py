"""Many command lines in one process, each with its own streams: what a loop of runs would take
minutes for.  Reads JSON cases on stdin, prints JSON outcomes; an exception that leaves is told.

    python -m tests.support.many < cases
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Line:
    """One command line; ``stdin`` None is a closed one."""

    words: tuple[str | bytes, ...]
    stdin: bytes = b""


@dataclass(frozen=True)
class Outcome:
    """How it ended; ``fault`` is a traceback, "" where none left."""

    code: int
    out: bytes
    err: bytes
    fault: str


async def run_many(lines: Sequence[Line], cwd: Path) -> list[Outcome]:
    """All of them, in order, in one process whose folder is ``cwd``."""
    cases = [
        {"words": [_packed(os.fsencode(word)) for word in line.words], "stdin": _packed(line.stdin)}
        for line in lines
    ]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.many", str(cwd),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
    )  # fmt: skip
    out, _ = await process.communicate(json.dumps(cases).encode())
    return [
        Outcome(o["code"], base64.b64decode(o["out"]), base64.b64decode(o["err"]), o["fault"])
        for o in json.loads(out)
    ]


def _packed(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _one(case: dict[str, Any]) -> dict[str, Any]:
    from aircher.cli.main import main

    fault, code = "", -1
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        given.write(base64.b64decode(case["stdin"]))
        given.seek(0)
        for source, target in ((given, 0), (out, 1), (err, 2)):
            os.dup2(source.fileno(), target)
        # The descriptors stay open: the next case gets the same ones.
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, "rb", closefd=False)))
        sys.stdout, sys.stderr = (
            io.TextIOWrapper(
                io.BufferedWriter(io.FileIO(fd, "wb", closefd=False)), "utf-8", "replace"
            )
            for fd in (1, 2)
        )
        try:
            code = main([os.fsdecode(base64.b64decode(word)) for word in case["words"]])
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 1
        except BaseException:
            fault = traceback.format_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        seen = []
        for file in (out, err):
            file.seek(0)
            seen.append(_packed(file.read()))
    return {"code": code, "out": seen[0], "err": seen[1], "fault": fault}


def _all() -> None:
    cases = json.loads(sys.stdin.buffer.read())
    answers = os.dup(1)
    os.chdir(sys.argv[1])
    outcomes = [_one(case) for case in cases]
    with open(answers, "w", encoding="utf-8") as file:
        json.dump(outcomes, file)


if __name__ == "__main__":
    _all()
