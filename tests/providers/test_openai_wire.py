"""Recorded traffic of every vendor that speaks an OpenAI protocol, through the real SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal

import pytest

from aircher.domain.chat import ChatRequest, Reply
from aircher.domain.errors import ProviderError
from aircher.domain.messages import user
from aircher.providers.connection import Connection
from aircher.providers.either import CHAT, RESPONSES, made
from aircher.providers.vendors import canonical, vendors
from tests.support.wire import Case, Replay, assert_as_expected, case_id, cases, collect

pytestmark = pytest.mark.wire

MODULES = {"chat_completions": CHAT, "responses": RESPONSES}
ANSWERS = cases(*MODULES)
WHOLE_STREAMS = [case for case in ANSWERS if case.streaming and not case.expect["error_class"]]


def connection(case: Case, url: str, idle: float = 20.0) -> Connection:
    name = canonical(case.provider)
    row = vendors().get(name)
    return Connection(
        name, f"{url}/v1", "sk-test", idle_timeout_s=idle, quirks=row.quirks if row else {}
    )


async def ask(
    case: Case, url: str, *, idle: float = 20.0, stream: bool | None = None
) -> tuple[Reply, ProviderError | None]:
    provider = made(connection(case, url, idle), MODULES[case.api])
    wanted = case.streaming if stream is None else stream
    try:
        return await collect(provider.stream(ChatRequest(case.model, (user("hi"),), stream=wanted)))
    finally:
        await provider.aclose()


def modes_of(case: Case) -> Iterator[str]:
    """Ways to cut and wrap a body that must change nothing."""
    size = len(case.response.get("body_text") or case.response.get("body_b64") or "")
    yield ""
    yield "cut=utf8,delay=0"
    yield f"cut=random:{size},delay=0"
    yield "gzip=1"
    if case.streaming:
        yield "crlf=1"
        yield "ping=1"
    if size < 20_000:
        yield "chunk=1,delay=0"
        yield "chunk=7,delay=0"


@pytest.mark.parametrize("case", ANSWERS, ids=case_id)
async def test_gives_exactly_what_was_recorded(case: Case, replay: Replay) -> None:
    modes = list(modes_of(case))
    found = await asyncio.gather(*(ask(case, replay.url(case.id, mode)) for mode in modes))
    for mode, (reply, error) in zip(modes, found, strict=True):
        try:
            assert_as_expected(case.expect, reply, error)
        except AssertionError as wrong:
            raise AssertionError(f"{mode or 'as recorded'}: {wrong}") from wrong
        cost = case.expect.get("cost")
        if cost is not None:
            cost = cost["total_cost"] if isinstance(cost, dict) else cost
            assert Decimal(reply.vendor_cost_usd) == Decimal(str(cost))


@pytest.mark.parametrize("case", [c for c in ANSWERS if not c.streaming], ids=case_id)
async def test_a_plain_body_is_understood_though_a_stream_was_asked_for(
    case: Case, replay: Replay
) -> None:
    assert_as_expected(case.expect, *await ask(case, replay.url(case.id), stream=True))


SHORT = [
    next(c for c in WHOLE_STREAMS if c.api == api and c.provider == "openai" and c.kind == "text")
    for api in MODULES
    if WHOLE_STREAMS
]
FAULTS = {
    "drop=0": "network",
    "drop=150": "network",
    "drop=600,drop_rst=1": "network",
    "drop=headers": "network",
    "stall=3": "timeout",
    "stall=3@400": "timeout",
    "slowheaders=3": "timeout",
    "garbage=json": "malformed",
    "garbage=sse": "malformed",
    "garbage=bytes": "malformed",
    "ctype=text~html": "malformed",
    "empty=1": "malformed",
    "truncate=0": "malformed",
    "truncate=333": "malformed",
    "truncate=700": "malformed",
    "fail=400x9": "invalid_request",
    "fail=401x9": "auth",
    "fail=402x9": "quota",
    "fail=403x9": "permission",
    "fail=404x9": "not_found",
    "fail=408x9": "timeout",
    "fail=409x9": "server",
    "fail=413x9": "context_length",
    "fail=422x9": "invalid_request",
    "fail=429x9": "rate_limit",
    "fail=500x9": "server",
    "fail=502x9": "server",
    "fail=503x9": "overloaded",
    "fail=504x9": "timeout",
    "fail=529x9": "overloaded",
    "status=307": "address",
}


@pytest.mark.parametrize("case", SHORT, ids=case_id)
async def test_every_fault_becomes_an_error_of_ours(case: Case, replay: Replay) -> None:
    found = await asyncio.gather(
        *(ask(case, replay.url(case.id, mode), idle=0.6) for mode in FAULTS)
    )
    kinds = {
        mode: error.kind if error else None for mode, (_, error) in zip(FAULTS, found, strict=True)
    }
    assert kinds == FAULTS
    for _, error in found:
        assert error is not None
        assert "sk-test" not in f"{error.message} {error.hint}"


@pytest.mark.parametrize("case", WHOLE_STREAMS, ids=case_id)
async def test_no_half_reply_passes_for_a_whole_one(case: Case, replay: Replay) -> None:
    """Cut anywhere before the end marker, a clean end of the body is still an error."""
    body = case.response["body_text"].encode()
    marker = body.rfind(b'"finish_reason"' if case.api == "chat_completions" else b"data: {")
    places = sorted({marker * n // 8 for n in range(9)} - {0})
    found = await asyncio.gather(
        *(ask(case, replay.url(case.id, f"truncate={place}")) for place in places)
    )
    for place, (reply, error) in zip(places, found, strict=True):
        assert error is not None, (place, reply)
        assert error.kind == "malformed", (place, error)
        assert (case.expect["text"] or "").startswith(reply.text)


@pytest.mark.parametrize("case", SHORT, ids=case_id)
async def test_an_answer_is_over_when_it_says_so(case: Case, replay: Replay) -> None:
    """A server that never ends the body, or whose headers drip, delays nothing."""
    for mode in ("noclose=1", "dripheaders=0.01"):
        assert_as_expected(case.expect, *await ask(case, replay.url(case.id, mode), idle=2))


async def test_a_wait_asked_for_is_kept(replay: Replay) -> None:
    if not SHORT:
        pytest.skip("no recordings")
    url = replay.url(SHORT[0].id, "fail=429x9,retry_after=7,retry_after_ms=9500")
    _, error = await ask(SHORT[0], url)
    assert error is not None
    assert error.retry_after == 9.5


@pytest.mark.parametrize(
    "case",
    [c for c in cases("models") if c.provider not in {"gemini", "ollama"}],
    ids=case_id,
)
async def test_model_lists(case: Case, replay: Replay) -> None:
    provider = made(connection(case, replay.url(case.id)), CHAT)
    try:
        listed = [model.id for model in await provider.models()]
    finally:
        await provider.aclose()
    assert len(listed) == case.expect["count"]
    assert listed[: len(case.expect["models"])] == case.expect["models"]
