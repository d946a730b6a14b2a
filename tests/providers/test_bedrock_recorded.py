"""Bedrock's dialect against recorded traffic: every case gives exactly what was recorded."""

from __future__ import annotations

import pytest

from aircher.domain.chat import ChatRequest
from aircher.domain.messages import user
from aircher.providers.connection import Connection
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

boto3 = pytest.importorskip("boto3", reason="boto3 is not installed: the extra `bedrock`")

from aircher.providers.dialects.bedrock_converse import connect  # noqa: E402 - needs boto3

pytestmark = pytest.mark.wire

CONVERSE = cases("converse", providers=("bedrock",))
STREAMS = [case for case in CONVERSE if case.streaming]
COUNTS = cases("count_tokens", providers=("bedrock",))
MODES = (
    "",
    "cut=utf8,delay=0",
    "cut=random:7,delay=0",
    "chunk=1,delay=0",
    "gzip=1",
    "noclose=1",
)
MODEL = "amazon.nova-lite-v1:0"


def bedrock(base_url: str, idle_timeout_s: float = 20.0):
    options = {"region": "eu-west-1", "aws_access_key": "AKIATEST", "aws_secret_key": "secret"}
    return connect(
        Connection("bedrock_converse", base_url, idle_timeout_s=idle_timeout_s, options=options)
    )


async def ask(base_url: str, *, stream: bool, idle_timeout_s: float = 20.0):
    provider = bedrock(base_url, idle_timeout_s)
    try:
        return await collect(provider.stream(ChatRequest(MODEL, (user("Hi"),), stream=stream)))
    finally:
        await provider.aclose()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", CONVERSE, ids=case_id)
async def test_every_recording_is_read_exactly(case: Case, mode: str, replay: Replay) -> None:
    if mode == "noclose=1" and not case.streaming:
        pytest.skip("a whole body has an end")
    url = replay.url(case.id, mode)
    reply, error = await ask(url, stream=case.streaming, idle_timeout_s=3)
    assert_as_expected(case.expect, reply, error)


@pytest.mark.parametrize("mode", FAULTS)
@pytest.mark.parametrize("case", STREAMS, ids=case_id)
async def test_a_broken_stream_is_never_taken_for_a_whole_reply(
    case: Case, mode: str, replay: Replay
) -> None:
    _, error = await ask(replay.url(case.id, mode), stream=True, idle_timeout_s=patience(mode))
    assert_fault(error, mode, "bedrock_converse", MODEL)


@pytest.mark.parametrize("at", range(0, 2400, 166))
@pytest.mark.parametrize("case", STREAMS, ids=case_id)
async def test_wherever_a_stream_is_cut_it_is_an_error(case: Case, at: int, replay: Replay) -> None:
    _, error = await ask(replay.url(case.id, f"truncate={at}"), stream=True)
    assert error is not None
    assert error.kind == "malformed"


@pytest.mark.parametrize("case", COUNTS, ids=case_id)
async def test_tokens_are_counted(case: Case, replay: Replay) -> None:
    provider = bedrock(replay.url(case.id))
    assert (
        await provider.count_tokens(ChatRequest(MODEL, (user("Hi"),)))
        == (case.expect["input_tokens"])
    )
    await provider.aclose()
