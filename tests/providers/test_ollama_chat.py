"""Ollama's dialect against answers in the documented format, and what it puts into requests."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from aircher.domain.chat import ChatRequest, ToolSpec
from aircher.domain.errors import InvalidRequest, ProviderError
from aircher.domain.messages import (
    Document,
    Image,
    Message,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    user,
)
from aircher.domain.models import PullProgress
from aircher.domain.usage import Tokens
from aircher.providers.connection import Connection
from aircher.providers.dialects.ollama import connect
from tests.support.loopback import Answer, plain, serving
from tests.support.wire import collect

FIXTURE = (Path(__file__).parent / "fixtures" / "ollama_chat.ndjson").read_bytes()
LINES = "application/x-ndjson"
MODEL = "qwen3:4b"
HI = ChatRequest(MODEL, (user("Hi"),))
BODY = {
    "model": MODEL,
    "message": {"role": "assistant", "content": "Hello."},
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 3,
    "eval_count": 2,
}


def ollama(url: str, key: str = "", **options: Any):
    return connect(Connection("ollama", url, key, idle_timeout_s=5, options=options))


async def ask(answer: Answer, request: ChatRequest = HI, **options: Any):
    async with serving(answer) as server:
        provider = ollama(server.url, **options)
        reply, error = await collect(provider.stream(request))
        await provider.aclose()
        return reply, error, server.received[0]


async def sent(request: ChatRequest, **options: Any) -> dict[str, Any]:
    """The JSON body that the server got."""
    _, error, received = await ask(plain(BODY), request, **options)
    assert error is None
    assert isinstance(received.body, dict)
    return received.body


async def test_thinking_text_and_tool_calls_are_told_apart() -> None:
    reply, error, received = await ask(Answer(FIXTURE, content_type=LINES))
    assert error is None
    assert reply.thinking == "Let me see."
    # JSON may hold characters at which str.splitlines would cut it.
    assert reply.text == "Naïve \x85\u2028日本 🙂"
    assert reply.tool_calls == (
        ToolCall("call_abc", "read_file", '{"path":"a.py"}'),
        ToolCall("call_1", "now", "{}"),
    )
    assert (reply.finish_reason, reply.outcome, reply.model) == ("stop", "tool_calls", MODEL)
    # The prompt was in Ollama's cache: then its size is not said, and not known.
    assert reply.tokens == Tokens(input=None, output=21)
    assert received.path == "/api/chat"


@pytest.mark.parametrize(
    ("reason", "outcome"), [("stop", "complete"), ("length", "length"), ("load", "other")]
)
async def test_the_servers_own_word_is_kept(reason: str, outcome: str) -> None:
    reply, _, _ = await ask(plain({**BODY, "done_reason": reason}))
    assert (reply.finish_reason, reply.outcome) == (reason, outcome)


async def test_a_conversation_with_everything() -> None:
    schema = {
        "type": "object",
        "properties": {
            "edits": {
                "type": "array",
                "items": {"type": "object", "properties": {"at": {"type": "integer"}}},
            },
            "where": {"type": "object", "properties": {"path": {"type": "string"}}},
        },
    }
    png = b"\x89PNG"
    request = ChatRequest(
        MODEL,
        (
            user("Look", Image("image/png", png), Document("a.py", "text/x-python", b"x = 1")),
            Message(
                "assistant",
                (
                    Thinking("Hm.", "", "ollama"),
                    Thinking("Not mine.", "", "claude"),
                    Text("Reading."),
                    ToolCall("c1", "edit", '{"where": {"path": "a.py"}}'),
                ),
            ),
            Message("tool", (ToolResult("c1", "done"),)),
        ),
        system="Be brief.",
        tools=(ToolSpec("edit", "Edits", schema),),
    )
    body = await sent(request)
    system, question, answer, result = body["messages"]
    assert system == {"role": "system", "content": "Be brief."}
    assert question["images"] == [base64.b64encode(png).decode()]
    assert "x = 1" in question["content"]
    assert "a.py" in question["content"]
    assert question["content"].endswith("Look")
    assert (answer["thinking"], answer["content"]) == ("Hm.", "Reading.")
    function = {"name": "edit", "arguments": {"where": {"path": "a.py"}}}
    assert answer["tool_calls"] == [{"id": "c1", "function": function}]
    assert (result["role"], result["content"], result["tool_name"]) == ("tool", "done", "edit")
    # The SDK's own tool model would have dropped the nested properties.
    assert body["tools"][0]["function"]["parameters"] == schema


async def test_settings_of_the_request_and_of_the_configuration() -> None:
    request = ChatRequest(
        MODEL,
        (user("Hi"),),
        max_output=50,
        temperature=0.5,
        stop=("END",),
        json_schema={"type": "object"},
        options={"top_k": 5, "keep_alive": "1h"},
    )
    body = await sent(request, num_ctx=8192, num_predict=10, keep_alive="5m")
    assert body["options"] == {
        "num_ctx": 8192,
        "num_predict": 50,
        "temperature": 0.5,
        "stop": ["END"],
        "top_k": 5,
    }
    assert (body["keep_alive"], body["format"]) == ("1h", {"type": "object"})
    assert (await sent(HI, num_predict=10))["options"] == {"num_predict": 10}


@pytest.mark.parametrize(
    ("model", "effort", "think"),
    [
        (MODEL, None, None),
        (MODEL, "none", False),
        (MODEL, "high", True),
        ("gpt-oss:20b", "high", "high"),
    ],
)
async def test_effort_becomes_think(model: str, effort: Any, think: Any) -> None:
    assert (await sent(ChatRequest(model, (user("Hi"),), thinking=effort))).get("think") == think


async def test_generate_takes_one_prompt() -> None:
    lines = [
        {"model": MODEL, "response": "Hel", "done": False},
        {"model": MODEL, "response": "lo", "done": False},
        {"model": MODEL, "response": "", "done": True, "done_reason": "stop", "eval_count": 2},
    ]
    answer = Answer("\n".join(map(json.dumps, lines)).encode(), content_type=LINES)
    request = ChatRequest(MODEL, (user("Hi", Image("image/png", b"p")),), system="Be brief.")
    reply, error, received = await ask(answer, request, api="generate")
    assert error is None
    assert (reply.text, reply.tokens.output) == ("Hello", 2)
    assert received.path == "/api/generate"
    assert (received.body["prompt"], received.body["system"]) == ("Hi", "Be brief.")
    assert received.body["images"] == [base64.b64encode(b"p").decode()]


@pytest.mark.parametrize(
    "part",
    [
        Document("a.pdf", "application/pdf", b"%PDF"),
        Document("a.bin", "application/octet-stream", b"\xff\xfe"),
        Image("image/png", url="https://example.invalid/a.png"),
    ],
)
async def test_what_ollama_cannot_read_is_refused_before_sending(part: Any) -> None:
    async with serving(plain(BODY)) as server:
        provider = ollama(server.url)
        _, error = await collect(provider.stream(ChatRequest(MODEL, (user("?", part),))))
        await provider.aclose()
        assert isinstance(error, InvalidRequest)
        assert server.received == []


async def test_an_unknown_model_can_be_pulled() -> None:
    _, error, _ = await ask(plain({"error": f"model '{MODEL}' not found"}, 404))
    assert error is not None
    assert error.kind == "not_found"
    assert f"ollama pull {MODEL}" in error.hint


async def test_nothing_listens_there() -> None:
    async with serving(plain(BODY)) as server:
        url = server.url
    provider = ollama(url)
    _, error = await collect(provider.stream(HI))
    assert error is not None
    assert error.kind == "network"
    assert "ollama serve" in error.hint
    with pytest.raises(ProviderError) as caught:
        await provider.models()
    assert caught.value.kind == "network"
    assert "ollama serve" in caught.value.hint
    await provider.aclose()


async def test_an_error_between_lines_keeps_what_came_before() -> None:
    first = FIXTURE.splitlines(keepends=True)[0]
    body = first + b'{"error":"an error was encountered while running the model"}\n'
    reply, error, _ = await ask(Answer(body, content_type=LINES))
    assert reply.thinking == "Let me see."
    assert error is not None
    assert error.kind == "server"
    assert "encountered" in error.message


@pytest.mark.parametrize("count", range(4))
async def test_any_stream_that_lacks_its_last_line_is_broken(count: int) -> None:
    lines = FIXTURE.split(b"\n")[:count]
    _, error, _ = await ask(Answer(b"\n".join(lines), content_type=LINES))
    assert error is not None
    assert error.kind == "malformed"


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b"7", b'"x"', b"[" * 100_000, b"\xff\xfe", b"<p>"]
)
async def test_a_body_of_another_shape_is_malformed(body: bytes) -> None:
    _, error, _ = await ask(Answer(body))
    assert error is not None
    assert error.kind == "malformed"


@pytest.mark.parametrize("body", [b"7", b'"x"', b"[]", b'{"error": {"message": "m"}}', b"<p>"])
async def test_an_error_of_any_shape_is_ours(body: bytes) -> None:
    _, error, _ = await ask(Answer(body, status=500))
    assert error is not None
    assert error.kind == "server"
    async with serving(Answer(body, status=500)) as server:
        provider = ollama(server.url)
        with pytest.raises(ProviderError):
            await provider.models()
        await provider.aclose()


@pytest.mark.security
async def test_a_redirect_is_not_followed() -> None:
    async with serving(plain(BODY)) as elsewhere:
        to = (("Location", elsewhere.url + "/api/chat"),)
        _, error, _ = await ask(Answer(status=307, headers=to))
        assert error is not None
        assert error.kind == "address"
        assert elsewhere.received == []


async def test_a_key_is_sent_only_if_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "key-of-the-environment")
    async with serving(plain(BODY)) as server:
        for key in ("", "key-1"):
            provider = ollama(server.url, key)
            await collect(provider.stream(HI))
            await provider.aclose()
    assert "authorization" not in server.received[0].headers
    assert server.received[1].headers["authorization"] == "Bearer key-1"


async def test_a_proxy_is_not_asked_for_this_machines_own_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert await sent(HI)


async def test_models_with_sizes_and_what_one_can_do() -> None:
    tags = {"models": [{"name": "a:1b", "model": "a:1b", "size": 5}, {"model": "b:1b"}]}
    shown = {
        "model_info": {"general.architecture": "llama", "llama.context_length": 131072},
        "capabilities": ["completion", "vision", "tools"],
    }
    async with serving(plain(tags), plain(shown)) as server:
        provider = ollama(server.url)
        listed = await provider.models()
        described = await provider.describe("a:1b")
        await provider.aclose()
    assert [(model.id, model.size_bytes) for model in listed] == [("a:1b", 5), ("b:1b", None)]
    assert described.context_window == 131072
    assert described.features == {"vision", "tools", "streaming", "json"}
    assert [request.path for request in server.received] == ["/api/tags", "/api/show"]


async def test_pulling_tells_how_far_it_is() -> None:
    lines = [
        {"status": "pulling manifest"},
        {"status": "pulling abc", "digest": "sha256:abc", "total": 10},
        {"status": "pulling abc", "digest": "sha256:abc", "total": 10, "completed": 4},
        {"status": "success"},
    ]
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    async with serving(Answer(body, content_type=LINES)) as server:
        provider = ollama(server.url)
        steps = [step async for step in provider.pull("a:1b")]
        await provider.aclose()
    assert steps[1:3] == [PullProgress("pulling abc", None, 10), PullProgress("pulling abc", 4, 10)]
    assert steps[-1].status == "success"
    assert server.received[0].body == {"model": "a:1b", "stream": True}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (
            b'{"status":"pulling manifest"}\n{"error":"pull model manifest: file does not exist"}\n',
            "not_found",
        ),
        (b'{"status":"pulling manifest"}\n{"error":"disk full"}\n', "server"),
        (b'{"status":"pulling manifest"}\n', "malformed"),
    ],
)
async def test_a_pull_that_did_not_end_well_is_an_error(body: bytes, kind: str) -> None:
    async with serving(Answer(body, content_type=LINES)) as server:
        provider = ollama(server.url)
        with pytest.raises(ProviderError) as caught:
            _ = [step async for step in provider.pull("a:1b")]
        await provider.aclose()
    assert caught.value.kind == kind


def test_local_is_what_is_on_this_machine() -> None:
    assert "local" in ollama("http://127.0.0.1:11434").features
    assert "local" in ollama("").features
    assert "local" not in ollama("https://ollama.com").features


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        ollama("http://[bad")
