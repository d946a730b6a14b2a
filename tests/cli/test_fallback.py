"""Another model takes over, as a user or a script sees it: the real program, real servers."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from tests.cli.test_ask import HELLO, chunk, config, error, valid
from tests.support.loopback import Answer, Loopback, serving, streamed
from tests.support.program import AIRCHER, run, write_config
from tests.support.proxy import full_backlog

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


NEAR = (
    '[models.custom."one/m"]\ninput_price = 9.0\noutput_price = 9.0\n'
    '[models.custom."two/m"]\ninput_price = 1.0\noutput_price = 1.0\n'
    "[costs]\ndaily_limit = 10.0\ndowngrade_at = 0.0\n"
)


async def test_a_cheaper_model_near_a_limit_tells_its_reason_once(home: Path) -> None:
    async with two(home, HELLO, NEAR):
        ran = await run("ask", "hi")
        foreseen = await run("route", "hi")
    assert ran.err.count("costs.daily_limit") == 1, ran.err
    assert "model: two/m (cheaper than one/m" in ran.err
    assert "downgrade: one/m -> two/m (0% of costs.daily_limit is spent)" in ran.err
    assert "instead of one/m, because 0% of costs.daily_limit is spent" in foreseen.out


async def test_a_dearer_model_is_not_tried_where_a_limit_on_all_is_passed(home: Path) -> None:
    tight = NEAR.replace("daily_limit = 10.0", "daily_limit = 0.000001")
    swapped = tight.replace("= 9.0", "= 0.5")
    async with two(home, HELLO, swapped) as (one, other):
        ran = await run("ask", "hi")
    assert ran.code == 6
    assert "downgrade:" not in ran.err
    assert "costs.daily_limit would be passed" in ran.err
    assert (one.received, other.received) == ([], [])


async def test_a_dearer_model_of_another_provider_may_fit_a_limit_on_one(home: Path) -> None:
    of_one = "[costs.limits]\none_daily = 0.000001\n"
    swapped = NEAR.replace("= 9.0", "= 0.5").replace("daily_limit = 10.0\n", "") + of_one
    async with two(home, HELLO, swapped) as (one, other):
        ran = await run("ask", "hi")
    assert (ran.code, len(one.received), len(other.received)) == (0, 0, 1), ran.err


async def test_a_cheaper_model_near_a_limit_is_asked_about_where_that_is_wanted(
    home: Path,
) -> None:
    async with two(home, HELLO, NEAR + ASK_FIRST) as (one, other):
        ran = await run("ask", "hi")
        assert "Ask two/m instead of one/m, which is near a limit? no, since nobody" in ran.err
        assert (ran.code, len(one.received), len(other.received)) == (0, 1, 0)
        allowed = await run("ask", "--yes", "hi")
        assert (allowed.code, len(one.received), len(other.received)) == (0, 1, 1)
    for typed, first, second in ((b"y\n", 0, 1), (b"\n", 1, 0)):
        async with two(home, HELLO, NEAR + ASK_FIRST) as (one, other):
            code, out, shown = await at_terminal(typed, "ask", "hi")
        assert (code, out) == (0, "Hello, world.\n")
        assert "aircher: Ask two/m instead of one/m, which is near a limit? [y/N] " in shown
        assert (len(one.received), len(other.received)) == (first, second)


async def test_a_long_wait_is_told_in_hours_and_with_its_end(home: Path) -> None:
    busy = replace(error(429, "slow down"), headers=(("Retry-After", "5400"),))
    async with serving(busy) as server:
        write_config(home, config(server))
        ran = await run("ask", "hi")
    said = r"Wait 1 hour 30 minutes, or use another provider\. The wait is over at \d\d:\d\d"
    assert re.search(said, ran.err), ran.err
    assert len(server.received) == 1


async def test_a_wait_is_counted_down_where_somebody_sits(home: Path) -> None:
    busy = replace(error(429, "slow down"), headers=(("Retry-After", "2"),))
    async with serving(busy, HELLO) as server:
        write_config(home, config(server))
        keys, screen = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *AIRCHER, "ask", "hi", stdin=screen, stdout=asyncio.subprocess.PIPE, stderr=screen
        )
        os.close(screen)
        out, _ = await process.communicate()
    shown = os.read(keys, 65536).decode()
    os.close(keys)
    assert out.decode() == "Hello, world.\n"
    assert "\r  2 seconds left (Enter goes on at once)\x1b[K" in shown
    assert "\r  1 second left" in shown
    assert "left (Enter goes on at once)\x1b[K\r\x1b[K" in shown  # it is taken away again


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


async def test_what_never_left_costs_nothing_and_what_went_silent_its_worst_case(
    home: Path,
) -> None:
    slow = 'timeout = "400ms"\n'
    with full_backlog() as port:
        table = config(Loopback([], url=f"http://127.0.0.1:{port}"))
        write_config(home, table.replace('model = "m"\n', f'model = "m"\n{slow}'))
        never = await run("ask", "hi", "--output-format", "json")
        assert (await run("costs", "--json")).json["total"]["usd"] == "0"
    async with serving(Answer(HELLO.body, steps=(5.0,))) as server:
        write_config(home, config(server).replace('model = "m"\n', f'model = "m"\n{slow}'))
        silent = await run("ask", "hi", "--output-format", "json")
    assert {one["cost"]["usd"] for one in never.json["attempts"]} == {"0"}
    assert never.json["error"]["kind"] == silent.json["error"]["kind"] == "timeout"
    for one in silent.json["attempts"]:
        assert one["cost"]["tag"] == "estimated"
        assert float(one["cost"]["usd"]) > 0
