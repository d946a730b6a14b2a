"""Gemini's dialect against recorded traffic: every case gives exactly what was recorded."""

from __future__ import annotations

import asyncio

import pytest

from aircher.domain.chat import ChatRequest, Reply
from aircher.domain.errors import ProviderError
from aircher.domain.messages import user
from aircher.providers.connection import Connection
from aircher.providers.dialects.gemini import Gemini, connect
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

VENDORS = ("gemini", "vertex")
GENERATED = cases("generate_content", providers=VENDORS)
STREAMS = [case for case in GENERATED if case.streaming]
WHOLE = [case for case in GENERATED if not case.streaming and not case.expect["error_class"]]
VERTEX = {"cloud": "vertex", "project": "p", "location": "europe-west4"}
KEY = "AIzaTestKeyThatIsNone0123456789abcdefg"

# Pieces come without pauses between them where there are thousands.
MODES = (
    "",
    "cut=utf8,delay=0",
    "cut=line,delay=0",
    "cut=random:7,delay=0",
    "chunk=1,delay=0",
    "chunk=7,delay=0",
    "gzip=1",
    "crlf=1",
    "ping=2",
)
WHOLE_MODES = ("cut=utf8,delay=0", "chunk=7,delay=0", "gzip=1")


def gemini(case: Case, url: str, idle_timeout_s: float = 20.0) -> Gemini:
    vertex = case.provider == "vertex"
    options = VERTEX if vertex else {}
    return connect(
        Connection(case.provider, url, KEY, idle_timeout_s=idle_timeout_s, options=options)
    )


async def ask(
    case: Case, url: str, *, stream: bool, idle_timeout_s: float = 20.0
) -> tuple[Reply, ProviderError | None]:
    provider = gemini(case, url, idle_timeout_s)
    try:
        return await collect(
            provider.stream(ChatRequest("gemini-2.5-flash", (user("Hello"),), stream=stream))
        )
    finally:
        await provider.aclose()


def modes(case: Case) -> tuple[str, ...]:
    """Whole bodies are only cut in a few ways; an array has no events to put pings between."""
    if not case.streaming:
        return ("", *WHOLE_MODES)
    return MODES[:-1] if case.response["body_text"].startswith("[") else MODES


@pytest.mark.parametrize(
    ("case", "mode"),
    [
        pytest.param(case, mode, id=f"{case.id}-{mode}")
        for case in GENERATED
        for mode in modes(case)
    ],
)
async def test_every_recording_is_read_exactly(case: Case, mode: str, replay: Replay) -> None:
    reply, error = await ask(case, replay.url(case.id, mode), stream=case.streaming)
    assert_as_expected(case.expect, reply, error)


@pytest.mark.parametrize("case", GENERATED, ids=case_id)
async def test_streamed_or_whole_is_told_by_the_answer_not_by_the_question(
    case: Case, replay: Replay
) -> None:
    reply, error = await ask(case, replay.url(case.id), stream=not case.streaming)
    assert_as_expected(case.expect, reply, error)


async def test_what_a_filter_withheld_keeps_its_usage_and_reason(replay: Replay) -> None:
    withheld = [case for case in GENERATED if "content-filter" in case.id]
    assert withheld
    for case in withheld:
        reply, error = await ask(case, replay.url(case.id), stream=False)
        assert error is not None
        assert error.kind == "content_filter"
        assert error.request_id
        assert reply.outcome == "content_filter"
        assert reply.finish_reason == case.expect["finish_reason"]


OUR_FAULTS = {
    **FAULTS,
    "garbage=sse": "malformed",
    "fail=403x9": "permission",
    "fail=404x9": "not_found",
    "fail=413x9": "context_length",
}


@pytest.mark.parametrize("mode", OUR_FAULTS)
@pytest.mark.parametrize("case", STREAMS[::3] + WHOLE[::6], ids=case_id)
async def test_a_broken_answer_is_never_taken_for_a_whole_reply(
    case: Case, mode: str, replay: Replay
) -> None:
    url = replay.url(case.id, mode)
    _, error = await ask(case, url, stream=case.streaming, idle_timeout_s=patience(mode))
    assert_fault(error, mode, case.provider, "gemini-2.5-flash", OUR_FAULTS)


@pytest.mark.parametrize(
    "case",
    [next(c for c in STREAMS if word in c.id) for word in ("structured", "thinking")][:2]
    if STREAMS
    else [],
    ids=case_id,
)
async def test_wherever_a_stream_is_cut_text_is_a_beginning_and_the_end_is_an_error(
    case: Case, replay: Replay
) -> None:
    size = len(case.response["body_text"].encode())
    for at in range(0, size - 1500, max(1, size // 25)):
        reply, error = await ask(case, replay.url(case.id, f"truncate={at}"), stream=True)
        assert error is not None, at
        assert error.kind == "malformed", at
        assert case.expect["text"].startswith(reply.text)


async def test_a_body_that_is_never_closed_does_not_hold_the_answer_back(replay: Replay) -> None:
    case = STREAMS[0]
    async with asyncio.timeout(10):  # well below the idle timeout
        reply, error = await ask(case, replay.url(case.id, "noclose=1"), stream=True)
    assert_as_expected(case.expect, reply, error)


LISTS = cases("models", providers=VENDORS)


@pytest.mark.parametrize("mode", ["", "chunk=7,delay=0", "gzip=1"])
@pytest.mark.parametrize("case", LISTS, ids=case_id)
async def test_models_are_listed_by_the_apis_names(case: Case, mode: str, replay: Replay) -> None:
    provider = gemini(case, replay.url(case.id, mode))
    listed = await provider.models()
    await provider.aclose()
    assert [row.id for row in listed] == case.expect["models"]
    flash = next(row for row in listed if row.id == "models/gemini-2.5-flash")
    assert (flash.context_window, flash.max_output) == (1_048_576, 65_536)
    assert "thinking" in flash.features


COUNTS = cases("count_tokens", providers=VENDORS)


@pytest.mark.parametrize("mode", ["", "chunk=1,delay=0", "gzip=1"])
@pytest.mark.parametrize("case", COUNTS, ids=case_id)
async def test_tokens_are_counted(case: Case, mode: str, replay: Replay) -> None:
    provider = gemini(case, replay.url(case.id, mode))
    request = ChatRequest("gemini-2.5-flash", (user("Hello"),), system="Be terse.")
    assert await provider.count_tokens(request) == case.expect["input_tokens"]
    await provider.aclose()


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("garbage=json", "malformed"),
        ("garbage=bytes", "malformed"),
        ("empty=1", "malformed"),
        ("truncate=20", "malformed"),
        ("ctype=text~html", "malformed"),
        ("drop=5", "network"),
        ("slowheaders=3", "timeout"),
        ("fail=401x9", "auth"),
    ],
)
@pytest.mark.parametrize("what", ["models", "count"])
async def test_a_list_or_count_that_failed_is_an_error(
    mode: str, kind: str, what: str, replay: Replay
) -> None:
    case = (LISTS if what == "models" else COUNTS)[0]
    provider = gemini(case, replay.url(case.id, mode), 0.3)
    request = ChatRequest("m", (user("Hello"),))
    call = provider.models() if what == "models" else provider.count_tokens(request)
    with pytest.raises(ProviderError) as caught:
        await call
    assert caught.value.kind == kind
    await provider.aclose()
