"""Bedrock's dialect against answers in the documented format, and what it puts into requests."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.domain.chat import ChatRequest, ReplyBuilder, ToolSpec
from aircher.domain.errors import AuthenticationFailed, InvalidRequest, MalformedReply
from aircher.domain.messages import (
    Document,
    Image,
    Message,
    Thinking,
    ToolCall,
    ToolResult,
    user,
)
from aircher.domain.usage import Tokens
from aircher.providers.connection import Connection
from tests.support.loopback import Answer, plain, serving
from tests.support.wire import collect

pytest.importorskip("boto3", reason="boto3 is not installed: the extra `bedrock`")

from aircher.providers.dialects.bedrock_converse import connect, reply

MODEL = "amazon.nova-lite-v1:0"
HI = ChatRequest(MODEL, (user("Hi"),))
STREAM = "application/vnd.amazon.eventstream"
KEYS = {"region": "eu-west-1", "aws_access_key": "AKIATEST", "aws_secret_key": "secret"}
USAGE = {
    "inputTokens": 10,
    "outputTokens": 7,
    "totalTokens": 317,
    "cacheReadInputTokens": 200,
    "cacheWriteInputTokens": 100,
    "cacheDetails": [{"ttl": "1h", "inputTokens": 60}, {"ttl": "5m", "inputTokens": 40}],
}
BODY = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hello."}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5},
}


def frame(name: str, value: object, kind: str = "event") -> bytes:
    """One message of Amazon's event stream: lengths, headers and checksums around a payload."""
    payload = json.dumps(value).encode()
    label = ":event-type" if kind == "event" else ":exception-type"
    headers = b"".join(
        struct.pack("!B", len(k)) + k.encode() + struct.pack("!BH", 7, len(v)) + v.encode()
        for k, v in (
            (label, name),
            (":message-type", kind),
            (":content-type", "application/json"),
        )
    )
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack("!I", zlib.crc32(message))


def at(index: int, **more: object) -> dict[str, object]:
    return {"contentBlockIndex": index, **more}


def reasoning(**delta: str) -> dict[str, object]:
    return {"delta": {"reasoningContent": delta}}


FRAMES = [
    frame("messageStart", {"role": "assistant"}),
    frame("contentBlockDelta", at(0, **reasoning(text="Let me see."))),
    frame("contentBlockDelta", at(0, **reasoning(signature="c2ln"))),
    frame("contentBlockStop", at(0)),
    frame("contentBlockDelta", at(1, delta={"text": "Naïve "})),
    frame("contentBlockDelta", at(1, delta={"text": "日本 🙂"})),
    frame("contentBlockStop", at(1)),
    frame("contentBlockStart", at(2, start={"toolUse": {"toolUseId": "t1", "name": "read"}})),
    frame("contentBlockDelta", at(2, delta={"toolUse": {"input": '{"path": '}})),
    frame("contentBlockDelta", at(2, delta={"toolUse": {"input": '"a.py"}'}})),
    frame("contentBlockStop", at(2)),
    frame("contentBlockStart", at(3, start={"toolUse": {"toolUseId": "t2", "name": "now"}})),
    frame("contentBlockStop", at(3)),
    frame("messageStop", {"stopReason": "tool_use"}),
    frame("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}}),
]


def bedrock(url: str, key: str = "", **options: Any):
    found = options or (KEYS if not key else {"region": "eu-west-1"})
    return connect(Connection("bedrock_converse", url, key, idle_timeout_s=5, options=found))


async def ask(answer: Answer, request: ChatRequest = HI):
    async with serving(answer) as server:
        provider = bedrock(server.url)
        reply, error = await collect(provider.stream(request))
        await provider.aclose()
        return reply, error, server.received[0]


async def sent(request: ChatRequest) -> dict[str, Any]:
    """The JSON body that the server got."""
    _, error, received = await ask(plain(BODY), request)
    assert error is None
    assert isinstance(received.body, dict)
    return received.body


def assert_whole(reply: Any, error: Any) -> None:
    assert error is None
    assert (reply.thinking, reply.thinking_signature) == ("Let me see.", "c2ln")
    assert reply.text == "Naïve 日本 🙂"
    names = [(call.id, call.name, json.loads(call.arguments)) for call in reply.tool_calls]
    assert names == [("t1", "read", {"path": "a.py"}), ("t2", "now", {})]
    assert (reply.finish_reason, reply.outcome) == ("tool_use", "tool_calls")
    assert reply.tokens == Tokens(
        input=310, cached=200, cache_write=100, cache_write_1h=60, output=7
    )


async def test_a_stream_is_read_whole() -> None:
    reply, error, received = await ask(Answer(b"".join(FRAMES), content_type=STREAM))
    assert_whole(reply, error)
    assert received.path == f"/model/{MODEL.replace(':', '%3A')}/converse-stream"
    assert "Credential=AKIATEST/" in received.headers["authorization"]


@pytest.mark.parametrize("stream", [True, False])
async def test_a_whole_body_gives_the_same(stream: bool) -> None:
    content = [
        {"reasoningContent": {"reasoningText": {"text": "Let me see.", "signature": "c2ln"}}},
        {"text": "Naïve 日本 🙂"},
        {"toolUse": {"toolUseId": "t1", "name": "read", "input": {"path": "a.py"}}},
        {"toolUse": {"toolUseId": "t2", "name": "now", "input": {}}},
    ]
    body = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": "tool_use",
        "usage": USAGE,
    }
    reply, error, received = await ask(
        plain(body), ChatRequest(MODEL, (user("Hi"),), stream=stream)
    )
    assert_whole(reply, error)
    assert received.path.endswith("/converse-stream" if stream else "/converse")


