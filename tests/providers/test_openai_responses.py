"""The Responses dialect against a local server that answers in the documented formats."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.domain.chat import ChatRequest, ToolSpec
from aircher.domain.errors import InvalidRequest, MalformedReply, ProviderError
from aircher.domain.messages import (
    Document,
    Image,
    Message,
    Text,
    ToolCall,
    ToolResult,
    user,
)
from aircher.domain.ports import Provider
from aircher.domain.usage import Tokens
from aircher.providers.connection import Connection
from aircher.providers.dialects.openai_responses import connect
from aircher.providers.dialects.openai_responses.reply import ResponseReader
from aircher.providers.sse import Event
from aircher.providers.vendors import vendors
from tests.support.loopback import Answer, Loopback, plain, serving, streamed
from tests.support.wire import collect

ASK = ChatRequest("o3-pro", (user("hi"),))
USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 14,
}
THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "One."}, {"type": "summary_text", "text": "Two."}],
}
SAID = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "Hello"}],
}
CALL = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"x": 1}'}
NO = {"type": "message", "content": [{"type": "refusal", "refusal": "I can't."}]}


def response(*output: Any, status: str = "completed", **more: Any) -> dict[str, Any]:
    return {
        "object": "response",
        "model": "o3-pro-1",
        "status": status,
        "error": None,
        "output": list(output),
        "usage": USAGE,
        **more,
    }


def event(kind: str, place: int = 0, **more: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "output_index": place, **more}


def ended(*output: Any, status: str = "completed", **more: Any) -> dict[str, Any]:
    return event(status, response=response(*output, status=status, **more))


@asynccontextmanager
async def provider(
    *answers: Answer, vendor: str = "openai"
) -> AsyncIterator[tuple[Provider, Loopback]]:
    async with serving(*answers) as server:
        quirks = vendors()[vendor].quirks
        made = connect(Connection(vendor, server.url + "/v1", "sk-test", 5, 5, quirks))
        try:
            yield made, server
        finally:
            await made.aclose()


WHOLE = response(THOUGHT, SAID, CALL)
DELTAS = [
    event("created", response=response(status="in_progress") | {"usage": None}),
    event("reasoning_summary_text.delta", 0, summary_index=0, delta="One."),
    event("reasoning_summary_text.delta", 0, summary_index=1, delta="Two."),
    event("output_item.done", 0, item=THOUGHT),
    event("output_text.delta", 1, delta="Hel"),
    event("output_text.delta", 1, delta="lo"),
    event("output_item.done", 1, item=SAID),
    event("output_item.added", 2, item=CALL | {"arguments": ""}),
    event("function_call_arguments.delta", 2, delta='{"x"'),
    event("function_call_arguments.delta", 2, delta=": 1}"),
    event("output_item.done", 2, item=CALL),
    ended(THOUGHT, SAID, CALL),
]
ITEMS = [
    event("output_item.added", 2, item=CALL),
    *(event("output_item.done", n, item=item) for n, item in enumerate((THOUGHT, SAID, CALL))),
    ended(THOUGHT, SAID, CALL),
]


@pytest.mark.parametrize(
    "answer",
    [
        plain(WHOLE),
        streamed(*DELTAS, done=False),
        streamed(*DELTAS),
        streamed(*ITEMS, done=False),
        streamed(ended(THOUGHT, SAID, CALL), done=False),
    ],
    ids=["whole", "deltas", "done marker", "items only", "response only"],
)
async def test_every_way_to_send_a_reply_gives_the_same(answer: Answer) -> None:
    async with provider(answer) as (made, _):
        reply, error = await collect(made.stream(ASK))
    assert error is None
    assert (reply.thinking, reply.text) == ("One.\n\nTwo.", "Hello")
    assert reply.tool_calls == (ToolCall("c1", "look", '{"x": 1}'),)
    assert reply.tokens == Tokens(input=9, cached=4, output=5, reasoning=2)
    assert (reply.model, reply.finish_reason, reply.outcome) == (
        "o3-pro-1",
        "completed",
        "tool_calls",
    )


@pytest.mark.parametrize(
    ("last", "reason", "outcome"),
    [
        (ended(SAID), "completed", "complete"),
        (ended(NO), "completed", "refused"),
        (
            ended(SAID, status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
            "incomplete:max_output_tokens",
            "length",
        ),
        (
            ended(status="incomplete", incomplete_details={"reason": "content_filter"}),
            "incomplete:content_filter",
            "content_filter",
        ),
    ],
)
async def test_ends(last: Any, reason: str, outcome: str) -> None:
    async with provider(streamed(last, done=False)) as (made, _):
        reply, error = await collect(made.stream(ASK))
    assert error is None
    assert (reply.finish_reason, reply.outcome) == (reason, outcome)


async def test_a_refusal_is_told_apart_from_text() -> None:
    stream = streamed(
        event("refusal.delta", delta="I can"), event("refusal.delta", delta="'t."), ended(NO)
    )
    async with provider(stream) as (made, _):
        reply, _ = await collect(made.stream(ASK))
    assert (reply.refusal, reply.text, reply.outcome) == ("I can't.", "", "refused")


FAILED = {"code": "rate_limit_exceeded", "message": "Slow down"}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (streamed(ended(status="failed", error=FAILED), done=False), "rate_limit"),
        (
            streamed(ended(status="failed", error={"code": "server_error", "message": "x"})),
            "server",
        ),
        (plain(response(status="failed", error=FAILED)), "rate_limit"),
        (streamed({"type": "error", "code": "server_error", "message": "x"}), "server"),
        (
            streamed({"type": "error", "error": {"type": "invalid_request_error"}}),
            "invalid_request",
        ),
        (plain({"error": {"message": "x", "type": "server_error"}}), "server"),
        (
            plain({"error": {"message": "x", "code": "context_length_exceeded"}}, 400),
            "context_length",
        ),
        (streamed(*DELTAS[:-1], done=False), "malformed"),
        (streamed(*DELTAS[:-1]), "malformed"),
        (streamed(), "malformed"),
        (plain({}), "malformed"),
        (plain(response(status="in_progress")), "malformed"),
        (Answer(b"<html>", content_type="text/html"), "malformed"),
        (Answer(b""), "malformed"),
    ],
)
async def test_errors(answer: Answer, kind: str) -> None:
    async with provider(answer) as (made, _):
        _, error = await collect(made.stream(ASK))
    assert error is not None
    assert error.kind == kind
    assert kind != "malformed" or isinstance(error, MalformedReply)


async def test_all_of_a_request_reaches_the_vendor() -> None:
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    request = ChatRequest(
        "o3-pro",
        (
            user(
                "what?", Image("image/png", b"PNG"), Document("a.pdf", "application/pdf", b"%PDF")
            ),
            Message("assistant", (Text("I look"), ToolCall("c1", "look", "{}"))),
            Message("tool", (ToolResult("c1", "seen"),)),
        ),
        system="Be brief.",
        max_output=50,
        temperature=0.2,
        tools=(ToolSpec("look", "Looks.", schema),),
        tool_choice="required",
        json_schema=schema,
        thinking="none",
        options={"truncation": "auto"},
    )
    async with provider(plain(WHOLE)) as (made, server):
        await collect(made.stream(request))
    body = server.received[0].body
    assert server.received[0].path == "/v1/responses"
    ask, said, call, result = body["input"]
    assert [part["type"] for part in ask["content"]] == ["input_image", "input_file", "input_text"]
    assert ask["content"][0]["image_url"].startswith("data:image/png;base64,")
    assert said["content"][0]["text"] == "I look"
    assert (call["type"], call["call_id"], call["arguments"]) == ("function_call", "c1", "{}")
    assert result == {"type": "function_call_output", "call_id": "c1", "output": "seen"}
    assert (body["instructions"], body["max_output_tokens"]) == ("Be brief.", 50)
    assert "temperature" not in body  # o models refuse it
    assert body["tools"][0] == {
        "type": "function", "name": "look", "description": "Looks.", "parameters": schema, "strict": False,
    }  # fmt: skip
    assert body["tool_choice"] == "required"
    assert body["text"]["format"]["strict"] is True
    assert body["reasoning"] == {"effort": "low"}  # o models cannot be told not to think
    assert (body["store"], body["stream"], body["truncation"]) == (False, True, "auto")


async def test_a_file_that_the_vendor_takes_not_is_refused_before_sending() -> None:
    request = ChatRequest("m", (user("x", Document("a.pdf", "application/pdf", b"%PDF")),))
    async with provider(plain(WHOLE), vendor="xai") as (made, server):
        with pytest.raises(InvalidRequest):
            await anext(made.stream(request))
    assert server.received == []


NAMES = ["type", "response", "output", "item", "content", "summary", "text", "delta", "usage", "error", "status", "output_index", "summary_index", "model", "incomplete_details", "call_id"]  # fmt: skip
KINDS = ["error", "message", "reasoning", "function_call", *(row["type"] for row in DELTAS)]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(KINDS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(
    st.lists(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6), max_size=4), st.booleans()
)
def test_no_event_whatever_its_shape_raises_anything_foreign(
    events: list[dict[str, Any]], whole: bool
) -> None:
    reader = ResponseReader(Connection("openai"), "m")
    try:
        for data in events:
            list(reader.feed(Event(data, whole=whole)))
        reader.end()
    except ProviderError:
        pass
