"""One fault's stage: a home, two configured models, the program run in it, and what it left."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.dialects import BACKUP_CASE, Dialect
from tests.support.warm import Warm

CAP_USD = 1.0
BACKUP = "backup/deep"

KEY = "sk-fault-0123456789abcdef"

_CLASS_NAME = re.compile(
    r"\b\w*(?:Error|Exception|Traceback|Timeout)\b(?!s? )|\bhttpx|\[Errno|0x[0-9a-f]{6}"
)


@dataclass(frozen=True)
class Ran:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.err.splitlines()

    def said(self, start: str) -> list[str]:
        """The lines that begin so, each with the indented ones under it."""
        found: list[str] = []
        for line in self.lines:
            if line.startswith(start):
                found.append(line)
            elif (
                line.startswith("  ")
                and found
                and self.lines[self.lines.index(line) - 1] == found[-1]
            ):
                found[-1] += " " + line.strip()
        return found


@dataclass(frozen=True)
class Kept:
    """What the data file holds."""

    questions: tuple[str, ...]
    answers: tuple[str, ...]
    states: tuple[str, ...]
    held: int
    """Reservations."""
    spent: tuple[tuple[str, int | None, str, str], ...]
    """(provider, nano-dollars, tag, outcome) of every call that cost something."""
    whole: bool
    """SQLite finds nothing wrong with the file."""

    @property
    def total(self) -> int:
        return sum(nano or 0 for _, nano, _, _ in self.spent)


@dataclass
class Stage:
    """A home with its configuration; ``cold`` runs the program from its very start."""

    home: Path
    warm: Warm
    port: int
    """Of the replay server."""
    cold: bool = False
    env: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.home / ".local" / "share" / "aircher"

    @property
    def database(self) -> Path:
        return self.data / "aircher.db"

    @property
    def used(self) -> bool:
        """There is a data file with its tables; a run may have been killed before it made them."""
        if not self.database.exists():
            return False
        with self._copy() as copy, closing(sqlite3.connect(copy)) as raw:
            return bool(raw.execute("PRAGMA user_version").fetchone()[0])

    def address(
        self, case: str, modes: str = "", port: int = 0, host: str = "http://127.0.0.1"
    ) -> str:
        """Where a recording is answered, perhaps through a proxy's port."""
        path = f"/m/{modes}/case/{case}" if modes else f"/case/{case}"
        return f"{host}:{port or self.port}{path}"

    def configure(
        self,
        dialect: Dialect,
        address: str,
        *,
        own: str = "",
        more: str = "",
        retries: int = 1,
        backup: str = "",
    ) -> None:
        """The dialect's vendor at that address first, then the backup."""
        backup = backup or self.address(BACKUP_CASE)
        text = f"""
[providers]
default = "{dialect.provider}"
fallback_order = ["{dialect.provider}", "backup"]
[providers.{dialect.provider}]
base_url = "{address}{dialect.path}"
model = "{dialect.model}"
api_key_env = "{dialect.key_env}"
{dialect.settings}
{own}
[providers.backup]
kind = "openai"
base_url = "{backup}/v1"
model = "deep"
[models.custom."{dialect.ref}"]
input_price = 1.0
output_price = 2.0
context_window = 100_000
[models.custom."{BACKUP}"]
input_price = 2.0
output_price = 6.0
context_window = 200_000
[retry]
max_retries = {retries}
initial_delay = "10ms"
max_delay = "20ms"
[costs]
daily_limit = {CAP_USD}
{more}
"""
        path = self.home / ".config" / "aircher" / "config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def environment(self) -> dict[str, str]:
        """What the program sees."""
        keys = dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"), KEY)
        return {**os.environ, **places(self.home), **keys, **self.env}

    async def ask(
        self, *words: str, limits: Mapping[int, int] | None = None, out: Path | None = None
    ) -> Ran:
        """Runs ``aircher ask WORDS`` to its end."""
        run = await self.warm.start(
            "ask",
            *words,
            env=self.environment(),
            cwd=self.home,
            limits=limits,
            out=out,
            cold=self.cold,
        )
        code = await run.ended()
        return Ran(code, "" if out else run.out.read_text("utf-8"), run.err.read_text("utf-8"))

    @contextmanager
    def _copy(self) -> Iterator[Path]:
        """The data file and its log elsewhere: reading them may need room, or rights, that are not
        there.
        """
        with TemporaryDirectory() as folder:
            for one in self.data.glob(f"{self.database.name}*"):
                # The log goes away with the last program that uses it.
                if one.suffix in {".db", ".db-wal"}:
                    with suppress(FileNotFoundError):
                        shutil.copy(one, folder)
            yield Path(folder, self.database.name)

    def kept(self) -> Kept:
        """What is on disk now, read without the program."""
        with self._copy() as copy, closing(sqlite3.connect(copy)) as raw:
            messages = raw.execute("SELECT role, parts, state FROM messages ORDER BY id").fetchall()
            texts = [
                (
                    role,
                    "".join(p.get("text", "") for p in json.loads(parts) if p["type"] == "text"),
                    state,
                )
                for role, parts, state in messages
            ]
            return Kept(
                tuple(text for role, text, _ in texts if role == "user"),
                tuple(text for role, text, _ in texts if role == "assistant"),
                tuple(state for role, _, state in texts if role == "assistant"),
                raw.execute("SELECT count(*) FROM reservations").fetchone()[0],
                tuple(
                    raw.execute(
                        "SELECT provider, cost_nano, cost_tag, outcome FROM usage ORDER BY id"
                    )
                ),
                raw.execute("PRAGMA quick_check").fetchone()[0] == "ok",
            )


def places(home: Path) -> dict[str, str]:
    """The variables that make a folder the user's home."""
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "XDG_STATE_HOME": str(home / ".local" / "state"),
        "XDG_CACHE_HOME": str(home / ".cache"),
    }


def assert_clear(ran: Ran) -> None:
    """Whatever was said is for people: nothing of Python's, nothing of a key's."""
    assert not _CLASS_NAME.search(ran.err), ran.err
    assert KEY not in ran.err + ran.out
    assert not [line for line in ran.lines if len(line) > 700], ran.err