@pytest.mark.parametrize("count", range(len(FRAMES) - 1))
async def test_any_stream_that_lacks_its_end_is_broken(count: int) -> None:
    reply, error, _ = await ask(Answer(b"".join(FRAMES[:count]), content_type=STREAM))
    if count == len(FRAMES) - 1:
        assert reply.tokens == Tokens()
    assert error is not None
    assert error.kind == "malformed"


async def test_the_counts_may_be_missing_but_not_the_stop() -> None:
    reply, error, _ = await ask(Answer(b"".join(FRAMES[:-1]), content_type=STREAM))
    assert error is None
    assert (reply.finish_reason, reply.tokens) == ("tool_use", Tokens())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("throttlingException", "rate_limit"),
        ("serviceUnavailableException", "overloaded"),
        ("internalServerException", "server"),
        ("modelStreamErrorException", "server"),
        ("validationException", "invalid_request"),
    ],
)
async def test_an_exception_inside_a_stream_keeps_what_came_before(name: str, kind: str) -> None:
    body = b"".join(FRAMES[:5]) + frame(name, {"message": "Told"}, "exception")
    reply, error, _ = await ask(Answer(body, content_type=STREAM))
    assert reply.text == "Naïve "
    assert error is not None
    assert error.kind == kind
    assert "Told" in error.message


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b"7", b"[" * 100_000, b"\xff\xfe"])
@pytest.mark.parametrize("stream", [True, False])
async def test_a_body_of_another_shape_is_malformed(body: bytes, stream: bool) -> None:
    _, error, _ = await ask(Answer(body), ChatRequest(MODEL, (user("Hi"),), stream=stream))
    assert error is not None
    assert error.kind == "malformed"


