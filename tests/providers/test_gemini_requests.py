"""What Gemini's dialect sends, and how it reads answers in the documented format."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from aircher.domain.chat import ChatRequest, Finish, Reply, TextDelta, ToolSpec, UsageReport
from aircher.domain.errors import AuthenticationFailed, InvalidRequest, ProviderError
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
from aircher.providers.dialects.gemini import Gemini, connect
from aircher.providers.dialects.gemini.request import chat_body, model_path
from tests.support.loopback import Answer, Loopback, plain, serving, streamed
from tests.support.wire import collect

KEY = "AIzaTestKeyThatIsNone0123456789abcdefg"
HELLO = (user("Hello"),)


def said(text: str, reason: str = "", **more: Any) -> dict[str, Any]:
    """One object of an answer."""
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}}
    if reason:
        candidate["finishReason"] = reason
    return {"candidates": [candidate], "modelVersion": "gemini-9", "responseId": "r1", **more}


DONE = said("Hi", "STOP", usageMetadata={"promptTokenCount": 2, "candidatesTokenCount": 1})


def gemini(server: Loopback, provider: str = "gemini", **options: Any) -> Gemini:
    return connect(Connection(provider, server.url, KEY, idle_timeout_s=5, options=options))


async def answered(
    *answers: Answer, asked: ChatRequest | None = None
) -> tuple[Reply, ProviderError | None]:
    """The reply to a request that the server answers so."""
    async with serving(*answers) as server:
        provider = gemini(server)
        try:
            return await collect(provider.stream(asked or ChatRequest("gemini-2.5-flash", HELLO)))
        finally:
            await provider.aclose()


async def sent(asked: ChatRequest, **options: Any) -> tuple[str, dict[str, str], Any]:
    """Path, headers and body that arrive for a request."""
    async with serving(streamed(DONE, done=False)) as server:
        provider = gemini(server, **options)
        await collect(provider.stream(asked))
        await provider.aclose()
        [request] = server.received
        return request.path, request.headers, request.body


async def test_a_plain_request_is_as_small_as_it_can_be() -> None:
    path, headers, body = await sent(ChatRequest("gemini-2.5-flash", HELLO))
    assert path == "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    assert headers["x-goog-api-key"] == KEY
    assert "x-server-timeout" not in headers
    assert body == {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}


async def test_a_request_with_everything() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    tool = ToolSpec("add", "Adds", {"type": "object", "properties": {"x": {"type": "number"}}})
    asked = ChatRequest(
        "models/gemini-3-flash-preview",
        (
            user(
                "Look",
                Image("image/png", b"\x89PNG"),
                Document("a.pdf", "application/pdf", b"%PDF"),
            ),
        ),
        system="Be terse.",
        max_output=50,
        temperature=0.5,
        tools=(tool,),
        tool_choice="required",
        json_schema=schema,
        thinking="low",
        stop=("END",),
        stream=False,
        options={
            "top_k": 3,
            "safety_settings": [{"category": "C"}],
            "tools": [{"googleSearch": {}}],
        },
    )
    path, _, body = await sent(asked)
    assert path == "/v1beta/models/gemini-3-flash-preview:generateContent"
    assert body["systemInstruction"] == {"parts": [{"text": "Be terse."}]}
    assert body["contents"][0]["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(b"\x89PNG").decode()}},
        {"inlineData": {"mimeType": "application/pdf", "data": base64.b64encode(b"%PDF").decode()}},
        {"text": "Look"},
    ]
    declared = {"name": "add", "description": "Adds", "parametersJsonSchema": dict(tool.parameters)}
    assert body["tools"] == [{"functionDeclarations": [declared]}, {"googleSearch": {}}]
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "ANY"}}
    assert body["safetySettings"] == [{"category": "C"}]
    assert body["generationConfig"] == {
        "maxOutputTokens": 50,
        "temperature": 0.5,
        "stopSequences": ["END"],
        "responseMimeType": "application/json",
        "responseJsonSchema": schema,
        "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "low"},
        "topK": 3,
    }


def contents(*messages: Message, model: str = "gemini-2.5-flash") -> Any:
    return chat_body(ChatRequest(model, messages), "gemini")["contents"]


def test_tool_results_go_back_by_name_and_with_googles_ids_only() -> None:
    calls = Message(
        "assistant", (ToolCall("g1", "add", '{"x":1}'), ToolCall("call-r1-1", "now", ""))
    )
    results = Message("tool", (ToolResult("g1", "2"), ToolResult("call-r1-1", "no", is_error=True)))
    turns = contents(user("go"), calls, results, user("and?"))
    assert turns[1] == {
        "role": "model",
        "parts": [
            {"functionCall": {"name": "add", "args": {"x": 1}, "id": "g1"}},
            {"functionCall": {"name": "now", "args": {}}},
        ],
    }
    assert turns[2] == {
        "role": "user",
        "parts": [
            {"functionResponse": {"name": "add", "response": {"output": "2"}, "id": "g1"}},
            {"functionResponse": {"name": "now", "response": {"error": "no"}}},
            {"text": "and?"},
        ],
    }


def test_signatures_return_to_their_maker_alone() -> None:
    ours = Thinking("hm", "sig", "gemini")
    call = ToolCall("g1", "add", "{}")
    signed = contents(Message("assistant", (ours, Text("so"), call, call)))[0]["parts"]
    assert [part.get("thoughtSignature") for part in signed] == [None, "sig", None]
    told = contents(Message("assistant", (ours, Text("so"))))[0]["parts"]
    assert told == [{"text": "so", "thoughtSignature": "sig"}]
    foreign = Message("assistant", (Thinking("hm", "theirs", "claude"), Text("so"), call))
    assert "thoughtSignature" not in contents(foreign)[0]["parts"][1]
    unsigned = contents(foreign, model="gemini-3.1-pro-preview")[0]["parts"][1]
    assert unsigned["thoughtSignature"] == "skip_thought_signature_validator"


def test_what_is_not_sent() -> None:
    assert contents(user(""), assistant(""), user("x")) == [
        {"role": "user", "parts": [{"text": "x"}]}
    ]


def test_documents_of_text_and_of_bytes_and_images_by_address() -> None:
    text = Document('a"b.py', "text/x-python", b"x = 1")
    raw = Document("a.bin", "application/x-thing", b"\xff\xfe")
    [turn] = contents(user("", text, raw, Image("image/png", url="https://example.invalid/a.png")))
    assert turn["parts"] == [
        {"text": '<document name="a\\"b.py">\nx = 1\n</document>\n'},
        {"inlineData": {"mimeType": "application/x-thing", "data": "//4="}},
        {"fileData": {"mimeType": "image/png", "fileUri": "https://example.invalid/a.png"}},
    ]


@pytest.mark.parametrize(
    ("model", "effort", "config"),
    [
        ("gemini-2.5-flash", "none", {"includeThoughts": False, "thinkingBudget": 0}),
        ("gemini-2.5-pro", "none", {"includeThoughts": False, "thinkingBudget": 128}),
        ("gemini-2.5-pro", "high", {"includeThoughts": True, "thinkingBudget": 24_576}),
        ("gemini-3.8-flash", "none", {"includeThoughts": False, "thinkingLevel": "minimal"}),
        ("gemini-3.1-pro-preview", "none", {"includeThoughts": False, "thinkingLevel": "low"}),
        ("gemini-flash-latest", "medium", {"includeThoughts": True, "thinkingLevel": "medium"}),
        ("gemini-2.0-flash", "high", None),
        ("gemma-3-27b-it", "high", None),
        ("gemini-2.5-flash", None, None),
    ],
)
def test_effort_is_a_budget_or_a_level(model: str, effort: Any, config: Mapping[str, Any]) -> None:
    body = chat_body(ChatRequest(model, HELLO, thinking=effort), "gemini")
    assert body.get("generationConfig", {}).get("thinkingConfig") == config


@pytest.mark.parametrize(
    ("model", "vertex", "path"),
    [
        ("gemini-2.5-pro", False, "models/gemini-2.5-pro"),
        ("models/gemini-2.5-pro", False, "models/gemini-2.5-pro"),
        ("tunedModels/mine", False, "tunedModels/mine"),
        ("gemini-2.5-pro", True, "publishers/google/models/gemini-2.5-pro"),
        ("meta/llama-4", True, "publishers/meta/models/llama-4"),
        ("publishers/google/models/x", True, "publishers/google/models/x"),
        ("projects/p/locations/l/endpoints/1", True, "projects/p/locations/l/endpoints/1"),
        ("../a?b#c d", False, "models/%2E%2E/a%3Fb%23c%20d"),
    ],
)
def test_model_names_become_safe_paths(model: str, vertex: bool, path: str) -> None:
    assert model_path(model, vertex=vertex) == path


async def test_vertex_is_chosen_by_project_and_location() -> None:
    path, headers, _ = await sent(
        ChatRequest("gemini-2.5-flash", HELLO), project="p-1", location="europe-west4"
    )
    assert path == (
        "/v1beta1/projects/p-1/locations/europe-west4/publishers/google/models/"
        "gemini-2.5-flash:streamGenerateContent?alt=sse"
    )
    assert headers["x-goog-api-key"] == KEY


async def test_counting_sends_the_whole_prompt() -> None:
    async with serving(plain({"totalTokens": 7})) as server:
        provider = gemini(server)
        assert await provider.count_tokens(ChatRequest("gemini-2.5-flash", HELLO)) == 7
        assert await provider.count_tokens(ChatRequest("gemini-2.5-flash", HELLO, system="s")) == 7
        await provider.aclose()
        bare, full = (request.body for request in server.received)
    turns = [{"role": "user", "parts": [{"text": "Hello"}]}]
    assert bare == {"contents": turns}
    assert full == {
        "generateContentRequest": {
            "model": "models/gemini-2.5-flash",
            "contents": turns,
            "systemInstruction": {"parts": [{"text": "s"}]},
        }
    }


async def test_all_pages_of_the_model_list_are_read() -> None:
    pages = [
        plain({"models": [{"name": "models/a", "inputTokenLimit": 10}], "nextPageToken": "t/1"}),
        plain({"models": [{"name": "models/b", "thinking": True}, "junk"]}),
    ]
    async with serving(*pages) as server:
        provider = gemini(server)
        listed = await provider.models()
        await provider.aclose()
        paths = [request.path for request in server.received]
    assert [(row.id, row.context_window, set(row.features)) for row in listed] == [
        ("models/a", 10, set()),
        ("models/b", None, {"thinking"}),
    ]
    assert paths == ["/v1beta/models?pageSize=1000", "/v1beta/models?pageSize=1000&pageToken=t%2F1"]


# -- answers ---------------------------------------------------------------------------------


def body(*objects: object, framing: str) -> Answer:
    """The same objects in all the framings that are met."""
    texts = [json.dumps(o, ensure_ascii=False) for o in objects]
    match framing:
        case "sse":
            return streamed(*objects, done=False)
        case "crlf":
            events = "".join(f"data: {text}\r\n\r\n" for text in texts)
            return Answer(events.encode(), content_type="text/event-stream")
        case "no space":
            events = "".join(f": ping\n\ndata:{text}\n\n" for text in texts)
            return Answer(events.encode(), content_type="text/event-stream")
        case "done":
            return streamed(*objects, done=True)
        case "array":
            return Answer(("[" + "\n,\r\n".join(texts) + "]\n").encode())
        case _:
            return Answer(("\ufeff" + json.dumps(list(objects), indent=2)).encode())


FRAMINGS = ("sse", "crlf", "no space", "done", "array", "indented array")


@pytest.mark.parametrize("framing", FRAMINGS)
async def test_all_framings_give_the_same_reply(framing: str) -> None:
    nasty = 'quoted "}]} and \\ and é and \u2028 and 🎉'
    objects = (
        said(nasty, usageMetadata={"promptTokenCount": 5}),
        said(nasty, usageMetadata={"promptTokenCount": 5, "candidatesTokenCount": 3}),
        said("", "STOP"),
        {
            "usageMetadata": {
                "promptTokenCount": 6,
                "candidatesTokenCount": 4,
                "thoughtsTokenCount": 2,
            }
        },
    )
    reply, error = await answered(body(*objects, framing=framing))
    assert error is None
    assert reply.text == nasty * 2
    assert (reply.finish_reason, reply.outcome) == ("STOP", "complete")
    assert reply.tokens == Tokens(input=6, output=6, reasoning=2)
    assert (reply.model, reply.request_id) == ("gemini-9", "r1")


async def test_all_counts_of_usage() -> None:
    usage = {
        "promptTokenCount": 100,
        "toolUsePromptTokenCount": 20,
        "cachedContentTokenCount": 60,
        "candidatesTokenCount": 30,
        "thoughtsTokenCount": 7,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 60},
            {"modality": "AUDIO", "tokenCount": 40},
        ],
        "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 3}],
    }
    reply, _ = await answered(streamed(said("x", "STOP", usageMetadata=usage), done=False))
    assert reply.tokens == Tokens(
        input=120, cached=60, output=37, reasoning=7, input_audio=40, output_audio=3
    )


async def test_calls_made_together_keep_their_order_ids_and_one_signature() -> None:
    parts = [
        {"text": "I wonder", "thought": True},
        {"functionCall": {"name": "a", "args": {"x": 1.5, "s": "é"}}, "thoughtSignature": "S1"},
        {"functionCall": {"name": "b", "id": "g7"}, "thoughtSignature": "S2"},
    ]
    data = {
        "candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}],
        "responseId": "r",
    }
    reply, error = await answered(streamed(data, done=False))
    assert error is None
    assert reply.outcome == "tool_calls"
    assert reply.tool_calls == (
        ToolCall("call-r-0", "a", '{"x":1.5,"s":"é"}'),
        ToolCall("g7", "b", "{}"),
    )
    assert (reply.thinking, reply.thinking_signature) == ("I wonder", "S1")


async def test_a_text_signature_is_kept_for_the_next_turn() -> None:
    part = {"text": "", "thoughtSignature": "S"}
    last = {"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}]}
    reply, _ = await answered(streamed(said("Hi"), last, done=False))
    assert (reply.text, reply.thinking_signature) == ("Hi", "S")


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("STOP", "complete"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "error"),
        ("LANGUAGE", "other"),
        ("A_REASON_OF_TOMORROW", "other"),
    ],
)
async def test_finish_reasons_in_our_words(reason: str, outcome: str) -> None:
    reply, error = await answered(streamed(said("text", reason), done=False))
    assert error is None
    assert (reply.text, reply.finish_reason, reply.outcome) == ("text", reason, outcome)


async def test_a_blocked_prompt_and_a_withheld_reply_are_refusals() -> None:
    blocked = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {}}
    reply, error = await answered(streamed(blocked, done=False))
    assert error is not None
    assert (error.kind, error.ours, error.retryable) == ("content_filter", True, False)
    assert reply.finish_reason == "BLOCKED:PROHIBITED_CONTENT"
    assert (reply.tokens.input, reply.tokens.output) == (0, 0)
    reply, error = await answered(streamed(said("", "SAFETY"), done=False))
    assert error is not None
    assert error.kind == "content_filter"
    assert reply.finish_reason == "SAFETY"


ERROR = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}


@pytest.mark.parametrize("framing", FRAMINGS)
async def test_an_error_within_a_stream(framing: str) -> None:
    reply, error = await answered(body(said("Hal"), ERROR, framing=framing))
    assert error is not None
    assert error.kind == "overloaded"
    assert "The model is overloaded." in error.message
    assert reply.text == "Hal"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (
            plain(
                {
                    "error": {
                        "code": 400,
                        "message": "API key not valid. Please pass a valid API key.",
                        "status": "INVALID_ARGUMENT",
                    }
                },
                400,
            ),
            "auth",
        ),
        (plain([ERROR], 503), "overloaded"),
        (
            plain(
                {
                    "error": {
                        "code": 429,
                        "message": "Quota",
                        "status": "RESOURCE_EXHAUSTED",
                        "details": [
                            {
                                "@type": "type.googleapis.com/google.rpc.RetryInfo",
                                "retryDelay": "31s",
                            }
                        ],
                    }
                },
                429,
            ),
            "rate_limit",
        ),
        (Answer(b"<html><title>502 Bad Gateway</title>", 502, "text/html"), "server"),
        (Answer(b"\xff\xfe", 500), "server"),
        (Answer(b'"text"', 404), "not_found"),
        (Answer(b"", 403), "permission"),
        (
            plain(
                {
                    "error": {
                        "code": 400,
                        "status": "INVALID_ARGUMENT",
                        "message": "The input token count"
                        " (1200000) exceeds the maximum number of tokens allowed (1048576).",
                    }
                },
                400,
            ),
            "context_length",
        ),
        (Answer(b"{}"), "malformed"),
        (Answer(b"[]"), "malformed"),
        (Answer(b"[1,2"), "malformed"),
        (Answer(b"null"), "malformed"),
        (Answer(b"[" * 100_000), "malformed"),
        (Answer(b'{"candidates": 5, "usageMetadata": "x", "promptFeedback": []}'), "malformed"),
        (Answer(b'{"candidates": [null, 7]}'), "malformed"),
        (Answer(json.dumps([DONE]).encode() + b"{}"), "malformed"),
        (streamed(said("Hal"), done=False), "malformed"),
        (Answer(b"data: {}", announced=50, content_type="text/event-stream"), "network"),
    ],
)
async def test_every_failure_is_of_our_tree(answer: Answer, kind: str) -> None:
    _, error = await answered(answer)
    assert error is not None
    assert (error.kind, error.provider) == (kind, "gemini")
    assert error.hint
    if kind == "rate_limit":
        assert error.retry_after == 31


async def test_a_broken_end_after_the_finish_reason_loses_nothing() -> None:
    whole = streamed(DONE, done=False)
    cut = Answer(whole.body, content_type=whole.content_type, announced=len(whole.body) + 9)
    reply, error = await answered(cut)
    assert error is None
    assert (reply.text, reply.tokens.output) == ("Hi", 1)


@pytest.mark.security
async def test_nothing_is_asked_twice_and_no_redirect_followed() -> None:
    async with serving(plain(DONE)) as elsewhere:
        moved = Answer(status=307, headers=(("Location", f"{elsewhere.url}/stolen"),))
        for first, kind in ((moved, "address"), (plain(ERROR, 503), "overloaded")):
            async with serving(first, plain(DONE)) as server:
                provider = gemini(server)
                _, error = await collect(provider.stream(ChatRequest("m", HELLO)))
                await provider.aclose()
            assert error is not None
            assert error.kind == kind
            assert len(server.received) == 1
        assert not elsewhere.received


async def test_nobody_there_is_a_network_error() -> None:
    async with serving(plain(DONE)) as server:
        provider = gemini(server)
    _, error = await collect(provider.stream(ChatRequest("m", HELLO)))
    await provider.aclose()
    assert error is not None
    assert error.kind == "network"


async def test_a_stopped_reply_closes_the_connection_and_had_its_usage() -> None:
    first = said("Hi", usageMetadata={"promptTokenCount": 2})
    held = Answer(
        streamed(first, done=False).body,
        content_type="text/event-stream",
        announced=999,
        hold_s=0.8,
    )
    async with serving(held) as server:
        provider = gemini(server)
        stream = provider.stream(ChatRequest("m", HELLO))
        async with asyncio.timeout(0.7):
            chunks = [await anext(stream) for _ in range(3)]
            await stream.aclose()  # type: ignore[attr-defined]  # it is a generator
            await provider.aclose()
        await asyncio.sleep(0.9)  # the server ends its side
    assert chunks[1:] == [TextDelta("Hi"), UsageReport(Tokens(input=2, output=0))]
    assert not any(isinstance(chunk, Finish) for chunk in chunks)


async def test_a_key_in_the_environment_is_not_sent_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "AIzaFromTheEnvironment")
    monkeypatch.setenv("GOOGLE_API_KEY", "AIzaFromTheEnvironment")
    async with serving(streamed(DONE, done=False)) as server:
        provider = connect(Connection("gemini", server.url))
        await collect(provider.stream(ChatRequest("m", HELLO)))
        await provider.aclose()
    assert "x-goog-api-key" not in server.received[0].headers


async def test_a_server_of_ones_own_is_sent_no_google_token(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    options = {"project": "p", "location": "l"}
    async with serving(streamed(DONE, done=False)) as server:
        provider = connect(Connection("vertex", server.url, options=options))
        _, error = await collect(provider.stream(ChatRequest("m", HELLO)))
        await provider.aclose()
    assert error is None
    [request] = server.received
    assert request.path.startswith("/v1beta1/projects/p/locations/l/publishers/google/models/m:")
    assert not {"authorization", "x-goog-api-key"} & set(request.headers)


async def test_an_error_after_the_events_may_be_plain_json() -> None:
    events = streamed(said("Hal"), done=False).body + json.dumps(ERROR, indent=2).encode()
    reply, error = await answered(Answer(events, content_type="text/event-stream"))
    assert error is not None
    assert error.kind == "overloaded"
    assert reply.text == "Hal"


def test_no_key_and_no_address_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "AIzaFromTheEnvironment")
    with pytest.raises(AuthenticationFailed, match="needs a key"):
        connect(Connection("gemini"))


async def test_vertex_without_credentials_says_how_to_sign_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    options = {"project": "p", "location": "europe-west4"}
    provider = connect(Connection("vertex", options=options))
    _, error = await collect(provider.stream(ChatRequest("m", HELLO)))
    await provider.aclose()
    assert isinstance(error, AuthenticationFailed)
    assert "gcloud auth" in error.hint


def test_an_address_that_is_none_is_refused_or_fails_as_ours() -> None:
    async def run() -> None:
        try:
            provider = connect(Connection("gemini", "not an address", KEY))
        except InvalidRequest:
            return
        _, error = await collect(provider.stream(ChatRequest("m", HELLO)))
        await provider.aclose()
        assert isinstance(error, ProviderError)

    asyncio.run(run())
