"""Claude's dialect against recorded traffic: every case gives exactly what was recorded."""

from __future__ import annotations

import pytest

from aircher.domain.chat import ChatRequest
from aircher.domain.errors import ProviderError
from aircher.domain.messages import user
from aircher.providers.connection import Connection
from aircher.providers.dialects.anthropic import connect
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

MESSAGES = cases("messages", providers=("anthropic",))
STREAMS = [case for case in MESSAGES if case.streaming and not case.expect["error_class"]]
WHOLE = [case for case in MESSAGES if not case.streaming and case.status == 200]

# Pieces come without pauses between them, where there are many.
MODES = ("cut=utf8,delay=0", "cut=random:7,delay=0", "chunk=1,delay=0", "chunk=7,delay=0", "gzip=1")
EVENT_MODES = ("crlf=1", "ping=2", "noclose=1", "crlf=1,cut=random:3,delay=0")
EACH = 3
"""So many modes are tried with a case; which ones depends on its place in the list."""


def str_or_id(value: Case | str) -> str:
    """The name of a parametrised test."""
    return value if isinstance(value, str) else value.id


def sampled() -> list[tuple[Case, str]]:
    """Every case as it is, and in some of the modes: each mode meets many cases."""
    pairs: list[tuple[Case, str]] = []
    for place, case in enumerate(MESSAGES):
        modes = MODES + EVENT_MODES if case.streaming else MODES
        pairs.append((case, ""))
        pairs.extend((case, modes[(place * EACH + step) % len(modes)]) for step in range(EACH))
    return pairs


def claude(base_url: str, idle_timeout_s: float = 20.0):
    return connect(
        Connection("claude", base_url, "sk-ant-test-key-0001", idle_timeout_s=idle_timeout_s)
    )


async def ask(base_url: str, case: Case, *, stream: bool, idle_timeout_s: float = 20.0):
    provider = claude(base_url, idle_timeout_s)
    request = ChatRequest(case.model, (user("Hello"),), stream=stream)
    try:
        return await collect(provider.stream(request))
    finally:
        await provider.aclose()


@pytest.mark.parametrize(("case", "mode"), sampled(), ids=str_or_id)
async def test_every_recording_is_read_exactly(case: Case, mode: str, replay: Replay) -> None:
    url = replay.url(case.id, mode)
    reply, error = await ask(url, case, stream=case.streaming)
    assert_as_expected(case.expect, reply, error)


@pytest.mark.parametrize("case", MESSAGES, ids=case_id)
async def test_streamed_or_whole_is_told_by_the_answer_not_by_the_question(
    case: Case, replay: Replay
) -> None:
    reply, error = await ask(replay.url(case.id), case, stream=not case.streaming)
    assert_as_expected(case.expect, reply, error)


OUR_FAULTS = {**FAULTS, "garbage=sse": "malformed", "fail=529x9": "overloaded"}


@pytest.mark.parametrize("mode", OUR_FAULTS)
@pytest.mark.parametrize("case", STREAMS[::6], ids=case_id)
async def test_a_broken_stream_is_never_taken_for_a_whole_reply(
    case: Case, mode: str, replay: Replay
) -> None:
    url = replay.url(case.id, mode)
    _, error = await ask(url, case, stream=True, idle_timeout_s=patience(mode))
    assert_fault(error, mode, "claude", case.model, OUR_FAULTS)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("truncate=60", "malformed"),
        ("empty=1", "malformed"),
        ("garbage=json", "malformed"),
        ("garbage=bytes", "malformed"),
        ("ctype=text~html", "malformed"),
        ("drop=100", "network"),
        ("stall=3@20", "timeout"),
        ("slowheaders=3", "timeout"),
    ],
)
@pytest.mark.parametrize("case", WHOLE[::5], ids=case_id)
async def test_a_broken_body_is_never_taken_for_a_whole_reply(
    case: Case, mode: str, kind: str, replay: Replay
) -> None:
    url = replay.url(case.id, mode)
    _, error = await ask(url, case, stream=False, idle_timeout_s=patience(mode))
    assert error is not None
    assert error.kind == kind


@pytest.mark.parametrize("at", range(0, 3000, 97))
async def test_wherever_a_stream_is_cut_it_is_an_error(at: int, replay: Replay) -> None:
    case = next(c for c in STREAMS if "tool-use" in c.id)
    _, error = await ask(replay.url(case.id, f"truncate={at}"), case, stream=True)
    assert error is not None
    assert error.kind == "malformed"


COUNTS = cases("count_tokens", providers=("anthropic",))


@pytest.mark.parametrize("mode", ["", "chunk=1,delay=0", "gzip=1"])
@pytest.mark.parametrize("case", COUNTS, ids=case_id)
async def test_tokens_are_counted(case: Case, mode: str, replay: Replay) -> None:
    provider = claude(replay.url(case.id, mode))
    request = ChatRequest(case.model, (user("Hello"),), system="Be terse.")
    assert await provider.count_tokens(request) == case.expect["input_tokens"]
    await provider.aclose()


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("garbage=json", "malformed"),
        ("garbage=bytes", "malformed"),
        ("empty=1", "malformed"),
        ("drop=5", "network"),
        ("slowheaders=3", "timeout"),
        ("fail=401x9", "auth"),
    ],
)
async def test_a_count_that_failed_is_an_error(mode: str, kind: str, replay: Replay) -> None:
    provider = claude(replay.url(COUNTS[0].id, mode), 0.3)
    with pytest.raises(ProviderError) as caught:
        await provider.count_tokens(ChatRequest("m", (user("Hello"),)))
    assert caught.value.kind == kind
    await provider.aclose()
