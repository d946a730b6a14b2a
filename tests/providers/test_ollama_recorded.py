"""Ollama's dialect against recorded traffic: every case gives exactly what was recorded."""

from __future__ import annotations

import pytest

from aircher.domain.chat import ChatRequest
from aircher.domain.errors import ProviderError
from aircher.domain.messages import user
from aircher.providers.connection import Connection
from aircher.providers.dialects.ollama import Ollama, connect
from tests.support.wire import (
    FAULTS,
    Case,
    Replay,
    assert_as_expected,
    assert_fault,
    case_id,
    cases,
    collect,
    patience,
)

pytestmark = pytest.mark.wire

CHATS = cases("ollama_chat", "ollama_generate", providers=("ollama",))
STREAMS = [case for case in CHATS if case.streaming]
MODELS = cases("models", providers=("ollama",))
MODES = (
    "",
    "cut=utf8,delay=0",
    "cut=random:7,delay=0",
    "chunk=1,delay=0",
    "chunk=7,delay=0",
    "gzip=1",
)


def ollama(case: Case, base_url: str, idle_timeout_s: float = 20.0) -> Ollama:
    options = {"api": "generate"} if case.api == "ollama_generate" else {}
    return connect(Connection("ollama", base_url, idle_timeout_s=idle_timeout_s, options=options))


async def ask(case: Case, base_url: str, *, stream: bool, idle_timeout_s: float = 20.0):
    provider = ollama(case, base_url, idle_timeout_s)
    try:
        return await collect(provider.stream(ChatRequest(case.model, (user("Hi"),), stream=stream)))
    finally:
        await provider.aclose()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", CHATS, ids=case_id)
async def test_every_recording_is_read_exactly(case: Case, mode: str, replay: Replay) -> None:
    reply, error = await ask(case, replay.url(case.id, mode), stream=case.streaming)
    assert_as_expected(case.expect, reply, error)


@pytest.mark.parametrize("case", CHATS, ids=case_id)
async def test_streamed_or_whole_is_told_by_the_answer_not_by_the_question(
    case: Case, replay: Replay
) -> None:
    reply, error = await ask(case, replay.url(case.id), stream=not case.streaming)
    assert_as_expected(case.expect, reply, error)


@pytest.mark.parametrize("case", STREAMS, ids=case_id)
async def test_nothing_is_awaited_after_the_last_line(case: Case, replay: Replay) -> None:
    url = replay.url(case.id, "noclose=1")
    reply, error = await ask(case, url, stream=True, idle_timeout_s=2)
    assert_as_expected(case.expect, reply, error)


@pytest.mark.parametrize("mode", FAULTS)
@pytest.mark.parametrize("case", STREAMS, ids=case_id)
async def test_a_broken_stream_is_never_taken_for_a_whole_reply(
    case: Case, mode: str, replay: Replay
) -> None:
    _, error = await ask(
        case, replay.url(case.id, mode), stream=True, idle_timeout_s=patience(mode)
    )
    assert_fault(error, mode, "ollama", case.model)


@pytest.mark.parametrize("at", range(0, 900, 31))
async def test_wherever_a_stream_is_cut_it_is_an_error(at: int, replay: Replay) -> None:
    case = next(c for c in STREAMS if c.kind == "thinking")
    assert len(case.response["body_text"].encode()) > 900
    _, error = await ask(case, replay.url(case.id, f"truncate={at}"), stream=True)
    assert error is not None
    assert error.kind == "malformed"


@pytest.mark.parametrize("mode", ["", "chunk=1,delay=0", "gzip=1"])
@pytest.mark.parametrize("case", MODELS, ids=case_id)
async def test_models_are_listed(case: Case, mode: str, replay: Replay) -> None:
    provider = ollama(case, replay.url(case.id, mode))
    listed = await provider.models()
    assert [model.id for model in listed] == case.expect["models"]
    assert all(model.size_bytes for model in listed)
    await provider.aclose()


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("garbage=json", "malformed"),
        ("garbage=bytes", "malformed"),
        ("empty=1", "malformed"),
        ("truncate=30", "malformed"),
        ("drop=5", "network"),
        ("slowheaders=3", "timeout"),
        ("fail=500x9", "server"),
    ],
)
async def test_a_model_list_that_failed_is_an_error(mode: str, kind: str, replay: Replay) -> None:
    provider = ollama(MODELS[0], replay.url(MODELS[0].id, mode), 0.3)
    try:
        with pytest.raises(ProviderError) as caught:
            await provider.models()
    finally:
        await provider.aclose()
    assert caught.value.kind == kind
