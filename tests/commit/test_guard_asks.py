"""What the guard wants asked is asked before a change leaves; where nobody is there, it stays here."""

from __future__ import annotations

import asyncio
import os
import pty

import pytest

from tests.commit.conftest import Bench
from tests.support.program import AIRCHER, run
from tests.support.recording import message, messages

KEY = "ghp_" + "x7Kq9mZr2Lw5Tb8Vn3Jd6Hf1Gs4Pc0YaEuQi"
ASK = '[guard]\naction = "ask"\n'
QUESTION = "Send github-pat in new.py:1 to the model? [y/N] "


async def at_terminal(bench: Bench, typed: bytes, *words: str) -> tuple[int, str]:
    """``aircher WORDS`` with a person who answers one question so: exit code, what was shown."""
    keys, screen = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *AIRCHER, *words, stdin=screen, stdout=asyncio.subprocess.PIPE, stderr=screen,
        cwd=bench.repo.path,
    )  # fmt: skip
    os.close(screen)
    shown = ""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(60):
        while "[y/N] " not in shown:
            shown += (await loop.run_in_executor(None, os.read, keys, 4096)).decode()
        os.write(keys, typed)
        await process.communicate()
    os.set_blocking(keys, False)
    shown += os.read(keys, 65536).decode()
    os.close(keys)
    return process.returncode or 0, shown


@pytest.mark.security
@pytest.mark.parametrize("yes", [True, False])
async def test_somebody_is_asked_once_and_their_word_counts(bench: Bench, yes: bool) -> None:
    bench.config(ASK)
    bench.model.answer(messages(message("Add a key")))
    bench.repo.stage("new.py", f"key = '{KEY}'\n")
    code, shown = await at_terminal(bench, b"y\n" if yes else b"\n", "commit", "--yes")
    assert code == 0, shown
    assert shown.count("[y/N]") == 1, shown
    assert QUESTION in shown
    assert KEY not in shown
    assert (KEY in str(bench.model.bodies)) is yes
    assert ("taken out before sending: github-pat" in shown) is not yes


@pytest.mark.security
async def test_where_nobody_is_there_it_is_taken_out_and_said(bench: Bench) -> None:
    bench.config(ASK)
    bench.model.answer(messages(message("Add a key")))
    bench.repo.stage("new.py", f"key = '{KEY}'\n")
    ran = await run("commit", "--yes", cwd=bench.repo.path)
    assert ran.code == 0, ran.err
    assert "Send github-pat in new.py:1 to the model? no, since nobody is here to ask" in ran.err
    assert "(`aircher guard allow`, or [guard.rules] allows it)" in ran.err
    assert "taken out before sending: github-pat" in ran.err
    assert KEY not in str(bench.model.bodies)


@pytest.mark.security
@pytest.mark.parametrize("yes", [True, False])
async def test_a_sensitive_file_is_shown_to_the_model_only_after_a_yes(
    bench: Bench, yes: bool
) -> None:
    bench.model.answer(messages(message("Add settings")))
    bench.repo.stage(".env", "PLAIN=hello\n")
    code, shown = await at_terminal(bench, b"y\n" if yes else b"\n", "commit", "--yes")
    assert code == 0, shown
    assert "Send the sensitive file .env to the model?" in shown
    assert ("PLAIN=hello" in str(bench.model.bodies)) is yes


@pytest.mark.security
@pytest.mark.parametrize(
    "words", [("commit", "--split", "--yes"), ("pr",), ("changelog", "HEAD~1..HEAD")]
)
async def test_the_kin_of_commit_ask_as_well(bench: Bench, words: tuple[str, ...]) -> None:
    bench.config(ASK)
    bench.repo.git("checkout", "-qb", "topic")
    if words[0] == "commit":
        bench.repo.stage("other.py", "x = 1\n")
        bench.repo.stage("new.py", f"key = '{KEY}'\n")
    else:
        bench.repo.commit("Add a key", new__py=f"key = '{KEY}'\n")
    _, shown = await at_terminal(bench, b"\n", *words)
    assert QUESTION in shown
    assert KEY not in str(bench.model.bodies) + shown


async def test_what_is_written_by_rules_asks_nothing(bench: Bench) -> None:
    bench.config(ASK)
    bench.repo.stage("new.py", f"key = '{KEY}'\n")
    ran = await run("commit", "--yes", "--offline", cwd=bench.repo.path)
    assert ran.code == 0
    assert "asked:" not in ran.err
