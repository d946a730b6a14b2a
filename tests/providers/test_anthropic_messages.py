"""Claude's dialect against answers in the documented format, and what it puts into requests."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.domain.chat import ChatRequest, Opened, ReplyBuilder, ToolSpec
from aircher.domain.errors import InvalidRequest, MalformedReply, ProviderError
from aircher.domain.limits import RateLimit
from aircher.domain.messages import (
    Document,
    Image,
    Message,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    assistant,
    user,
)
from aircher.domain.usage import Tokens
from aircher.providers.connection import Connection
from aircher.providers.dialects.anthropic import connect, reply
from tests.support.loopback import Answer, plain, serving
from tests.support.wire import collect

FIXTURE = (Path(__file__).parent / "fixtures" / "anthropic_thinking_and_tools.sse").read_bytes()
STREAM = "text/event-stream; charset=utf-8"
MODEL = "claude-sonnet-5-5"
HI = ChatRequest(MODEL, (user("Hi"),))
BODY = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": MODEL,
    "content": [{"type": "text", "text": "Hello."}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 2},
}


def claude(url: str, **options: Any):
    return connect(
        Connection("claude", url, "sk-ant-test-key-0001", idle_timeout_s=5, options=options)
    )


async def ask(answer: Answer, request: ChatRequest = HI):
    async with serving(answer) as server:
        provider = claude(server.url)
        reply, error = await collect(provider.stream(request))
        await provider.aclose()
        return reply, error, server.received[0]


async def sent(request: ChatRequest) -> dict[str, Any]:
    """The JSON body that the server got."""
    _, error, received = await ask(plain(BODY), request)
    assert error is None
    assert isinstance(received.body, dict)
    return received.body


async def test_thinking_text_and_tool_calls_are_told_apart() -> None:
    headers = (
        ("request-id", "req_1"),
        ("anthropic-ratelimit-requests-remaining", "9"),
        ("server", "x"),
    )
    reply, error, _ = await ask(Answer(FIXTURE, content_type=STREAM, headers=headers))
    assert error is None
    assert reply.text == "Naïve 日本 🙂"
    assert reply.thinking == "Let me see."
    assert reply.tool_calls == (
        ToolCall("toolu_1", "read_file", '{"path": "a.py"}'),
        ToolCall("toolu_2", "now", "{}"),
    )
    assert (reply.finish_reason, reply.outcome) == ("tool_use", "tool_calls")
    assert (reply.model, reply.request_id) == (MODEL, "req_1")
    assert reply.tokens == Tokens(
        input=2310, cached=2000, cache_write=300, cache_write_1h=200, output=77, reasoning=40
    )


async def test_rate_limits_come_with_the_first_chunk() -> None:
    headers = (("anthropic-ratelimit-requests-remaining", "9"), ("server", "x"))
    async with serving(Answer(FIXTURE, content_type=STREAM, headers=headers)) as server:
        provider = claude(server.url)
        opened = await anext(stream := provider.stream(HI))
        await stream.aclose()
        await provider.aclose()
    assert opened.limits == (RateLimit("requests", 9),)


async def test_signed_thinking_goes_back_block_by_block_unedited() -> None:
    reply, _, _ = await ask(Answer(FIXTURE, content_type=STREAM))
    history = (
        user("Hi"),
        Message("assistant", reply.parts("claude")),
        Message("tool", (ToolResult("toolu_1", "x = 1"), ToolResult("toolu_2", "noon"))),
    )
    body = await sent(ChatRequest(MODEL, history))
    blocks = body["messages"][1]["content"]
    assert blocks[:2] == [
        {"type": "thinking", "thinking": "Let me see.", "signature": "c2lnbmVk"},
        {"type": "redacted_thinking", "data": "aGlkZGVu"},
    ]
    assert [block["type"] for block in blocks[2:]] == ["text", "tool_use", "tool_use"]


async def test_thinking_without_signature_or_of_another_vendor_stays_here() -> None:
    parts = (Thinking("mine", "", "anthropic"), Thinking("theirs", "sig", "gemini"), Text("Yes."))
    body = await sent(ChatRequest(MODEL, (user("Hi"), Message("assistant", parts), user("Why?"))))
    assert [block["type"] for block in body["messages"][1]["content"]] == ["text"]


async def test_one_plain_thought_keeps_its_own_signature() -> None:
    part = Thinking("Hm.", "c2ln", "anthropic")
    body = await sent(
        ChatRequest(MODEL, (user("Hi"), Message("assistant", (part, Text("Yes."))), user("Why?")))
    )
    assert body["messages"][1]["content"][0] == {
        "type": "thinking",
        "thinking": "Hm.",
        "signature": "c2ln",
    }


async def test_images_and_documents_are_sent_as_they_are() -> None:
    pdf, png = b"%PDF-1.7", b"\x89PNG"
    question = user(
        "What is this?",
        Image("image/png", png),
        Image("image/png", url="https://example.invalid/a.png"),
        Document("a.pdf", "application/pdf", pdf),
        Document("a.py", "text/x-python", "x = 'é'".encode()),
    )
    blocks = (await sent(ChatRequest(MODEL, (question,))))["messages"][0]["content"]
    b64 = base64.b64encode
    assert [block["source"] for block in blocks[:4]] == [
        {"type": "base64", "media_type": "image/png", "data": b64(png).decode()},
        {"type": "url", "url": "https://example.invalid/a.png"},
        {"type": "base64", "media_type": "application/pdf", "data": b64(pdf).decode()},
        {"type": "text", "media_type": "text/plain", "data": "x = 'é'"},
    ]
    assert [block.get("title") for block in blocks[:4]] == [None, None, "a.pdf", "a.py"]
    assert blocks[4] == {"type": "text", "text": "What is this?"}


async def test_an_unreadable_attachment_is_refused_before_anything_is_sent() -> None:
    question = user("?", Document("a.bin", "application/octet-stream", b"\xff\xfe\x00"))
    async with serving(plain(BODY)) as server:
        provider = claude(server.url)
        _, error = await collect(provider.stream(ChatRequest(MODEL, (question,))))
        await provider.aclose()
        assert isinstance(error, InvalidRequest)
        assert server.received == []


async def test_tools_their_calls_and_their_results() -> None:
    schema = {"type": "object", "properties": {"path": {"type": "string"}}}
    request = ChatRequest(
        MODEL,
        (
            user("Read a.py"),
            Message("assistant", (Text(" "), ToolCall("a.b:1", "read", '{"path": "a.py"}'))),
            Message("tool", (ToolResult("a.b:1", "no such file", is_error=True),)),
            user("Then b.py"),
        ),
        tools=(ToolSpec("read", "Reads a file", schema),),
        tool_choice="required",
    )
    body = await sent(request)
    assert body["tools"] == [
        {"name": "read", "description": "Reads a file", "input_schema": schema}
    ]
    assert body["tool_choice"] == {"type": "any"}
    roles = [(turn["role"], [b["type"] for b in turn["content"]]) for turn in body["messages"]]
    assert roles == [
        ("user", ["text"]),
        ("assistant", ["tool_use"]),
        ("user", ["tool_result", "text"]),
    ]
    call, result = body["messages"][1]["content"][0], body["messages"][2]["content"][0]
    assert (call["id"], call["input"]) == ("a_b_1", {"path": "a.py"})
    assert (result["tool_use_id"], result["is_error"]) == ("a_b_1", True)


async def test_what_stays_the_same_is_marked_for_the_cache() -> None:
    request = ChatRequest(MODEL, (user("One"), assistant("1"), user("Two")), system="Be brief.")
    body = await sent(request)
    mark = {"type": "ephemeral"}
    assert body["system"] == [{"type": "text", "text": "Be brief.", "cache_control": mark}]
    marked = [turn["content"][-1].get("cache_control") for turn in body["messages"]]
    assert marked == [None, mark, None]


@pytest.mark.parametrize(
    ("model", "effort", "max_output", "thinking", "level"),
    [
        ("claude-sonnet-5-5", None, 4096, None, None),
        ("claude-sonnet-5-5", "none", 4096, {"type": "disabled"}, None),
        ("claude-opus-4-6", "high", 4096, {"type": "adaptive"}, "high"),
        ("global.anthropic.claude-haiku-5-5", "low", 4096, {"type": "adaptive"}, "low"),
        ("some-model-of-tomorrow", "medium", 4096, {"type": "adaptive"}, "medium"),
        ("claude-haiku-4-5", "high", 10_000, {"type": "enabled", "budget_tokens": 8000}, None),
        ("claude-opus-4-1", "low", 2000, {"type": "enabled", "budget_tokens": 1024}, None),
        ("claude-3-7-sonnet-latest", "medium", 1024, None, None),
    ],
)
async def test_effort_becomes_what_the_model_takes(
    model: str, effort: Any, max_output: int, thinking: Any, level: Any
) -> None:
    request = ChatRequest(model, (user("Hi"),), thinking=effort, max_output=max_output)
    body = await sent(request)
    assert body.get("thinking") == thinking
    assert body.get("output_config", {}).get("effort") == level


async def test_limits_stops_temperature_and_own_options() -> None:
    request = ChatRequest(
        MODEL,
        (user("Hi"),),
        max_output=77,
        temperature=0.5,
        stop=("END",),
        options={"top_k": 5},
    )
    body = await sent(request)
    assert (body["max_tokens"], body["stop_sequences"], body["temperature"], body["top_k"]) == (
        77,
        ["END"],
        0.5,
        5,
    )
    assert (await sent(HI))["max_tokens"] == 4096
    thinking = await sent(ChatRequest(MODEL, (user("Hi"),), temperature=0.5, thinking="low"))
    assert "temperature" not in thinking


async def test_a_schema_is_sent_in_the_subset_claude_takes() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}}
    body = await sent(ChatRequest(MODEL, (user("Hi"),), json_schema=schema))
    given = body["output_config"]["format"]
    assert given["type"] == "json_schema"
    assert given["schema"]["additionalProperties"] is False
    assert "minimum" not in given["schema"]["properties"]["n"]


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
async def test_the_address_may_end_in_v1(suffix: str) -> None:
    async with serving(plain(BODY)) as server:
        provider = claude(server.url + suffix)
        await collect(provider.stream(ChatRequest(MODEL, (user("Hi"),), stream=False)))
        await provider.aclose()
    received = server.received[0]
    assert (received.method, received.path) == ("POST", "/v1/messages")
    assert received.body["stream"] is False
    assert "sk-ant-test-key-0001" in received.headers["authorization"]


async def test_no_key_means_no_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-of-the-environment")
    async with serving(plain(BODY)) as server:
        provider = connect(Connection("proxy", server.url))
        await collect(provider.stream(HI))
        await provider.aclose()
    assert "sk-ant-of-the-environment" not in json.dumps(server.received[0].headers)


@pytest.mark.security
async def test_a_redirect_is_not_followed() -> None:
    async with serving(plain(BODY)) as elsewhere:
        to = (("Location", elsewhere.url + "/v1/messages"),)
        _, error, _ = await ask(Answer(status=307, headers=to))
        assert error is not None
        assert error.kind == "address"
        assert elsewhere.received == []


@pytest.mark.parametrize("status", [429, 500, 503, 529])
async def test_a_call_that_failed_is_not_repeated_here(status: int) -> None:
    async with serving(plain({"error": {"message": "no"}}, status)) as server:
        provider = claude(server.url)
        _, error = await collect(provider.stream(HI))
        await provider.aclose()
        assert error is not None
        assert len(server.received) == 1


async def test_nothing_listens_there() -> None:
    async with serving(plain(BODY)) as server:
        url = server.url
    provider = claude(url)
    _, error = await collect(provider.stream(HI))
    await provider.aclose()
    assert error is not None
    assert error.kind == "network"


EVENTS = [part + b"\n\n" for part in FIXTURE.split(b"\n\n") if part]


@pytest.mark.parametrize("count", range(len(EVENTS)))
async def test_any_stream_that_lacks_its_end_is_broken(count: int) -> None:
    _, error, _ = await ask(Answer(b"".join(EVENTS[:count]), content_type=STREAM))
    assert error is not None
    assert error.kind == "malformed"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"type":"message"}',
        b'{"type":"message","content":[],"stop_reason":null}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
async def test_a_body_that_is_no_message_is_malformed(body: bytes) -> None:
    _, error, _ = await ask(Answer(body))
    assert error is not None
    assert error.kind == "malformed"


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("overloaded_error", "overloaded"),
        ("rate_limit_error", "rate_limit"),
        ("api_error", "server"),
        ("authentication_error", "auth"),
    ],
)
async def test_an_error_inside_a_stream_keeps_what_came_before(word: str, kind: str) -> None:
    told = {"type": "error", "error": {"type": word, "message": "Told"}, "request_id": "req_9"}
    event = f"event: error\ndata: {json.dumps(told)}\n\n".encode()
    body = b"".join(EVENTS[:11]) + event
    reply, error, _ = await ask(Answer(body, content_type=STREAM))
    assert reply.text == "Naïve "
    assert isinstance(error, ProviderError)
    assert (error.kind, error.request_id) == (kind, "req_9")


async def test_unknown_events_blocks_and_deltas_are_passed_over() -> None:
    strange = [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "hologram"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "hologram_delta"}},
        {"type": "content_block_delta", "index": 0, "delta": None},
        {"type": "weather"},
    ]
    more = b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in strange)
    body = EVENTS[0] + more + b"".join(EVENTS[1:])
    reply, error, _ = await ask(Answer(body, content_type=STREAM))
    assert error is None
    assert reply.text == "Naïve 日本 🙂"


async def test_models_are_read_page_by_page() -> None:
    row = {
        "type": "model",
        "id": "claude-a",
        "display_name": "A",
        "max_input_tokens": 1_000_000,
        "max_tokens": 64_000,
        "capabilities": {
            "image_input": {"supported": True},
            "pdf_input": {"supported": False},
            "thinking": {"supported": True, "types": {}},
        },
    }
    first = {"data": [row], "has_more": True, "first_id": "claude-a", "last_id": "claude-a"}
    second = {"data": [{"type": "model", "id": "claude-b"}], "has_more": False, "last_id": None}
    async with serving(plain(first), plain(second)) as server:
        provider = claude(server.url)
        listed = await provider.models()
        await provider.aclose()
    assert [model.id for model in listed] == ["claude-a", "claude-b"]
    assert (listed[0].context_window, listed[0].max_output) == (1_000_000, 64_000)
    assert listed[0].features == {"vision", "thinking", "tools", "streaming", "long_context"}
    assert listed[1].context_window is None
    assert "after_id=claude-a" in server.received[1].path


async def test_a_server_that_gives_one_page_for_ever_is_left() -> None:
    page = {"data": [{"type": "model", "id": "a"}], "has_more": True, "last_id": "a"}
    async with serving(plain(page)) as server:
        provider = claude(server.url)
        assert [model.id for model in await provider.models()] == ["a"]
        await provider.aclose()
    assert len(server.received) == 2


@pytest.mark.parametrize("body", [b"null", b"[]", b'{"data": [{"x": 1}]}', b'{"data": 3}', b"<p>"])
async def test_a_model_list_of_another_shape_is_malformed(body: bytes) -> None:
    async with serving(Answer(body)) as server:
        provider = claude(server.url)
        try:
            with pytest.raises(ProviderError) as caught:
                await provider.models()
        finally:
            await provider.aclose()
    assert caught.value.kind == "malformed"


async def test_closing_early_does_not_wait_for_the_rest() -> None:
    answer = Answer(b"".join(EVENTS[:11]), content_type=STREAM, announced=10**6, hold_s=1.2)
    async with serving(answer) as server:
        provider = claude(server.url)
        stream = provider.stream(HI)
        async with asyncio.timeout(1.0):
            async for chunk in stream:
                if getattr(chunk, "text", "") == "Naïve ":
                    break
            await stream.aclose()
            await provider.aclose()
        await asyncio.sleep(1.2)  # until the server has finished, too


WORDS = st.sampled_from(
    [
        *("type", "index", "delta", "message", "content", "content_block", "usage", "text"),
        *("thinking", "signature", "redacted_thinking", "data", "tool_use", "input", "id", "name"),
        *("partial_json", "input_json_delta", "text_delta", "thinking_delta", "stop_reason"),
        *("message_start", "message_delta", "message_stop", "input_tokens", "cache_creation"),
        *("content_block_start", "content_block_delta", "content_block_stop", "error"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=20,
)


KINDS = st.sampled_from(
    [
        *("message_start", "message_delta", "message_stop", "error"),
        *("content_block_start", "content_block_delta", "content_block_stop"),
    ]
)
FIELDS = ("index", "delta", "content_block", "message", "usage", "content")
EVENTS_OF_ANY_SHAPE = st.fixed_dictionaries({"type": KINDS}, optional=dict.fromkeys(FIELDS, VALUES))


@given(st.lists(EVENTS_OF_ANY_SHAPE, max_size=6), st.booleans())
def test_events_of_any_shape_are_read_or_refused(events: list[dict[str, Any]], whole: bool) -> None:
    reader = reply.Reader(Opened())
    builder = ReplyBuilder()
    try:
        for event in events:
            for one in reply.as_events(event) if whole else [event]:
                for chunk in reader.read(one):
                    builder.add(chunk)
    except MalformedReply:
        return
    assert isinstance(builder.reply().text, str)


# -- clouds --------------------------------------------------------------------------------


def frame(name: str, payload: bytes, kind: str = "event") -> bytes:
    """One message of Amazon's event stream: lengths, headers and checksums around a payload."""
    names = {":event-type" if kind == "event" else ":exception-type": name, ":message-type": kind}
    headers = b"".join(
        struct.pack("!B", len(k)) + k.encode() + struct.pack("!BH", 7, len(v)) + v.encode()
        for k, v in (names | {":content-type": "application/json"}).items()
    )
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack("!I", zlib.crc32(message))