async def test_a_conversation_with_everything() -> None:
    schema = {"type": "object", "properties": {"path": {"type": "string"}}}
    png, pdf = b"\x89PNG", b"%PDF"
    request = ChatRequest(
        MODEL,
        (
            user("Look", Image("image/png", png), Document("a_b  c.pdf", "application/pdf", pdf)),
            Message(
                "assistant",
                (
                    Thinking("Hm.", "c2ln", "bedrock"),
                    Thinking("Not signed.", "", "bedrock"),
                    Thinking("Not mine.", "x", "gemini"),
                    ToolCall("c:1", "read", '{"path": "a.py"}'),
                ),
            ),
            Message("tool", (ToolResult("c:1", "no such file", is_error=True),)),
            user("And?"),
        ),
        system="Be brief.",
        max_output=50,
        temperature=0.5,
        stop=("END",),
        tools=(ToolSpec("read", "", schema),),
        tool_choice="required",
        options={
            "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
            "top_k": 5,
        },
    )
    body = await sent(request)
    question, answer, result = body["messages"]
    b64 = base64.b64encode
    assert question["content"] == [
        {"image": {"format": "png", "source": {"bytes": b64(png).decode()}}},
        {
            "document": {
                "format": "pdf",
                "name": "a b c pdf",
                "source": {"bytes": b64(pdf).decode()},
            }
        },
        {"text": "Look"},
    ]
    thought = {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}
    call = {"toolUseId": "c_1", "name": "read", "input": {"path": "a.py"}}
    assert answer["content"] == [{"reasoningContent": thought}, {"toolUse": call}]
    assert result["role"] == "user"
    told = {"toolUseId": "c_1", "content": [{"text": "no such file"}], "status": "error"}
    assert result["content"] == [{"toolResult": told}, {"text": "And?"}]
    assert body["system"] == [{"text": "Be brief."}]
    assert body["inferenceConfig"] == {
        "maxTokens": 50,
        "temperature": 0.5,
        "stopSequences": ["END"],
    }
    spec = {"name": "read", "description": "read", "inputSchema": {"json": schema}}
    assert body["toolConfig"] == {"tools": [{"toolSpec": spec}], "toolChoice": {"any": {}}}
    assert body["guardrailConfig"]["guardrailIdentifier"] == "g"
    assert body["additionalModelRequestFields"] == {"top_k": 5}


async def test_a_schema_is_sent_as_text() -> None:
    body = await sent(ChatRequest(MODEL, (user("Hi"),), json_schema={"type": "object"}))
    given = body["outputConfig"]["textFormat"]
    assert given["type"] == "json_schema"
    assert json.loads(given["structure"]["jsonSchema"]["schema"]) == {"type": "object"}


@pytest.mark.parametrize(
    ("model", "effort", "fields"),
    [
        (MODEL, "high", None),
        ("us.amazon.nova-2-lite-v1:0", "low", {"type": "enabled", "maxReasoningEffort": "low"}),
        (
            "anthropic.claude-haiku-4-5-20251001-v1:0",
            "medium",
            {"type": "enabled", "budget_tokens": 2048},
        ),
        ("global.anthropic.claude-sonnet-5-5", "low", {"type": "adaptive"}),
        ("global.anthropic.claude-sonnet-5-5", "none", {"type": "disabled"}),
        ("openai.gpt-oss-120b-1:0", "high", "high"),
    ],
)
async def test_effort_becomes_what_the_model_takes(model: str, effort: Any, fields: Any) -> None:
    body = await sent(ChatRequest(model, (user("Hi"),), thinking=effort, max_output=4096))
    given = body.get("additionalModelRequestFields")
    assert (None if given is None else next(iter(given.values()))) == fields


@pytest.mark.parametrize(
    "part",
    [
        Document("a.bin", "application/octet-stream", b"\xff\xfe"),
        Image("image/tiff", b"x"),
        Image("image/png", url="https://example.invalid/a.png"),
    ],
)
async def test_what_bedrock_cannot_read_is_refused_before_sending(part: Any) -> None:
    async with serving(plain(BODY)) as server:
        provider = bedrock(server.url)
        _, error = await collect(provider.stream(ChatRequest(MODEL, (user("?", part),))))
        await provider.aclose()
        assert isinstance(error, InvalidRequest)
        assert server.received == []


async def test_tokens_are_counted_as_they_would_be_sent() -> None:
    async with serving(plain({"inputTokens": 18})) as server:
        provider = bedrock(server.url)
        request = ChatRequest(MODEL, (user("Hi"),), system="Be brief.", max_output=5)
        assert await provider.count_tokens(request) == 18
        await provider.aclose()
    question = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
    assert server.received[0].body == {
        "input": {"converse": question | {"system": [{"text": "Be brief."}]}}
    }


