"""Bytes that are no text end nothing: stdin, arguments, files, names, settings, bodies, pastes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stories.vendor import answer, config, said
from tests.support.loopback import Answer, plain, serving
from tests.support.many import Line, Outcome, run_many
from tests.support.program import run, write_config
from tests.support.ptys import OnPty

pytestmark = pytest.mark.security

GARBAGE: dict[str, bytes] = {
    "a bad byte": b"what is \xff this",
    "a bad start": b"\xc3(",
    "cut utf-8": "caf\u00e9 \U0001f600".encode()[:-2],
    "overlong": b"\xc0\xaf\xe0\x80\xaf",
    "a lone surrogate": "x\ud83dy".encode("utf-8", "surrogatepass"),
    "surrogates the wrong way": "\udc00\ud800".encode("utf-8", "surrogatepass"),
    "cesu-8": b"\xed\xa0\xbd\xed\xb8\x80",
    "beyond unicode": b"\xf4\x90\x80\x80\xf8\x88\x80\x80\x80",
    "latin-1": "gr\u00fc\u00dfe".encode("latin-1"),
    "utf-16 with mark": "hello".encode("utf-16"),
    "utf-32": "hello".encode("utf-32"),
    "a byte-order mark": b"\xef\xbb\xbfhello",
    "nul in the middle": b"a\x00b",
    "only nul": b"\x00\x00\x00",
    "all bytes": bytes(range(256)),
    "controls": bytes(range(32)) + b"\x7f",
    "c1 as utf-8": "".join(map(chr, range(0x80, 0xA0))).encode(),
    "noncharacters": "\ufffe\uffff\U0010ffff".encode(),
    "many bad bytes": b"\xff" * 5000,
    "gzip": bytes.fromhex("1f8b0800000000000003cb48cdc9c95728cf2fca490100"),
    "returns": b"a\r\rb\r\n\x0b\x0c\x85",
}


def text(data: bytes) -> bytes:
    """As an argument or a name can carry it."""
    return data.replace(b"\x00", b"").replace(b"/", b"") or b"x"


async def ended_well(lines: list[Line], cwd: Path, codes: set[int]) -> list[Outcome]:
    outcomes = await run_many(lines, cwd)
    for name, outcome in zip(GARBAGE, outcomes, strict=True):
        assert outcome.fault == "", name
        assert outcome.code in codes, (name, outcome)
        assert b"Traceback" not in outcome.err, name
        outcome.out.decode()  # all that is printed is valid UTF-8
        outcome.err.decode()
    return outcomes


@pytest.fixture
async def folder(home: Path, tmp_path: Path):
    async with serving(answer("fine")) as alpha, serving(answer("fine")) as beta:
        write_config(home, config(alpha, beta))
        made = tmp_path / "project"
        made.mkdir()
        yield made, alpha


async def test_on_stdin(folder) -> None:
    lines = [Line(("ask", "-q"), data) for data in GARBAGE.values()]
    outcomes = await ended_well(lines, folder[0], {0})
    assert all(outcome.out == b"fine\n" for outcome in outcomes)


async def test_as_an_argument(folder) -> None:
    lines = [Line(("ask", "-q", b"about " + text(data))) for data in GARBAGE.values()]
    await ended_well(lines, folder[0], {0})
    listed = await run("sessions", "list", "--json", "--limit", "99")
    assert len(listed.json) == len(GARBAGE)


async def test_in_a_file(folder) -> None:
    project, _ = folder
    for n, data in enumerate(GARBAGE.values()):
        (project / f"f{n}.txt").write_bytes(data)
    lines = [Line(("ask", "-q", "-f", f"f{n}.txt", "read it")) for n in range(len(GARBAGE))]
    outcomes = await ended_well(lines, project, {0, 2})
    assert sum(outcome.code == 0 for outcome in outcomes) > len(GARBAGE) / 2
    assert all(b"aircher: " in outcome.err for outcome in outcomes if outcome.code)


async def test_as_the_name_of_a_file_in_a_repository(folder) -> None:
    project, _ = folder
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    names = [b"n%d-" % n + text(data)[:100] for n, data in enumerate(GARBAGE.values())]
    for name in names:
        Path(os.fsdecode(os.fsencode(project) + b"/" + name)).write_text("x = 1\n")
    subprocess.run(["git", "add", "-A"], cwd=project, check=True)
    await ended_well(
        [Line(("ask", "-q", "-f", name, "read it")) for name in names], project, {0, 2}
    )


BODIES: dict[str, Callable[[bytes], Answer]] = {
    "the body of an answer": lambda data: Answer(data, content_type="text/event-stream"),
    "a piece of an answer": lambda data: Answer(
        b'data: {"id":"x","choices":[{"index":0,"delta":{"content":"' + data + b'"}}]}\n\n'
        b"data: [DONE]\n\n",
        content_type="text/event-stream",
    ),
    "the body of an error": lambda data: Answer(data, status=400),
    "a web page": lambda data: Answer(data, status=502, content_type="text/html"),
    "a list of models": lambda data: Answer(b'{"data":[{"id":"' + data + b'"}]}'),
}


@pytest.mark.parametrize("where", BODIES)
async def test_in_what_a_provider_sends(folder, monkeypatch, where: str) -> None:
    project, alpha = folder
    alpha.answers[:] = [*map(BODIES[where], GARBAGE.values()), plain({})]
    words = (
        ("models", "--all", "alpha") if "models" in where else ("ask", "-q", "--no-fallback", "x")
    )
    monkeypatch.setenv("ALPHA_KEY", "sk-alpha-0123456789abcdef")
    await ended_well([Line(words) for _ in GARBAGE], project, {0, 1})


async def test_in_the_configuration(folder, home: Path) -> None:
    project, _ = folder
    for name, data in GARBAGE.items():
        path = write_config(home, "")
        path.write_bytes(b'[chat]\nsystem_prompt = "' + data + b'"\n')
        (outcome,) = await run_many([Line(("config", "check"))], project)
        assert outcome.fault == "", name
        assert outcome.code in {0, 7}, (name, outcome)


async def test_pasted_and_typed_in_the_chat(folder) -> None:
    project, alpha = folder
    env = {"ALPHA_KEY": "sk-alpha-0123456789abcdef"}
    async with OnPty(env=env, cwd=project) as chat:
        await chat.wait_for(b"Answers now")
        await chat.type(b"first\r")
        await chat.wait_for(b"fine")
        for n, data in enumerate(GARBAGE.values()):
            pasted = data.replace(b"\x1b", b"")
            await chat.type(b"\x1b[200~" + pasted + b"\x1b[201~")
            mark = f"seen{n:02}"
            await chat.type(mark.encode() + b"\r")
            await chat.wait_for(lambda _, mark=mark: mark in said(alpha)[-1][1])
        await chat.type(b"the last of them\r")
        await chat.wait_for(lambda _: "the last of them" in said(alpha)[-1][1])
        await chat.type(b"\x04")
        assert await chat.ended() == 0