def chunks() -> list[bytes]:
    """The fixture's events as Bedrock wraps them."""
    texts = [line[6:] for line in FIXTURE.splitlines() if line.startswith(b"data: ")]
    return [
        frame("chunk", json.dumps({"bytes": base64.b64encode(t).decode()}).encode()) for t in texts
    ]


AMAZON = "application/vnd.amazon.eventstream"
KEYS = {"region": "eu-west-1", "aws_access_key": "AKIATEST", "aws_secret_key": "secret"}


async def on_bedrock(body: bytes):
    pytest.importorskip("botocore", reason="the extra `bedrock` is not installed")
    async with serving(Answer(body, content_type=AMAZON)) as server:
        provider = connect(Connection("bedrock", server.url, options={"cloud": "bedrock", **KEYS}))
        reply, error = await collect(
            provider.stream(ChatRequest("anthropic.claude-x", (user("Hi"),)))
        )
        assert await provider.count_tokens(HI) is None
        assert await provider.models() == ()
        await provider.aclose()
        return reply, error, server.received[0]


async def test_claude_on_bedrock() -> None:
    reply, error, received = await on_bedrock(b"".join(chunks()))
    assert error is None
    assert reply.text == "Naïve 日本 🙂"
    assert received.path == "/model/anthropic.claude-x/invoke-with-response-stream"
    assert received.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIATEST/")


