"""Whatever is hostile in answers, names and errors, no byte of it acts on the terminal.

Every sink is a run of the real program on a pseudo-terminal; every byte it writes is read by a
parser that knows only the controls that the program itself uses.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from aircher.domain.inert import inert
from tests.stories.vendor import answer, chunk, config
from tests.support.loopback import Answer, Loopback, paced, plain, serving
from tests.support.program import run, write_config
from tests.support.ptys import OnPty, on_pty, words
from tests.support.sequences import arrived, leaks, payloads

pytestmark = pytest.mark.security

ALL = "\n".join(payloads().values())
WORDS = " ".join(payloads().values()).replace("\x00", "").encode("utf-8", "replace").decode()
EXAMPLES = 10_000 if os.environ.get("AIRCHER_TEST_WHOLE") else 300
MARKS = [f"PWN{n:02}x" for n in range(len(payloads()))]


@dataclass
class World:
    """Two servers, a configuration and a folder, all of them hostile."""

    alpha: Loopback
    beta: Loopback
    folder: Path
    home: Path

    async def run(self, *words: str, keys: str = "") -> bytes:
        env = {"ALPHA_KEY": "sk-alpha-0123456789abcdef"}
        _, output = await on_pty(*words, env=env, cwd=self.folder, keys=keys)
        return output

    async def shown(self) -> bytes:
        """The newest conversation, as the program prints it."""
        listed = await run("sessions", "list", "--json")
        return await self.run("sessions", "show", listed.json[0]["id"])


def storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def hostile_answer(kind: str = "content") -> Answer:
    """The texts as one answer, whole and then each cut at every character."""
    pieces = [storable(ALL)]
    for text in map(storable, payloads().values()):
        for cut in range(1, len(text)):
            pieces += [text[:cut], text[cut:]]
    events = [
        {"id": "x", "model": "m", "object": "chat.completion.chunk",
         "choices": [{"index": 0, "delta": {kind: piece}, "finish_reason": None}]}
        for piece in pieces
    ]  # fmt: skip
    return paced(*events, chunk("\n\nend of the answer"), chunk(finish="stop"))


def refusal() -> Answer:
    """An error whose message, code and request id are hostile."""
    body = {"error": {"message": storable(WORDS), "type": storable(WORDS), "code": "x"}}
    return Answer(
        json.dumps(body).encode(), status=400, headers=(("x-request-id", "PWN00x\x1b]0;x\x07"),)
    )


@pytest.fixture
async def world(home: Path, tmp_path: Path):
    folder = tmp_path / "project"
    folder.mkdir()
    async with serving(answer("fine")) as alpha, serving(answer("fine")) as beta:
        write_config(home, config(alpha, beta))
        yield World(alpha, beta, folder, home)


async def _answer(world: World) -> bytes:
    world.alpha.answers[:] = [hostile_answer()]
    return await world.run("ask", "what is a branch")


async def _reasoning(world: World) -> bytes:
    world.alpha.answers[:] = [hostile_answer("reasoning_content")]
    return await world.run("ask", "what is a branch") + await world.shown()


async def _json(world: World) -> bytes:
    world.alpha.answers[:] = [hostile_answer()]
    return await world.run("ask", "--output-format", "json", "what is a branch")


async def _events(world: World) -> bytes:
    world.alpha.answers[:] = [hostile_answer()]
    return await world.run("ask", "--output-format", "stream-json", "what is a branch")


async def _error(world: World) -> bytes:
    world.alpha.answers[:] = [refusal()]
    return await world.run("ask", "--no-fallback", "what is a branch")


async def _fallback(world: World) -> bytes:
    world.alpha.answers[:] = [Answer(refusal().body, status=503)]
    return await world.run("ask", "what is a branch")


async def _broken_body(world: World) -> bytes:
    body = ALL.encode("utf-8", "surrogatepass")
    world.alpha.answers[:] = [Answer(body, status=400, content_type="text/plain")]
    return await world.run("ask", "--no-fallback", "what is a branch")


async def _models(world: World) -> bytes:
    world.alpha.answers[:] = [plain({"object": "list", "data": [
        {"id": storable(text), "object": "model"} for text in payloads().values()]})]  # fmt: skip
    return await world.run("models", "--all")


async def _sessions(world: World) -> bytes:
    await world.run("ask", "-q", f"PWN00x {WORDS[:4000]}")
    shown = await world.run("sessions", "list") + await world.shown()
    return shown + await world.run("sessions", "search", "PWN00x")


async def _arguments(world: World) -> bytes:
    runs = [
        await world.run(f"--{WORDS[:300]}"),
        await world.run(WORDS[:300]),
        await world.run("ask", "-f", WORDS[:200], "x"),
        await world.run("ask", "-m", WORDS[:200], "x"),
        await world.run("ask", "--task", WORDS[:200], "x"),
        await world.run("sessions", "show", WORDS[:200]),
        await world.run("config", "show", WORDS[:200]),
    ]
    return b"".join(runs)


async def _configuration(world: World) -> bytes:
    written = tomli_w.dumps({"providers": {"alpha": {"model": WORDS, WORDS[:40]: 1}}, WORDS: 2})
    write_config(world.home, written)
    broken = await world.run("config", "check")
    prompt = tomli_w.dumps({"chat": {"system_prompt": WORDS}})
    write_config(world.home, config(world.alpha, world.beta, prompt))
    return broken + await world.run("config", "show") + await world.run("doctor")


async def _route(world: World) -> bytes:
    return await world.run("route", "-m", WORDS[:300], f"explain this {WORDS[:3000]}")


async def _files_and_branches(world: World) -> bytes:
    def git(*words: str) -> None:
        subprocess.run(("git", *words), cwd=world.folder, check=True, capture_output=True)

    git("init", "-q", "-b", "PWN00x\u202emain\u200b")
    name = "PWN01x\x1b]0;x\x07\x9d.py"
    (world.folder / name).write_text(WORDS)
    git("add", "-A")
    listed = await world.run("ask", "-f", name, "look at this")
    return listed + await world.run("route", "-f", name, "review this") + await world.shown()


async def _costs(world: World) -> bytes:
    await world.run("ask", "-q", "-m", f"alpha/{storable(WORDS)[:150]}", "hello")
    return await world.run("costs", "--by", "model") + await world.run("provider", "status")


SINKS: dict[str, Callable[[World], Awaitable[bytes]]] = {
    "an answer": _answer,
    "reasoning": _reasoning,
    "json": _json,
    "stream-json": _events,
    "a provider's error": _error,
    "the seam of a fallback": _fallback,
    "a body that is no json": _broken_body,
    "model ids": _models,
    "old conversations": _sessions,
    "arguments": _arguments,
    "a configuration": _configuration,
    "the explanation of a route": _route,
    "file and branch names": _files_and_branches,
    "costs": _costs,
}


@pytest.mark.parametrize("sink", SINKS)
async def test_no_control_gets_out_of_a_command(world: World, sink: str) -> None:
    output = await SINKS[sink](world)
    assert b"PWN0" in output  # it was shown at all
    assert leaks(output, drawing=False) == []


async def test_no_control_gets_out_of_the_chat(world: World) -> None:
    world.alpha.answers[:] = [hostile_answer(), refusal(), answer("fine")]
    hostile = storable(WORDS)[:1500]
    (world.folder / "PWN01x\x1b]0;x\x07\x9d.py").write_text("x = 1\n")
    env = {"ALPHA_KEY": "sk-alpha-0123456789abcdef", "TERM_PROGRAM": "PWN00x\x1b]0;x\x07"}
    async with OnPty(env=env, cwd=world.folder) as run:
        await run.wait_for(b"Answers now")
        await run.type("hello\r")
        await run.wait_for(b"end of the answer")
        await run.type(f"\x1b[200~{hostile}\x1b[201~")
        await run.wait_for(b"PWN70x")
        await run.type("\r")
        await run.wait_for(b"did not accept")
        await run.type("look at @PWN01x")
        await run.wait_for(b"PWN01x")
        await run.type("\x1b")
        await asyncio.sleep(0.2)
        for key, seen in (("\x12", b"Earlier chats"), ("\x1bOQ", b"")):
            await run.type(key)
            if seen:
                await run.wait_for(seen)
            await run.type("\x1b")
            await asyncio.sleep(0.2)
        await run.type("\x03\x03\x03")
        assert await run.ended() == 0
        output = bytes(run.output)
    shown = words(output)
    # What streams past between two frames is not drawn; most of it is.
    assert sum(mark.encode() in shown for mark in MARKS) > len(MARKS) / 2
    assert leaks(output, drawing=True) == []
    assert arrived(output) == []


@given(
    st.text(
        alphabet=st.one_of(st.characters(), st.sampled_from("\x1b\x9b\x9d]0;\x07\u200d\u202e")),
        max_size=80,
    )
)
@settings(max_examples=EXAMPLES)
def test_any_text_is_harmless_and_stays_so_when_cut(text: str) -> None:
    once = inert(text)
    assert leaks(once.encode(), drawing=False) == []
    assert inert(once) == once
    for cut in range(len(text)):
        assert leaks((inert(text[:cut]) + inert(text[cut:])).encode(), drawing=False) == []


@pytest.mark.parametrize(
    "text",
    ["plain\ttext\n", "caf\u00e9 \u4f60\u597d", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
     "\u2714\ufe0f", "\u0915\u094d\u200d\u0937"],
)  # fmt: skip
def test_what_people_write_stays(text: str) -> None:
    assert inert(text) == text
