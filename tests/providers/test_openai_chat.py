"""The chat completions dialect against a local server that answers in the documented formats."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.domain.chat import ChatRequest, Chunk, Opened, TextDelta, ToolSpec
from aircher.domain.errors import (
    ConfigError,
    InvalidRequest,
    MalformedReply,
    ProviderError,
    ServerFailed,
    WrongAddress,
)
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
from aircher.domain.ports import Provider
from aircher.domain.usage import Tokens
from aircher.providers.connection import Connection
from aircher.providers.dialects.openai_chat import connect
from aircher.providers.dialects.openai_chat.reply import ChatReader
from aircher.providers.sse import Event
from aircher.providers.vendors import vendors
from tests.support.loopback import Answer, Loopback, plain, serving, streamed
from tests.support.wire import collect

ASK = ChatRequest("gpt-x", (user("hi"),))


def chunk(delta: Any, reason: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"object": "chat.completion.chunk", "model": "gpt-x-1", "choices": [choice], **more}


USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 5,
    "total_tokens": 14,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 2},
}
LAST = {"object": "chat.completion.chunk", "model": "gpt-x-1", "choices": [], "usage": USAGE}
HELLO = streamed(
    chunk({"role": "assistant", "content": "Hé"}), chunk({"content": "llo"}, "stop"), LAST
)
WHOLE = {
    "object": "chat.completion",
    "model": "gpt-x-1",
    "choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}],
    "usage": USAGE,
}


@asynccontextmanager
async def provider(
    *answers: Answer, vendor: str = "openai", **more: Any
) -> AsyncIterator[tuple[Provider, Loopback]]:
    async with serving(*answers) as server:
        more.setdefault("quirks", vendors()[vendor].quirks)
        made = connect(
            Connection(vendor, server.url + "/v1", more.pop("key", "sk-test"), 5, 5, **more)
        )
        try:
            yield made, server
        finally:
            await made.aclose()


async def body_of(request: ChatRequest, vendor: str = "openai", **more: Any) -> dict[str, Any]:
    """The request as the vendor receives it."""
    async with provider(plain(WHOLE), vendor=vendor, **more) as (made, server):
        await collect(made.stream(request))
        received: dict[str, Any] = server.received[0].body
    return received


async def test_a_stream_becomes_chunks() -> None:
    async with provider(HELLO) as (made, _):
        reply, error = await collect(made.stream(ASK))
    assert error is None
    assert (reply.text, reply.model, reply.finish_reason) == ("Héllo", "gpt-x-1", "stop")
    assert reply.outcome == "complete"
    assert reply.tokens == Tokens(input=9, cached=4, output=5, reasoning=2)


async def test_the_first_chunk_tells_of_the_call_and_its_limits() -> None:
    answer = plain(WHOLE, x_request_id="req_7", x_ratelimit_remaining_tokens="77", server="x")
    async with provider(answer) as (made, _):
        chunks = [c async for c in made.stream(ASK)]
    assert chunks[0] == Opened("", "req_7", (RateLimit("tokens", remaining=77),))


async def test_a_whole_body_gives_the_same_chunks() -> None:
    async with provider(plain(WHOLE)) as (made, server):
        for stream in (True, False):
            reply, error = await collect(
                made.stream(ChatRequest("gpt-x", (user("hi"),), stream=stream))
            )
            assert (error, reply.text, reply.tokens.input) == (None, "Hello", 9)
    assert [got.body["stream"] for got in server.received] == [True, False]


async def test_tool_calls_in_pieces_and_under_one_number() -> None:
    def call(index: int | None, call_id: str, name: str, arguments: Any) -> dict[str, Any]:
        made = {
            "id": call_id,
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        }
        return {"tool_calls": [made | ({} if index is None else {"index": index})]}

    pieces = streamed(
        chunk(call(0, "a", "look", '{"x"')),
        chunk(call(0, "", "", ": 1}")),
        chunk(call(0, "b", "look", "{}")),
        chunk(call(None, "c", "see", {"y": 2})),
        chunk({}, "tool_calls"),
        LAST,
    )
    async with provider(pieces) as (made, _):
        reply, _ = await collect(made.stream(ASK))
    assert reply.tool_calls == (
        ToolCall("a", "look", '{"x": 1}'),
        ToolCall("b", "look", "{}"),
        ToolCall("c", "see", '{"y": 2}'),
    )
    assert reply.outcome == "tool_calls"


@pytest.mark.parametrize(
    "delta",
    [
        {"reasoning_content": "Let me"},
        {"reasoning": "Let me"},
        {"reasoning": "Let me", "reasoning_content": "Let me"},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Let me"}]}]},
        {"reasoning_details": [{"type": "reasoning.text", "text": "Let me"}]},
    ],
)
async def test_thinking_under_all_its_names(delta: Any) -> None:
    async with provider(streamed(chunk(delta), chunk({"content": "4"}, "stop"), LAST)) as (made, _):
        reply, _ = await collect(made.stream(ASK))
    assert (reply.thinking, reply.text) == ("Let me", "4")


@pytest.mark.parametrize(
    ("usage", "tokens", "cost"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 2}, Tokens(input=5, output=2), ""),
        (
            {"prompt_tokens": 5, "completion_tokens": 2, "prompt_cache_hit_tokens": 4},
            Tokens(input=5, output=2, cached=4),
            "",
        ),
        (  # xAI: reasoning is not in completion_tokens
            {
                "prompt_tokens": 5,
                "completion_tokens": 2,
                "total_tokens": 17,
                "completion_tokens_details": {"reasoning_tokens": 10},
                "cost_in_usd_ticks": 37756000,
            },
            Tokens(input=5, output=12, reasoning=10),
            "0.0037756",
        ),
        (  # hidden output of unknown size
            {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 17},
            Tokens(input=5, output=None),
            "",
        ),
        (
            {"prompt_tokens": 5, "completion_tokens": 2, "cost": 0.00014, "is_byok": False},
            Tokens(input=5, output=2),
            "0.00014",
        ),
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 2,
                "cost": 0.00001,
                "is_byok": True,
                "cost_details": {"upstream_inference_cost": 0.002},
            },
            Tokens(input=5, output=2),
            "0.00201",
        ),
        (
            {"prompt_tokens": 5, "completion_tokens": 2, "cost": {"total_cost": 0.00503}},
            Tokens(input=5, output=2),
            "0.00503",
        ),
        ({"prompt_tokens": None, "completion_tokens": "x"}, Tokens(), ""),
    ],
)
async def test_usage_of_all_vendors(usage: Any, tokens: Tokens, cost: str) -> None:
    stream = streamed(chunk({"content": "a"}, "stop", usage=usage))
    async with provider(stream) as (made, _):
        reply, error = await collect(made.stream(ASK))
    assert error is None
    assert (reply.tokens, reply.vendor_cost_usd) == (tokens, cost)


async def test_old_groq_reports_usage_in_a_place_of_its_own() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2}
    stream = streamed(chunk({"content": "a"}, "stop", x_groq={"usage": usage}))
    async with provider(stream, vendor="groq") as (made, _):
        reply, _ = await collect(made.stream(ASK))
    assert reply.tokens == Tokens(input=5, output=2)


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("stop", "complete"),
        ("eos", "complete"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("insufficient_system_resource", "error"),
        ("something_new", "other"),
    ],
)
async def test_finish_reasons(reason: str, outcome: str) -> None:
    async with provider(streamed(chunk({"content": "a"}, reason), LAST)) as (made, _):
        reply, _ = await collect(made.stream(ASK))
    assert (reply.finish_reason, reply.outcome) == (reason, outcome)


HALF = [chunk({"content": "Half"})]
END = chunk({"content": ""}, "stop")


@pytest.mark.parametrize(
    ("answer", "vendor", "whole"),
    [
        (streamed(*HALF, done=False), "openai", False),
        (streamed(*HALF, END, done=False), "openai", False),  # the usage that was asked for
        (streamed(*HALF, END, LAST, done=False), "openai", True),
        (streamed(*HALF, END, done=False), "perplexity", True),
        (streamed(*HALF, done=False), "perplexity", False),
        (streamed(*HALF, done=False), "mistral", False),
        (streamed(*HALF), "openai", True),
        (streamed(), "openai", False),
        (streamed(*HALF, '{"broken": tru', END, LAST), "openai", False),
        (Answer(b'{"choices": [{"mess'), "openai", False),
        (Answer(b"[]"), "openai", False),
        (Answer(b"7"), "openai", False),
        (Answer(b""), "openai", False),
        (Answer(b"<html>Sign in</html>", content_type="text/html"), "openai", False),
        (Answer(b"<html>Sign in</html>"), "openai", False),
        (plain({"choices": []}), "openai", False),
        (Answer(b"[" * 100_000), "openai", False),
    ],
)
async def test_half_replies_are_told_from_whole_ones(
    answer: Answer, vendor: str, whole: bool
) -> None:
    async with provider(answer, vendor=vendor) as (made, _):
        _, error = await collect(made.stream(ASK))
    assert (error is None) is whole
    assert whole or isinstance(error, MalformedReply)


async def test_what_was_wrong_with_an_answer_is_said() -> None:
    async with provider(Answer(b'{"choices": [{"mess')) as (made, _):
        _, error = await collect(made.stream(ASK))
    assert error is not None
    assert error.message == "OpenAI sent an answer that cannot be understood: broken JSON"


async def test_a_body_shorter_than_announced_is_a_broken_connection() -> None:
    cut = Answer(HELLO.body[:200], content_type="text/event-stream", announced=len(HELLO.body))
    async with provider(cut) as (made, _):
        reply, error = await collect(made.stream(ASK))
    assert error is not None
    assert error.kind == "network"
    assert reply.text == "Hé"


async def test_an_error_inside_a_stream_keeps_what_came() -> None:
    told = {"error": {"message": "Provider disconnected", "code": 502}}
    async with provider(streamed(*HALF, told)) as (made, _):
        reply, error = await collect(made.stream(ASK))
    assert isinstance(error, ServerFailed)
    assert "Provider disconnected" in error.message
    assert reply.text == "Half"


async def test_an_error_in_a_body_of_status_200() -> None:
    async with provider(plain({"error": {"message": "No", "code": 429}})) as (made, _):
        _, error = await collect(made.stream(ASK))
    assert error is not None
    assert error.kind == "rate_limit"


async def test_nobody_there_is_a_network_error() -> None:
    async with serving(HELLO) as server:
        url = server.url
    made = connect(Connection("openai", url, "sk-test", 5, 5))
    _, error = await collect(made.stream(ASK))
    await made.aclose()
    assert error is not None
    assert error.kind == "network"
    assert "base_url" in error.hint


@pytest.mark.parametrize("proxy", ["nonsense://x", "socks5://127.0.0.1:9", "http://[::1"])
def test_a_proxy_that_cannot_be_used(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ConfigError) as caught:
        connect(Connection("openai", "https://host.invalid/v1", "sk-test"))
    assert "HTTPS_PROXY" in caught.value.hint


def test_an_address_that_is_none() -> None:
    with pytest.raises(ConfigError, match="base_url of mine"):
        connect(Connection("mine", "https://[x]/v1", "sk-test"))


@pytest.mark.security
async def test_a_redirect_is_not_followed() -> None:
    async with serving(HELLO) as elsewhere:
        away = Answer(b"", 307, headers=(("Location", elsewhere.url + "/v1/chat/completions"),))
        async with provider(away) as (made, _):
            _, error = await collect(made.stream(ASK))
    assert isinstance(error, WrongAddress)
    assert f"to {elsewhere.url}, which" in error.message
    assert "base_url" in error.hint
    assert elsewhere.received == []


async def test_leaving_early_closes_the_connection() -> None:
    held = Answer(HELLO.body, content_type="text/event-stream", announced=99_999, hold_s=30)
    async with provider(held) as (made, server):
        chunks = made.stream(ASK)
        async for piece in chunks:
            if isinstance(piece, TextDelta):
                break
        await chunks.aclose()  # type: ignore[attr-defined]  # the port says iterator, all are generators
        async with asyncio.timeout(5):
            await server.left.wait()


async def test_all_of_a_request_reaches_the_vendor() -> None:
    schema = {"type": "object", "properties": {"x": {"type": "string"}}}
    request = ChatRequest(
        "gpt-4.1",
        (
            user(
                "what is this?", Image("image/png", b"PNG"), Document("a.txt", "text/plain", b"A")
            ),
            Message("assistant", (Thinking("hm"), Text("I look"), ToolCall("c1", "look", "{}"))),
            Message("tool", (ToolResult("c1", "no such file", is_error=True),)),
            assistant("Nothing"),
            user("again"),
        ),
        system="Be brief.",
        max_output=50,
        temperature=0.2,
        tools=(ToolSpec("look", "Looks.", schema),),
        tool_choice="auto",
        json_schema=schema,
        stop=("END",),
        options={"seed": 7},
    )
    body = await body_of(request)
    system, ask, call, result, said, again = body.pop("messages")
    assert system == {"role": "system", "content": "Be brief."}
    assert ask["content"][0]["image_url"]["url"] == "data:image/png;base64,UE5H"
    assert '<document name="a.txt">\nA\n</document>' in ask["content"][1]["text"]
    assert call["content"] == "I look"
    assert call["tool_calls"][0]["function"] == {"name": "look", "arguments": "{}"}
    assert "reasoning_content" not in call
    assert result == {"role": "tool", "tool_call_id": "c1", "content": "Error: no such file"}
    assert (said["content"], again["content"]) == ("Nothing", "again")
    assert body["tools"][0]["function"]["name"] == "look"
    assert body["response_format"]["json_schema"]["schema"] == schema
    assert body["response_format"]["json_schema"]["strict"] is False
    assert body["stream_options"] == {"include_usage": True}
    assert (body["max_completion_tokens"], body["temperature"], body["seed"]) == (50, 0.2, 7)
    assert body["stop"] == ["END"]


PLAIN = {"max_output": 9, "temperature": 0.5, "thinking": "high"}


@pytest.mark.parametrize(
    ("vendor", "model", "has", "lacks"),
    [
        (
            "openai",
            "gpt-6.1-sol",
            {"max_completion_tokens": 9, "reasoning_effort": "high"},
            {"temperature"},
        ),
        ("openai", "o3-mini", {"reasoning_effort": "high"}, {"temperature"}),
        ("openai", "gpt-5-chat-latest", {"temperature": 0.5}, {"reasoning_effort"}),
        ("openai", "gpt-4.1", {"temperature": 0.5}, {"reasoning_effort"}),
        (
            "mistral",
            "mistral-small-latest",
            {"max_tokens": 9},
            {"stream_options", "reasoning_effort"},
        ),
        (
            "openrouter",
            "x/y",
            {"reasoning": {"effort": "high"}, "max_tokens": 9},
            {"reasoning_effort"},
        ),
        ("deepseek", "deepseek-v4-pro", {"thinking": {"type": "enabled"}}, {"reasoning_effort"}),
        ("groq", "openai/gpt-oss-20b", {"reasoning_effort": "high"}, set()),
        ("groq", "qwen/qwen3.8-27b", {}, {"reasoning_effort"}),
    ],
)
async def test_quirks(vendor: str, model: str, has: dict[str, Any], lacks: set[str]) -> None:
    body = await body_of(ChatRequest(model, (user("hi"),), **PLAIN), vendor)  # type: ignore[arg-type]  # a dict of mixed values
    assert {name: body.get(name) for name in has} == has
    assert not lacks & body.keys()


async def test_a_vendor_without_schemas_is_told_in_words() -> None:
    request = ChatRequest("m", (user("hi"),), json_schema={"type": "object"})
    body = await body_of(request, "deepseek")
    assert body["response_format"] == {"type": "json_object"}
    assert '{"type": "object"}' in body["messages"][0]["content"]


async def test_pdf_goes_as_a_file_or_not_at_all() -> None:
    request = ChatRequest(
        "gpt-4.1", (user("sum up", Document("a.pdf", "application/pdf", b"%PDF")),)
    )
    part = (await body_of(request))["messages"][0]["content"][0]
    assert part["file"] == {
        "filename": "a.pdf",
        "file_data": "data:application/pdf;base64,JVBERg==",
    }
    async with provider(HELLO, vendor="groq") as (made, server):
        with pytest.raises(InvalidRequest, match="Groq takes no files"):
            await collect_raising(made, request)
    assert server.received == []


async def collect_raising(made: Provider, request: ChatRequest) -> list[Chunk]:
    return [piece async for piece in made.stream(request)]


async def test_thinking_goes_back_only_where_it_is_wanted() -> None:
    turn = Message("assistant", (Thinking("because"), ToolCall("c", "look", "{}")))
    request = ChatRequest("m", (user("hi"), turn, Message("tool", (ToolResult("c", "x"),))))
    assert (await body_of(request, "deepseek"))["messages"][1]["reasoning_content"] == "because"


async def test_the_key_goes_where_the_vendor_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-openai")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-of-openai")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: of-openai")
    wanted = {
        ("groq", "gsk-1"): ("authorization", "Bearer gsk-1"),
        ("azure", "az-1"): ("api-key", "az-1"),
        ("vllm", ""): ("authorization", None),
    }
    for (vendor, key), (header, value) in wanted.items():
        async with provider(HELLO, vendor=vendor, key=key) as (made, server):
            await collect(made.stream(ASK))
        headers = server.received[0].headers
        assert headers.get(header) == value
        assert "of-openai" not in str(headers)
        assert len({"authorization", "api-key"} & headers.keys()) == (1 if value else 0)


async def test_azures_older_address_has_the_deployment_in_its_path() -> None:
    async with provider(HELLO, vendor="azure", options={"api_version": "2024-10-21"}) as (
        made,
        server,
    ):
        reply, _ = await collect(made.stream(ASK))
    assert reply.text == "Héllo"
    assert server.received[0].path.endswith(
        "/openai/deployments/gpt-x/chat/completions?api-version=2024-10-21"
    )
    assert server.received[0].headers["api-key"] == "sk-test"


LISTS: list[tuple[Any, list[tuple[str, int | None, set[str]]]]] = [
    ({"object": "list", "data": [{"id": "a"}, {"id": "b"}]}, [("a", None, set()), ("b", None, set())]),
    ([{"id": "a", "context_length": 8192}], [("a", 8192, set())]),
    ({"models": [{"name": "a", "max_model_len": 4096}]}, [("a", 4096, set())]),
    (
        {
            "data": [
                {
                    "id": "x/y",
                    "context_length": 100,
                    "architecture": {"input_modalities": ["text", "image", "file"]},
                    "supported_parameters": ["tools", "reasoning"],
                }
            ]
        },
        [("x/y", 100, {"vision", "documents", "tools", "thinking"})],
    ),
    (
        {"data": [{"id": "m", "max_context_length": 32768, "capabilities": {"vision": True, "function_calling": False}}]},
        [("m", 32768, {"vision"})],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("body", "wanted"), LISTS)
async def test_model_lists(body: Any, wanted: list[tuple[str, int | None, set[str]]]) -> None:
    async with provider(plain(body)) as (made, _):
        listed = await made.models()
    assert [(m.id, m.context_window, set(m.features)) for m in listed] == wanted


@pytest.mark.parametrize(
    "answer", [Answer(b"<html>"), plain({"x": 1}), plain({}, 500), plain({}, 401)]
)
async def test_a_model_list_that_fails(answer: Answer) -> None:
    async with provider(answer) as (made, _):
        with pytest.raises(ProviderError):
            await made.models()


async def test_what_it_says_of_itself() -> None:
    async with provider(HELLO) as (made, _):
        assert made.name == "openai"
        assert made.features == {"vision", "documents", "tools", "json", "thinking", "streaming"}
        assert await made.count_tokens(ASK) is None


NAMES = ["choices", "delta", "message", "content", "tool_calls", "function", "usage", "error", "model", "index", "finish_reason", "type", "thinking", "arguments", "id", "prompt_tokens", "completion_tokens", "total_tokens", "x_groq", "cost"]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
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
    reader = ChatReader(Connection("openai"), "m")
    try:
        for data in events:
            list(reader.feed(Event(data, whole=whole)))
        reader.end(done=True)
    except ProviderError:
        pass
