"""The terminal under strain: a window that changes all the time while an answer comes."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.stories.vendor import answer, config
from tests.support.loopback import serving
from tests.support.program import run, write_config
from tests.support.ptys import OnPty
from tests.support.sequences import leaks

pytestmark = pytest.mark.security


async def test_a_thousand_resizes_while_an_answer_streams(home, tmp_path) -> None:
    go = asyncio.Event()
    steps = [step for n in range(150) for step in (f"piece {n} of it, ", 0.02)]
    sizes = random.Random(7)
    env = {"ALPHA_KEY": "sk-alpha-0123456789abcdef"}
    async with serving(answer(*steps, go, "\n\nthe end.")) as alpha, serving(answer("no")) as beta:
        write_config(home, config(alpha, beta))
        async with OnPty(env=env, cwd=tmp_path) as chat:
            await chat.wait_for(b"Answers now")
            await chat.type("what is a branch\r")
            await chat.wait_for(b"piece 0")
            for _ in range(1000):
                chat.resize(sizes.randint(1, 200), sizes.randint(1, 60))
                await asyncio.sleep(0.003)
            chat.resize(120, 36)
            go.set()
            await chat.wait_for(b"the end.")
            await chat.type("\x04")
            assert await chat.ended() == 0
            assert leaks(bytes(chat.output), drawing=True) == []
            assert b"Traceback" not in chat.output
    found = await run("sessions", "search", "end")
    assert "what is a branch" in found.out
