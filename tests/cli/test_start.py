"""What each command imports: a start is quick because it passes by what it does not need."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from tests.cli.test_ask import HELLO, config
from tests.support.loopback import Loopback, serving
from tests.support.program import run, write_config

PROBE = """
import atexit, sys
atexit.register(lambda: print("\\n" + " ".join(sys.modules), file=sys.__stderr__))
from aircher.entry import main
sys.exit(main())
"""

SDKS = {"openai", "anthropic", "google.genai", "ollama", "boto3", "botocore"}
HEAVY = {
    "textual", "rich", "pygments", "markdown_it", "keyring", "cryptography", "tomlkit", "tomli_w",
    "genai_prices", "tiktoken", "bpe_openai", "yaml", "git", "shtab", "statistics", "difflib",
    "pdb", "doctest", "unittest", "xllamacpp",
}  # fmt: skip
ELSEWHERE = {
    "aircher.tui", "aircher.reports", "aircher.policy.commit", "aircher.engine.commit",
    "aircher.bootstrap.checkup", "aircher.bootstrap.committing", "aircher.bootstrap.desk",
    "aircher.bootstrap.docs", "aircher.bootstrap.hooking", "aircher.bootstrap.keys",
    "aircher.bootstrap.local", "aircher.config.describe", "aircher.config.edit",
    "aircher.catalog.compact", "aircher.catalog.updates", "aircher.workspace.committing",
    "aircher.workspace.diff", "aircher.workspace.history", "aircher.workspace.hooks",
    "aircher.workspace.repository", "aircher.workspace.rule_files", "aircher.workspace.splitting",
    "aircher.providers.local.server", "aircher.providers.local.child",
}  # fmt: skip
OTHER_DIALECTS = {
    f"aircher.providers.dialects.{name}"
    for name in ("anthropic", "bedrock_converse", "gemini", "ollama", "openai_responses", "local")
}


@pytest.fixture
async def server(home: Path) -> AsyncIterator[Loopback]:
    async with serving(HELLO) as made:
        write_config(home, config(made))
        assert (await run("models")).code == 0  # the first start ever reads the price lists
        yield made


async def imported(*words: str) -> set[str]:
    """The modules that there are when a command has ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROBE, *words, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, env=dict(os.environ),
    )  # fmt: skip
    _, err = await process.communicate()
    assert process.returncode == 0, err
    return set(err.decode().splitlines()[-1].split())


def among(loaded: set[str], unwanted: set[str]) -> list[str]:
    return sorted(
        name
        for name in loaded
        if any(name == one or name.startswith(f"{one}.") for one in unwanted)
    )


async def test_ask_imports_one_sdk_and_what_a_question_needs(server: Loopback) -> None:
    loaded = await imported("ask", "hello")
    assert "openai" in loaded
    assert among(loaded, (SDKS - {"openai"}) | HEAVY | ELSEWHERE | OTHER_DIALECTS) == []
    assert {name for name in loaded if name.startswith("aircher.cli.")} == {
        f"aircher.cli.{name}"
        for name in (
            "argv", "ask", "asking", "chat", "contract", "main", "naming", "narration", "parsing",
            "printing", "reading", "streams", "unfinished",
        )
    }  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [("route", "hello"), ("models",), ("sessions", "list"), ("costs",), ("config", "show"),
     ("task", "history")],
    ids=" ".join,
)  # fmt: skip
async def test_commands_that_call_nobody_import_no_sdk(
    server: Loopback, words: Sequence[str]
) -> None:
    loaded = await imported(*words)
    unwanted = SDKS | {"httpx", "httpx2", "textual", "aircher.tui", "aircher.policy.commit"}
    assert among(loaded, unwanted) == []


async def test_help_imports_hardly_anything() -> None:
    loaded = await imported("--help")
    ours = {name.removeprefix("aircher.") for name in loaded if name.startswith("aircher.")}
    assert ours == {
        "entry", "cli", "cli.streams", "cli.argv", "cli.main", "cli.chat", "cli.parsing",
        "domain", "domain.errors", "domain.inert", "domain.regexes",
    }  # fmt: skip
    unwanted = {
        "typing",
        "shutil",
        "asyncio",
        "dataclasses",
        "inspect",
        "logging",
        "json",
        "pathlib",
    }
    assert among(loaded, unwanted) == []