async def test_models_that_write_text_are_listed() -> None:
    rows = [
        {
            "modelId": "a.b-v1:0",
            "modelArn": "arn:aws:bedrock:::foundation-model/a.b-v1:0",
            "inputModalities": ["TEXT", "IMAGE"],
            "outputModalities": ["TEXT"],
            "responseStreamingSupported": True,
        },
        {"modelId": "a.painter", "modelArn": "arn:aws:x", "outputModalities": ["IMAGE"]},
    ]
    async with serving(plain({"modelSummaries": rows})) as server:
        provider = bedrock(server.url)
        listed = await provider.models()
        await provider.aclose()
    assert [(model.id, model.features) for model in listed] == [
        ("a.b-v1:0", {"vision", "streaming"})
    ]
    assert server.received[0].path == "/foundation-models"


async def test_a_bedrock_key_is_a_bearer_token() -> None:
    async with serving(plain(BODY)) as server:
        provider = bedrock(server.url, "bedrock-api-key-1234")
        _, error = await collect(provider.stream(HI))
        await provider.aclose()
    assert error is None
    assert server.received[0].headers["authorization"] == "Bearer bedrock-api-key-1234"


async def test_no_credentials_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    async with serving(plain(BODY)) as server:
        provider = bedrock(server.url, region="eu-west-1")
        _, error = await collect(provider.stream(HI))
        await provider.aclose()
        assert isinstance(error, AuthenticationFailed)
        assert server.received == []


def test_an_unknown_profile_and_a_bad_address_are_refused() -> None:
    with pytest.raises(AuthenticationFailed):
        bedrock("", aws_profile="nobody", region="eu-west-1")
    with pytest.raises(InvalidRequest):
        bedrock("no address")


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_call_that_failed_is_not_repeated_here(status: int) -> None:
    async with serving(plain({"message": "no"}, status)) as server:
        provider = bedrock(server.url)
        _, error = await collect(provider.stream(HI))
        await provider.aclose()
        assert error is not None
        assert len(server.received) == 1


async def test_nothing_listens_there() -> None:
    async with serving(plain(BODY)) as server:
        url = server.url
    provider = bedrock(url)
    _, error = await collect(provider.stream(HI))
    await provider.aclose()
    assert error is not None
    assert error.kind == "network"


@pytest.mark.security
async def test_a_redirect_is_not_followed() -> None:
    async with serving(plain(BODY)) as elsewhere:
        to = (("Location", elsewhere.url + "/model/x/converse-stream"),)
        _, error, _ = await ask(Answer(status=307, headers=to))
        assert error is not None
        assert error.kind == "address"
        assert elsewhere.received == []


async def test_closing_early_does_not_wait_for_the_rest() -> None:
    answer = Answer(b"".join(FRAMES[:5]), content_type=STREAM, announced=10**6, hold_s=1.5)
    async with serving(answer) as server:
        provider = bedrock(server.url)
        stream = provider.stream(HI)
        async with asyncio.timeout(1.2):
            async for chunk in stream:
                if getattr(chunk, "text", "") == "Naïve ":
                    break
            await stream.aclose()
        await asyncio.sleep(1.5)  # until the server has finished, too
        await provider.aclose()


WORDS = st.sampled_from(
    [
        *("contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop"),
        *("metadata", "contentBlockIndex", "delta", "start", "toolUse", "toolUseId", "name"),
        *("input", "text", "reasoningContent", "reasoningText", "signature", "usage"),
        *("inputTokens", "cacheDetails", "ttl", "stopReason", "output", "message", "content"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=20,
)


KINDS = st.sampled_from(
    [
        *("contentBlockStart", "contentBlockDelta", "contentBlockStop"),
        *("messageStop", "metadata", "output", "stopReason"),
    ]
)
CALL = st.just({"toolUse": {"toolUseId": "t", "name": "n"}})
BODIES = VALUES | st.fixed_dictionaries(
    {}, optional={"contentBlockIndex": VALUES, "start": CALL | VALUES, "delta": VALUES}
)


@given(st.lists(st.dictionaries(KINDS, BODIES, max_size=2), max_size=6), st.booleans())
def test_events_of_any_shape_are_read_or_refused(events: list[dict[str, Any]], whole: bool) -> None:
    reader = reply.Reader()
    builder = ReplyBuilder()
    try:
        for event in events:
            for one in reply.as_events(event) if whole else [event]:
                for chunk in reader.read(one):
                    builder.add(chunk)
    except MalformedReply:
        return
    assert isinstance(builder.reply().text, str)
