"""Recorded answers of real vendors, cut in the middle, through the real SDKs: another goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aircher.domain.chat import ChatRequest, TextDelta
from aircher.domain.events import FallingBack, Finished
from aircher.domain.messages import user
from aircher.domain.models import ModelRef
from aircher.domain.ports import Provider
from aircher.domain.routes import Rules
from aircher.policy.continuing import INSTRUCTION, QUOTED
from aircher.providers.connection import Connection
from aircher.providers.dialects import anthropic, gemini, ollama
from aircher.providers.either import CHAT, RESPONSES, made
from tests.engine.conftest import Build
from tests.support.chat import TableCatalog
from tests.support.wire import Case, Replay, case_id, cases, collect, running

pytestmark = pytest.mark.wire

CLAUDE = "claude-sonnet-4-5"
"""A model that takes an unfinished answer as the last message; later ones refuse it."""


@pytest.fixture(scope="module")
def replay(wire_folder: Path) -> Iterator[Replay]:
    assert wire_folder.is_dir()
    with running() as server:
        yield server


def connected(case: Case, name: str, url: str) -> Provider:
    """The real provider of a recording, as the engine gets it."""
    key = "sk-test-0123456789"
    match case.api:
        case "messages":
            return anthropic.connect(Connection(name, url, key, idle_timeout_s=20))
        case "generate_content":
            return gemini.connect(Connection(name, url, key, idle_timeout_s=20))
        case "ollama_chat":
            return ollama.connect(Connection(name, url, idle_timeout_s=20))
        case api:
            module = {"chat_completions": CHAT, "responses": RESPONSES}[api]
            return made(Connection(name, f"{url}/v1", key, idle_timeout_s=20), module)


def chosen() -> list[Case]:
    """The longest plain answer of each protocol."""
    best: dict[str, Case] = {}
    for case in cases():
        text = case.expect["text"] or ""
        if case.streaming and case.kind == "text" and not case.expect["error_class"]:
            known = best.get(case.api)
            if known is None or len(text) > len(known.expect["text"]):
                best[case.api] = case
    return list(best.values())


CASES = chosen()


async def cut(case: Case, replay: Replay) -> tuple[str, str]:
    """An address where the answer breaks off in its text, and the part that comes."""
    size = len(case.response.get("body_text") or case.response.get("body_b64") or "")
    for share in (0.5, 0.65, 0.75, 0.85, 0.4, 0.3, 0.9):
        url = replay.url(case.id, f"drop={int(size * share)}")
        provider = connected(case, "a", url)
        reply, error = await collect(provider.stream(ChatRequest(case.model, (user("hi"),))))
        await provider.aclose()
        if error is not None and reply.text.strip() and reply.text != case.expect["text"]:
            return url, reply.text
    raise AssertionError(f"{case.id} cannot be cut inside its text")


def spoken(body: Any) -> list[str]:
    """The texts of a request's messages, in any vendor's form, in order."""
    body = json.loads(body) if isinstance(body, str) else body
    turns = next(body[name] for name in ("messages", "contents", "input") if name in body)
    return list(texts(turns))


def texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from texts(item)
        case dict():
            for name in ("content", "parts", "text"):
                yield from texts(value.get(name))


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda n: case_id(CASES[n]))
async def test_another_vendor_goes_on(number: int, build: Build, replay: Replay) -> None:
    first, second = CASES[number], CASES[(number + 1) % len(CASES)]
    url, part = await cut(first, replay)
    replay.reset()
    one = connected(first, "a", url)
    other = connected(second, "b", replay.url(second.id))
    bench = build(one, other)
    events = await bench.turn("tell me")
    assert isinstance(events[-1], Finished), events[-1]
    result = events[-1].result
    assert result.text == part + second.expect["text"]
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == result.text
    (move,) = [event for event in events if isinstance(event, FallingBack)]
    assert (move.kept, move.continues) == (len(part), True)
    assert move.error.kind in {"network", "malformed"}
    # The second vendor got the part as the model's own words, and was told to go on.
    *_, begun, told = spoken(replay.log()[-1]["body"])
    assert begun == part
    assert told == INSTRUCTION.format(end=part[-QUOTED:])
    # Two calls are on the bill and two parts on the disk.
    spent = bench.database.ledger.spend(bench.clock.now() - timedelta(days=1))
    assert (spent.calls, len(result.attempts)) == (2, 2)
    stored = bench.database.sessions.messages(result.session_id)
    assert [m.state for m in stored] == ["complete", "continued", "complete"]
    assert "".join(m.message.text for m in stored[1:]) == result.text
    for provider in (one, other):
        await provider.aclose()


async def test_where_the_model_takes_it_the_part_is_its_last_message(
    build: Build, replay: Replay
) -> None:
    first = CASES[0]
    claude = next(case for case in CASES if case.api == "messages")
    url, part = await cut(first, replay)
    one, other = connected(first, "a", url), connected(claude, "b", replay.url(claude.id))
    rules = Rules(order=("a", "b"), models={"a": "a-model", "b": CLAUDE})
    catalog = TableCatalog({"a-model": 1, CLAUDE: 1})
    events = await build(one, other, rules=rules, catalog=catalog).turn("tell me")
    assert isinstance(events[-1], Finished), events[-1]
    assert events[-1].result.ref == ModelRef("b", CLAUDE)
    assert spoken(replay.log()[-1]["body"])[-1] == part.rstrip()
    for provider in (one, other):
        await provider.aclose()
