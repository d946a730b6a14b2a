"""Recorded provider traffic: its cases, the server that replays them, and what each must give.

The recordings are not part of this repository; without them the tests that use this are
skipped (see ``tests.conftest.WIRE``).
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from aircher.domain.chat import Chunk, Reply, ReplyBuilder
from aircher.domain.errors import ProviderError
from aircher.domain.messages import ToolCall
from tests.conftest import WIRE

_SERVER = WIRE / "replay_server.py"


@dataclass(frozen=True)
class Case:
    """One recorded interaction."""

    id: str
    provider: str
    """The vendor as the recordings call it: "azure_openai", "bedrock_mantle" ..."""
    api: str
    """"chat_completions", "responses", "messages", "generate_content", "models" ..."""
    kind: str
    streaming: bool
    """The recorded answer is a stream."""
    status: int
    request: dict[str, Any]
    response: dict[str, Any]
    expect: dict[str, Any]

    @property
    def model(self) -> str:
        """The model that was asked, as far as the recorded request says."""
        body = self.request.get("body_json")
        return str(body.get("model") or "m") if isinstance(body, dict) else "m"


def _case(raw: dict[str, Any]) -> Case:
    return Case(
        id=raw["id"],
        provider=raw["provider"],
        api=raw["api"],
        kind=raw["kind"],
        streaming=raw["streaming"],
        status=raw["response"]["status"],
        request=raw["request"],
        response=raw["response"],
        expect=raw["expect"],
    )


@cache
def all_cases() -> tuple[Case, ...]:
    """Every recording, by id; empty where the folder is not there."""
    if not _SERVER.is_file():
        return ()
    files = sorted(WIRE.glob("*/*.json"))
    return tuple(_case(json.loads(file.read_text(encoding="utf-8"))) for file in files)


def cases(*apis: str, providers: tuple[str, ...] = ()) -> list[Case]:
    """The recordings of these APIs (of all, if none is named), perhaps of some vendors only.

    For ``@pytest.mark.parametrize("case", cases("messages"), ids=case_id)``; an empty list
    makes pytest skip the test.
    """
    return [
        case
        for case in all_cases()
        if (not apis or case.api in apis) and (not providers or case.provider in providers)
    ]


def case_id(case: Case) -> str:
    """The name of a parametrised test."""
    return case.id


@dataclass(frozen=True)
class Replay:
    """The running server."""

    origin: str

    def url(self, case_id: str, modes: str = "") -> str:
        """The base URL of a case, without a trailing slash or /v1.

        ``modes`` as in the server's docstring: "cut=utf8", "drop=100,drop_rst=1".
        """
        return (
            f"{self.origin}/m/{modes}/case/{case_id}" if modes else f"{self.origin}/case/{case_id}"
        )

    def log(self) -> list[dict[str, Any]]:
        """The requests received so far: case, method, path, query, headers, body."""
        with urllib.request.urlopen(f"{self.origin}/_log", timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def reset(self) -> None:
        """Forgets the log and the counters of ``fail=``."""
        urllib.request.urlopen(f"{self.origin}/_reset", timeout=10).close()


@contextmanager
def running() -> Iterator[Replay]:
    """Starts the server on a free port; ends it, and only it, afterwards."""
    command = [sys.executable, str(_SERVER), "--port", "0", "--corpus", str(WIRE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        words = server.stdout.readline().split()
        assert words[:1] == ["READY"], words
        try:
            yield Replay(f"http://127.0.0.1:{words[1]}")
        finally:
            server.terminate()


async def collect(stream: AsyncIterator[Chunk]) -> tuple[Reply, ProviderError | None]:
    """All of a stream as one reply, with the error that ended it, if one did.

    Any error that is not a ``ProviderError`` passes through and fails the test; so does an
    end without ``Finish`` or a chunk after it.
    """
    builder = ReplyBuilder()
    try:
        async for chunk in stream:
            assert not builder.finished, f"a chunk after Finish: {chunk}"
            builder.add(chunk)
    except ProviderError as error:
        return builder.reply(), error
    assert builder.finished, "the stream ended without Finish and without an error"
    return builder.reply(), None


_TOKENS = {
    "input_total": "input",
    "output_total": "output",
    "cached_tokens": "cached",
    "cache_write_tokens": "cache_write",
    "reasoning_tokens": "reasoning",
}


def _same_call(expected: dict[str, str], call: ToolCall) -> bool:
    """Names equal; arguments the same text, or the same JSON (some SDKs parse it)."""
    return expected["name"] == call.name and (
        expected["arguments"] == call.arguments
        or json.loads(expected["arguments"]) == json.loads(call.arguments)
    )


def assert_as_expected(
    expect: dict[str, Any], reply: Reply, error: ProviderError | None = None
) -> None:
    """Fails unless the reply (and the error) are exactly what the recording says.

    What came before an error counts as well.  A filter that withheld the answer in a whole,
    successful body may be told as an error or by ``outcome`` "content_filter".
    """
    expected_kind = expect["error_class"]
    filtered = expected_kind == "content_filter" and reply.outcome == "content_filter"
    if not filtered:
        assert (error.kind if error else None) == expected_kind, (error, error and error.message)
    if error is not None and expect["error_message"]:
        said, wanted = (" ".join(t.split()) for t in (error.message, expect["error_message"]))
        # A long message, or a page of HTML, is shortened: its beginning must be there.
        assert "<" in wanted[:1] or wanted[:80] in said, (wanted, said)
    assert reply.text == (expect["text"] or "")
    assert reply.thinking == (expect["reasoning_text"] or "")
    assert reply.refusal == (expect["refusal"] or "")
    assert len(reply.tool_calls) == len(expect["tool_calls"]), reply.tool_calls
    for wanted_call, call in zip(expect["tool_calls"], reply.tool_calls, strict=True):
        assert _same_call(wanted_call, call), (wanted_call, call)
    counted = {name: getattr(reply.tokens, ours) for name, ours in _TOKENS.items()}
    assert counted == {name: expect[name] for name in _TOKENS}
    if error is None:
        assert reply.finish_reason == (expect["finish_reason"] or "")
    if expect["model"]:
        assert reply.model == expect["model"]


FAULTS = {
    "drop=headers": "network",
    "drop=0": "network",
    "drop=300": "network",
    "drop=300,drop_rst=1": "network",
    "truncate=300": "malformed",
    "truncate=0": "malformed",
    "empty=1": "malformed",
    "garbage=json": "malformed",
    "garbage=bytes": "malformed",
    "ctype=text~html": "malformed",
    "stall=3@300": "timeout",
    "stall=3": "timeout",
    "slowheaders=3": "timeout",
    "fail=429x9,retry_after=7": "rate_limit",
    "fail=500x9": "server",
    "fail=503x9": "overloaded",
    "fail=401x9": "auth",
    "status=307": "address",
}
"""What may go wrong with any streamed answer (modes of the replay server) -> kind of the error."""


def patience(mode: str) -> float:
    """Seconds of silence to allow: little where the mode is silence."""
    return 0.3 if "stall" in mode or "slow" in mode else 20.0


def assert_fault(
    error: ProviderError | None,
    mode: str,
    provider: str,
    model: str,
    kinds: Mapping[str, str] = FAULTS,
) -> None:
    """The error is of the mode's kind, and says whose it is, what to do, and how long to wait."""
    assert error is not None
    assert error.kind == kinds[mode], error.message
    assert (error.provider, error.model) == (provider, model)
    assert error.hint
    assert "sk-" not in error.message
    assert error.retry_after == (7 if "retry_after" in mode else None)
