"""``aircher provider status`` and ``reset``: what other runs of the program saw."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
from pathlib import Path
from typing import Any

from tests.cli.test_ask import HELLO, chunk, config
from tests.support.loopback import paced, plain, serving
from tests.support.program import AIRCHER, Ran, run, write_config

FULL = plain({"error": {"message": "we are full"}}, 503)
BAD_KEY = plain({"error": {"message": "bad key", "code": "invalid_api_key"}}, 401)


def with_other(text: str, url: str) -> str:
    """A second provider, behind the first."""
    text = text.replace('fallback_order = ["mine"]', 'fallback_order = ["mine", "other"]')
    return text + f'[providers.other]\nkind = "openai"\nbase_url = "{url}/v1"\nmodel = "m"\n'


def status(ran: Ran) -> dict[str, Any]:
    return {row["provider"]: row for row in ran.json}


async def test_what_one_run_saw_the_next_run_tells(home: Path) -> None:
    async with serving(FULL) as server:
        write_config(home, config(server) + "[breaker]\nfailures = 2\nreset = '5m'\n")
        before = await run("provider", "status", "--json")
        assert (before.code, status(before)["mine"]["state"]) == (0, "unknown")
        assert (await run("ask", "hi")).code == 1
        ran = await run("provider", "status", "--json")
        row = status(ran)["mine"]
        assert ran.code == 1
        assert (row["state"], row["breaker"], row["failures"]) == ("unhealthy", "open", 2)
        assert "we are full" in row["last_error"]
        table = await run("provider", "status")
        assert "paused 29" in table.out or "paused 300 s" in table.out
        # Nobody was asked for all that.
        assert len(server.received) == 2
        assert (await run("provider", "reset", "mine/m")).code == 0
        row = status(await run("provider", "status", "--json"))["mine"]
        assert (row["breaker"], row["failures"]) == ("closed", 0)
        for wrong, near in (("nosuch", "provider list"), ("mone", "mine?"), ("mine/n", "mine/m")):
            refused = await run("provider", "reset", wrong)
            assert refused.code == 2
            assert near in refused.err, refused.err


async def test_two_processes_at_once_send_one_probe(home: Path) -> None:
    slow = paced(0.5, chunk("back"), chunk(finish="stop"))
    async with serving(FULL, FULL, slow) as mine, serving(HELLO) as good:
        write_config(
            home, with_other(config(mine), good.url) + '[breaker]\nfailures = 2\nreset = "1s"\n'
        )
        assert (await run("ask", "hi")).out == "Hello, world.\n"
        breaker = "open"
        async with asyncio.timeout(20):
            while breaker == "open":
                breaker = status(await run("provider", "status", "--json"))["mine"]["breaker"]
        assert breaker == "half_open"
        both = await asyncio.gather(run("ask", "one"), run("ask", "two"))
        assert sorted(ran.out for ran in both) == ["Hello, world.\n", "back\n"]
        assert len(mine.received) == 3
        after = status(await run("provider", "status", "--json"))["mine"]
        assert after["breaker"] == "closed"


async def test_a_wrong_key_costs_one_call_and_the_reason_is_told(home: Path) -> None:
    async with serving(BAD_KEY) as bad, serving(HELLO) as good:
        write_config(home, with_other(config(bad), good.url))
        for _ in range(3):
            ran = await run("ask", "hi")
            assert (ran.code, ran.out) == (0, "Hello, world.\n")
        assert len(bad.received) == 1
        assert "mine/m is left out: paused for 10 min (its key was not accepted)" in ran.err


async def test_requests_per_minute_hold_across_processes(home: Path) -> None:
    async with serving(HELLO) as server:
        write_config(home, config(server, requests_per_min="1"))
        first = await run("ask", "hi")
        assert first.code == 0
        assert "queue:" not in first.err
        process = await asyncio.create_subprocess_exec(
            *AIRCHER, "ask", "hi", stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stderr is not None
        line = b""
        async with asyncio.timeout(20):
            while not line.startswith(b"queue:"):
                line = await process.stderr.readline()
        assert b"your limit of 1 requests a minute" in line
        process.send_signal(signal.SIGINT)
        await process.communicate()
        assert len(server.received) == 1


async def test_probe_asks_for_the_model_list_and_nothing_else(home: Path) -> None:
    listed = plain({"object": "list", "data": [{"id": "m", "object": "model"}]})
    async with serving(listed) as server:
        write_config(home, config(server))
        ran = await run("provider", "status", "--probe", "--json")
        row = status(ran)["mine"]
        assert (ran.code, row["state"], row["only_probed"]) == (0, "healthy", True)
        assert row["latency_ms"] is not None
        assert [request.path for request in server.received] == ["/v1/models"]


async def test_watch_is_a_line_each_time_where_nobody_looks(home: Path) -> None:
    async with serving(HELLO) as server:
        write_config(home, config(server))
        process = await asyncio.create_subprocess_exec(
            *AIRCHER, "provider", "status", "--watch", stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        async with asyncio.timeout(20):
            lines = [await process.stdout.readline() for _ in range(2)]
        process.send_signal(signal.SIGINT)
        await process.communicate()
        assert all(b"mine unknown" in line and b"\x1b" not in line for line in lines)
        assert process.returncode == 130


async def test_watch_draws_in_place_on_a_terminal(home: Path) -> None:
    async with serving(HELLO) as server:
        write_config(home, config(server))
        ours, theirs = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *AIRCHER, "provider", "status", "--watch", stdout=theirs
        )
        os.close(theirs)
        seen = b""
        async with asyncio.timeout(20):
            while seen.count(b"PROVIDER") < 2:
                seen += await asyncio.to_thread(os.read, ours, 4096)
        process.send_signal(signal.SIGINT)
        await process.wait()
        os.close(ours)
        assert b"F\x1b[J" in seen
