"""The real program in a subprocess, with a HOME of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

AIRCHER = (sys.executable, "-m", "aircher")


@dataclass(frozen=True)
class Ran:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


async def run(
    *words: str,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 60.0,
) -> Ran:
    """Runs ``aircher WORDS``; stdin is closed after the given bytes."""
    process = await asyncio.create_subprocess_exec(
        *AIRCHER,
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(env or {})},
        cwd=cwd,
    )
    async with asyncio.timeout(timeout):
        out, err = await process.communicate(stdin)
    return Ran(process.returncode or 0, out.decode(), err.decode())


def write_config(home: Path, text: str) -> Path:
    """Writes the user's configuration file."""
    path = home / ".config" / "aircher" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
