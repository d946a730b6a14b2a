"""Another model takes over, as a user or a script sees it: the real program, real servers."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from tests.cli.test_ask import HELLO, chunk, error, valid
from tests.support.loopback import Answer, Loopback, serving, streamed
from tests.support.program import AIRCHER, run, write_config

HALF = replace(streamed(chunk("Half an answer, "), done=False), announced=10_000)
"""Breaks off: less comes than was announced."""


@asynccontextmanager
async def two(
    home: Path, first: Answer, more: str = ""
) -> AsyncIterator[tuple[Loopback, Loopback]]:
    """A provider "one" that gives ``first`` and another, "two", that greets."""
    async with serving(first) as one, serving(HELLO) as other:
        tables = "".join(
            f'[providers.{name}]\nkind = "openai"\nbase_url = "{server.url}/v1"\nmodel = "m"\n'
            for name, server in (("one", one), ("two", other))
        )
        write_config(
            home,
            f'[providers]\ndefault = "one"\nfallback_order = ["one", "two"]\n{tables}'
            f"[retry]\nmax_retries = 0\n{more}",
        )
        yield one, other


async def test_a_continued_answer_is_whole_on_stdout_and_the_seam_is_told(home: Path) -> None:
    async with two(home, HALF) as (_, other):
        ran = await run("ask", "hi")
    assert (ran.code, ran.out) == (0, "Half an answer, Hello, world.\n")
    assert "fallback: one/m -> two/m (" in ran.err
    assert "; it goes on where the answer broke off)" in ran.err
    assert [m["role"] for m in other.received[0].body["messages"]] == ["user", "assistant", "user"]


async def test_what_happened_and_what_to_do_are_two_sentences(home: Path) -> None:
    async with two(home, error(401, "Incorrect API key")):
        ran = await run("ask", "hi")
    said = next(line for line in ran.err.splitlines() if line.startswith("fallback:"))
    assert "did not accept the key: Incorrect API key. Check the key" in said, said


async def test_the_object_of_a_continued_answer_holds_the_whole_and_both_calls(home: Path) -> None:
    async with two(home, HALF):
        ran = await run("ask", "hi", "--output-format", "stream-json")
        exported = await run("sessions", "list", "--json")
    *events, result = [json.loads(line) for line in ran.out.splitlines()]
    assert valid(result)["text"] == "Half an answer, Hello, world."
    assert [one["provider"] for one in result["attempts"]] == ["one", "two"]
    (move,) = [event for event in events if event["event"] == "falling_back"]
    assert (move["kept"], move["continues"]) == (16, True)
    shown = await run("sessions", "export", json.loads(exported.out)[0]["id"])
    assert "## one/m" in shown.out
    assert "## two/m" in shown.out


async def test_an_answer_may_be_wanted_anew(home: Path) -> None:
    async with two(home, HALF, '[fallback]\nbroken_answer = "restart"\n'):
        ran = await run("ask", "hi")
    assert ran.out == "Half an answer, \nHello, world.\n"
    assert "the answer begins anew" in ran.err


ASK_FIRST = '[fallback]\nconsent = "ask"\n'


async def test_a_script_is_not_asked_and_told_what_would_allow_it(home: Path) -> None:
    async with two(home, error(503, "full"), ASK_FIRST) as (_, other):
        ran = await run("ask", "hi")
        assert ran.code == 1
        assert "Ask two/m instead? no, since nobody is here to ask (--yes allows it" in ran.err
        assert other.received == []
        allowed = await run("ask", "--yes", "hi", "--output-format", "stream-json")
    lines = [json.loads(line) for line in allowed.out.splitlines()]
    assert lines[-1]["text"] == "Hello, world."
    (asked,) = [line["question"] for line in lines[:-1] if line["event"] == "asking"]
    assert (asked["kind"], asked["text"]) == ("fallback", "Ask two/m instead?")


async def at_terminal(typed: bytes, *words: str) -> tuple[int, str, str]:
    """Runs ``aircher WORDS`` with a person before it: exit code, stdout, what the screen showed."""
    keys, screen = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *AIRCHER, *words, stdin=screen, stdout=asyncio.subprocess.PIPE, stderr=screen
    )
    os.close(screen)
    shown = ""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(30):
        while "[y/N] " not in shown:
            shown += (await loop.run_in_executor(None, os.read, keys, 4096)).decode()
        if typed:
            os.write(keys, typed)
        else:
            process.send_signal(signal.SIGINT)
        out, _ = await process.communicate()
    os.close(keys)
    return process.returncode or 0, out.decode(), shown


async def test_a_person_is_asked_on_the_terminal(home: Path) -> None:
    for typed, code, out in ((b"y\n", 0, "Hello, world.\n"), (b"\n", 1, ""), (b"", 130, "")):
        async with two(home, error(400, "content_policy_violation"), ASK_FIRST):
            found = await at_terminal(typed, "ask", "hi")
        assert found[:2] == (code, out), found
        assert "aircher: Ask two/m instead? [y/N] " in found[2]


async def test_a_wrong_kind_and_a_circle_are_refused_with_file_and_line(home: Path) -> None:
    write_config(
        home,
        '[fallback.on]\noverload = "stop"\n'
        '[models.task.debugging]\npreferred = "claude/opus"\nfallbacks = ["gpt", "anthropic/opus"]\n'
        '[providers.openai]\nfallback_models = ["claude/a"]\n'
        '[providers.claude]\nfallback_models = ["openai/b"]\n',
    )
    ran = await run("ask", "hi")
    assert ran.code == 7
    for mistake in (
        'config.toml:2: "overload" is no kind of error (did you mean "overloaded"?)',
        'config.toml:5: models.task.debugging.fallbacks falls back from "anthropic/opus" to itself',
        "config.toml:7: fallback_models go in a circle: openai -> claude -> openai",
    ):
        assert mistake in ran.err