async def test_a_broken_frame_from_bedrock_is_malformed() -> None:
    whole = b"".join(chunks())
    for body in (whole[:-300], b"\x00" * 64, whole[:400] + b"!" + whole[401:]):
        _, error, _ = await on_bedrock(body)
        assert error is not None
        assert error.kind == "malformed"


async def test_an_exception_frame_from_bedrock() -> None:
    said = json.dumps({"message": "Too many requests"}).encode()
    _, error, _ = await on_bedrock(chunks()[0] + frame("throttlingException", said, "exception"))
    assert error is not None
    assert error.kind == "rate_limit"


async def test_claude_on_vertex() -> None:
    pytest.importorskip("google.auth", reason="the extra `vertex` is not installed")
    options = {"cloud": "vertex", "project": "p", "location": "europe-west1"}
    async with serving(Answer(FIXTURE, content_type=STREAM)) as server:
        provider = connect(Connection("vertex", server.url, "token-1", options=options))
        reply, error = await collect(provider.stream(HI))
        await provider.aclose()
    assert error is None
    assert reply.text == "Naïve 日本 🙂"
    received = server.received[0]
    assert received.path.endswith(f"/publishers/anthropic/models/{MODEL}:streamRawPredict")
    assert received.headers["authorization"] == "Bearer token-1"


@pytest.mark.parametrize(("cloud", "module"), [("bedrock", "botocore"), ("vertex", "google.auth")])
def test_a_missing_extra_is_named(cloud: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(InvalidRequest) as caught:
        connect(Connection(cloud, options={"cloud": cloud}))
    assert f"pip install 'aircher[{cloud}]'" in caught.value.hint


def test_an_unknown_cloud_and_a_missing_region_are_refused() -> None:
    for options in ({"cloud": "azure"}, {"cloud": "vertex"}):
        with pytest.raises(InvalidRequest):
            connect(Connection("claude", options=options))


@pytest.mark.parametrize(
    ("model", "taken"),
    [
        ("claude-sonnet-4-5", True),
        ("claude-opus-4-1-20250805", True),
        ("claude-3-5-haiku-latest", True),
        ("anthropic.claude-haiku-4-5-20251001-v1:0", True),
        ("claude-opus-4-6", False),
        ("claude-sonnet-5-5", False),
        ("somebody-elses", False),
    ],
)
async def test_only_models_before_4_6_take_an_unfinished_answer(model: str, taken: bool) -> None:
    provider = claude("http://127.0.0.1:9")
    assert provider.prefills(model) is taken
    await provider.aclose()
