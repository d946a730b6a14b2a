"""Ollama's own protocol: chat, the older ``generate``, the model list, and pulling a model.

Source of the format: https://docs.ollama.com/api (JSON lines; the last has ``done``: true).
"""

from __future__ import annotations

import base64
import ipaddress
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import ollama

from aircher.domain.chat import (
    ChatRequest,
    Chunk,
    Finish,
    Opened,
    Outcome,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    UsageReport,
)
from aircher.domain.errors import (
    InvalidRequest,
    ModelNotFound,
    ProviderError,
)
from aircher.domain.messages import (
    Document,
    Image,
    Message,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from aircher.domain.models import ListedModel, PullProgress
from aircher.domain.usage import Tokens
from aircher.providers.bodies import facts_from_body
from aircher.providers.connection import Connection
from aircher.providers.faults import fault
from aircher.providers.transport import (
    ca_file_of,
    foreign,
    lower,
    malformed,
    network_fault,
    trust,
)
from aircher.providers.watching import request_hooks

FEATURES = frozenset({"vision", "tools", "json", "thinking", "streaming"})

OUTCOMES: Mapping[str, Outcome] = {"": "complete", "stop": "complete", "length": "length"}

_TYPES = {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/json", ""}

_NOT_IN_LIBRARY = "pull model manifest: file does not exist"
"""How a server says that the model it should pull is nowhere."""

_TOP_LEVEL = frozenset(
    {"keep_alive", "think", "format", "template", "raw", "suffix", "logprobs", "top_logprobs"}
)
"""Options that stand beside the messages; all others are the model's and go into ``options``."""

_CAPABILITIES = {"vision": "vision", "tools": "tools", "thinking": "thinking"}
"""The names in ``/api/show``, and ours."""


# -- what we ask ---------------------------------------------------------------------------


def _json_object(text: str) -> dict[str, Any]:
    """A call's arguments as an object; broken JSON is kept as text within one."""
    try:
        value = json.loads(text or "{}")
    except ValueError:
        value = text
    return value if isinstance(value, dict) else {"arguments": value}


def _document_text(document: Document) -> str:
    """A text document within the prompt; Ollama has no other place for it."""
    try:
        text = document.data.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if not text or document.media_type == "application/pdf":
        raise InvalidRequest(
            f"Ollama cannot read {document.name} ({document.media_type}).",
            hint="Attach plain text or an image, or choose another provider.",
        )
    return f"<document name={json.dumps(document.name)}>\n{text}\n</document>\n"


def _image_data(image: Image) -> str:
    if not image.data:
        raise InvalidRequest(
            "Ollama does not fetch images by address.", hint="Attach the image as a file."
        )
    return base64.b64encode(image.data).decode("ascii")


def _message(message: Message, names: Mapping[str, str], vendor: str) -> list[dict[str, Any]]:
    """A message of ours as one of Ollama's, or one per tool result."""
    said: dict[str, Any] = {"role": message.role, "content": ""}
    results: list[dict[str, Any]] = []
    for part in message.parts:
        match part:
            case Text(text):
                said["content"] += text
            case Thinking(text, _, origin) if origin in {"ollama", vendor} and text:
                said["thinking"] = said.get("thinking", "") + text
            case Image():
                said.setdefault("images", []).append(_image_data(part))
            case Document():
                said["content"] += _document_text(part)
            case ToolCall(call_id, name, arguments):
                call = {"function": {"name": name, "arguments": _json_object(arguments)}}
                said.setdefault("tool_calls", []).append({"id": call_id, **call})
            case ToolResult(call_id, content):
                result = {"role": "tool", "content": content, "tool_call_id": call_id}
                results.append(result | {"tool_name": names.get(call_id, "")})
    return results + ([said] if len(said) > 2 or said["content"] else [])


def _shared(asked: ChatRequest, connection: Connection) -> dict[str, Any]:
    """What ``chat`` and ``generate`` have in common."""
    settings = {
        name: connection.options[name]
        for name in ("num_ctx", "num_predict")
        if connection.options.get(name) is not None
    }
    if asked.max_output is not None:
        settings["num_predict"] = asked.max_output
    if asked.temperature is not None:
        settings["temperature"] = asked.temperature
    if asked.stop:
        settings["stop"] = list(asked.stop)
    body: dict[str, Any] = {"model": asked.model, "stream": asked.stream}
    if (keep := connection.options.get("keep_alive")) is not None:
        body["keep_alive"] = keep
    if asked.json_schema is not None:
        body["format"] = dict(asked.json_schema)
    if asked.thinking == "none":
        body["think"] = False
    elif asked.thinking is not None:
        # Only gpt-oss knows levels; the others refuse them.
        body["think"] = asked.thinking if "gpt-oss" in asked.model else True
    for name, value in asked.options.items():
        (body if name in _TOP_LEVEL else settings)[name] = value
    if settings:
        body["options"] = settings
    return body


def chat_body(asked: ChatRequest, connection: Connection) -> dict[str, Any]:
    """The body of ``/api/chat``.  Raises ``InvalidRequest`` for an unreadable attachment."""
    calls = [p for m in asked.messages for p in m.parts if isinstance(p, ToolCall)]
    names = {call.id: call.name for call in calls}
    turns = [t for m in asked.messages for t in _message(m, names, connection.provider)]
    if asked.system:
        turns.insert(0, {"role": "system", "content": asked.system})
    body = _shared(asked, connection) | {"messages": turns}
    if asked.tools and asked.tool_choice != "none":
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": dict(tool.parameters),
                },
            }
            for tool in asked.tools
        ]
    return body


def generate_body(asked: ChatRequest, connection: Connection) -> dict[str, Any]:
    """The body of ``/api/generate``: one prompt; a longer talk is written out with its roles."""
    turns = [t for m in asked.messages for t in _message(m, {}, connection.provider)]
    if len(turns) == 1:
        prompt = turns[0]["content"]
    else:
        prompt = "\n\n".join(f"{turn['role'].title()}: {turn['content']}" for turn in turns)
    body = _shared(asked, connection) | {"prompt": prompt}
    if asked.system:
        body["system"] = asked.system
    if images := [image for turn in turns for image in turn.get("images", ())]:
        body["images"] = images
    return body


# -- what comes back -----------------------------------------------------------------------


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


class Reader:
    """Reads one reply's lines in order."""

    def __init__(self) -> None:
        self._opened = False
        self._calls = 0
        self.finished = False

    def read(self, line: Mapping[str, Any]) -> Iterator[Chunk]:
        """The chunks of one line of ``chat`` or ``generate``."""
        if not self._opened:
            self._opened = True
            yield Opened(_text(line.get("model")))
        message = line.get("message")
        said: Mapping[str, Any] = message if isinstance(message, Mapping) else line
        if thinking := _text(said.get("thinking")):
            yield ThinkingDelta(thinking)
        if text := _text(said.get("content")) or _text(line.get("response")):
            yield TextDelta(text)
        calls = said.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            yield self._call(call if isinstance(call, Mapping) else {})
        if line.get("done") is True:
            yield from self._finish(line)

    def _call(self, call: Mapping[str, Any]) -> ToolCallDelta:
        """Calls come whole; older servers give them no id."""
        function = call.get("function")
        function = function if isinstance(function, Mapping) else {}
        given = function.get("arguments")
        if not isinstance(given, str):
            given = json.dumps(given or {}, ensure_ascii=False, separators=(",", ":"))
        index, self._calls = self._calls, self._calls + 1
        call_id = _text(call.get("id")) or f"call_{index}"
        return ToolCallDelta(index, call_id, _text(function.get("name")), given)

    def _finish(self, line: Mapping[str, Any]) -> Iterator[Chunk]:
        """Ollama leaves out ``prompt_eval_count`` where the prompt was in its cache."""
        counts = Tokens(
            input=_count(line.get("prompt_eval_count")), output=_count(line.get("eval_count"))
        )
        if counts != Tokens():
            yield UsageReport(counts)
        reason = _text(line.get("done_reason"))
        outcome = OUTCOMES.get(reason, "other")
        self.finished = True
        yield Finish(reason, "tool_calls" if self._calls and outcome == "complete" else outcome)


# -- the connection ------------------------------------------------------------------------


def _loopback(host: str) -> bool:
    """True for an address on this machine."""
    name = httpx.URL(host if "://" in host else f"http://{host}").host
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class Told(Exception):
    """The server's own error: by status, or in a line (status 200)."""

    def __init__(
        self, status: int, body: str | bytes, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers or {}


class Wire(ollama.AsyncClient):
    """The SDK's client, asked for raw lines.

    Its own models drop nested tool schemas and call ids, its line splitter cuts JSON at
    characters such as U+0085, and it takes a stream without an end for a whole reply.
    """

    def __init__(self, connection: Connection) -> None:
        base = connection.base_url.rstrip("/").removesuffix("/v1").removesuffix("/api")
        own = ca_file_of(connection)
        super().__init__(
            host=base or None,
            verify=trust(own) if own else True,
            headers={"authorization": f"Bearer {connection.key}"} if connection.key else None,
            timeout=httpx.Timeout(connection.idle_timeout_s, connect=connection.connect_timeout_s),
            follow_redirects=False,
            event_hooks=request_hooks(),
            # A proxy cannot reach this machine's own server.
            trust_env=not _loopback(base or "127.0.0.1"),
        )
        if not connection.key:
            # The SDK would send OLLAMA_API_KEY to whatever address is configured.
            self._client.headers.pop("authorization", None)

    async def aclose(self) -> None:
        """Closes connections (the SDK's own ``close`` has no types)."""
        await self._client.aclose()

    async def lines(self, path: str, body: Mapping[str, Any]) -> AsyncIterator[Mapping[str, Any]]:
        """The answer's lines as objects.

        Raises ``Told`` for an error by status or in a line, ``ValueError`` for what is not
        JSON lines, and httpx's errors.
        """
        async with self._client.stream("POST", path, json=body) as response:
            if response.status_code != 200:
                said = await response.aread()
                raise Told(response.status_code, said, lower(response.headers))
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind not in _TYPES:
                raise ValueError(f"its type is {kind}")
            kept = bytearray()
            async for piece in response.aiter_bytes():
                kept += piece
                if b"\n" not in piece:
                    continue
                *whole, kept = kept.split(b"\n")
                for line in whole:
                    if line.strip():
                        yield _line(line)
            if kept.strip():
                yield _line(kept)


def _line(raw: bytearray) -> Mapping[str, Any]:
    line = json.loads(raw)
    if not isinstance(line, dict):
        raise ValueError("a line is not a JSON object")  # noqa: TRY004 - as json.loads does
    if line.get("error"):
        raise Told(200, bytes(raw))
    return line


class Ollama:
    """A connection to an Ollama server."""

    def __init__(self, connection: Connection, wire: Wire) -> None:
        self._connection = connection
        self._wire = wire

    @property
    def name(self) -> str:
        """The name in the configuration."""
        return self._connection.provider

    @property
    def features(self) -> frozenset[str]:
        """What the protocol carries; "local" where the server is this machine's."""
        here = _loopback(self._connection.base_url or "127.0.0.1")
        return FEATURES | {"local"} if here else FEATURES

    async def stream(self, asked: ChatRequest) -> AsyncIterator[Chunk]:
        """Chunks of one reply; see ``ChatPort``."""
        generate = self._connection.options.get("api") == "generate"
        make = generate_body if generate else chat_body
        path = "/api/generate" if generate else "/api/chat"
        reader = Reader()
        with self._crossing(asked.model):
            async for line in self._wire.lines(path, make(asked, self._connection)):
                for chunk in reader.read(line):
                    yield chunk
                if reader.finished:
                    return
            raise malformed("it ended before its last line", self._connection, asked.model)

    async def models(self) -> Sequence[ListedModel]:
        """The models on that server, with their sizes on disk."""
        with self._crossing():
            listed = await self._wire.list()
        return [
            ListedModel(id=row.model, size_bytes=None if row.size is None else int(row.size))
            for row in listed.models
            if row.model
        ]

    async def describe(self, model: str) -> ListedModel:
        """What the server knows of one model: its context window and what it can do."""
        with self._crossing(model):
            shown = await self._wire.show(model)
        info = shown.modelinfo or {}
        windows = (_count(v) for name, v in info.items() if name.endswith(".context_length"))
        able = {_CAPABILITIES[word] for word in shown.capabilities or () if word in _CAPABILITIES}
        return ListedModel(
            id=model,
            context_window=next(windows, None),
            features=frozenset(able | {"streaming", "json"}),
        )

    async def pull(self, model: str) -> AsyncIterator[PullProgress]:
        """Fetches a model into the server's store; ends after status "success".

        Raises ``ProviderError``; closing the iterator stops the download (Ollama goes on
        from there the next time).
        """
        with self._crossing(model):
            async for line in self._wire.lines("/api/pull", {"model": model, "stream": True}):
                status = _text(line.get("status"))
                yield PullProgress(status, _count(line.get("completed")), _count(line.get("total")))
                if status == "success":
                    return
            raise malformed("the download ended early", self._connection, model)

    async def count_tokens(self, asked: ChatRequest) -> int | None:  # noqa: ARG002 - the port's
        """None: Ollama offers no count."""
        return None

    async def aclose(self) -> None:
        """Closes connections."""
        await self._wire.aclose()

    @contextmanager
    def _crossing(self, model: str = "") -> Iterator[None]:
        """Lets nothing foreign through: the SDK's, httpx's, JSON's and pydantic's errors."""
        try:
            yield
        except Told as error:
            raise self._reported(error, model) from error
        except ollama.ResponseError as error:
            raise self._reported(Told(error.status_code, str(error.error)), model) from error
        except (httpx.ConnectError, ConnectionError) as error:
            failure = network_fault(error, self._connection, model)
            failure.hint = "Is Ollama running?  Start it with `ollama serve`."
            raise failure from error
        except foreign() as error:
            raise network_fault(error, self._connection, model) from error
        except (AttributeError, TypeError, LookupError) as error:
            # The SDK takes an answer of any shape for what it expects.
            raise malformed("it has another shape", self._connection, model) from error

    def _reported(self, told: Told, model: str) -> ProviderError:
        """The error that the server tells."""
        failure = fault(
            facts_from_body(
                self.name,
                model,
                told.status,
                told.headers,
                told.body,
                secret=self._connection.key,
                key_place=self._connection.key_place,
            )
        )
        if _NOT_IN_LIBRARY in failure.message:
            return ModelNotFound(
                f"Ollama's library has no model {model}.",
                hint="See the names at https://ollama.com/library.",
                provider=self.name,
                model=model,
                status=told.status,
            )
        if isinstance(failure, ModelNotFound) and model:
            failure.hint = f"Fetch it with `ollama pull {model}`, or see `aircher models`."
        return failure


def connect(connection: Connection) -> Ollama:
    """A provider that speaks to an Ollama server.

    ``base_url`` "" means OLLAMA_HOST, or 127.0.0.1:11434.  Options: ``api`` ("chat",
    "generate"), ``num_ctx``, ``num_predict``, ``keep_alive``.  Raises ``InvalidRequest`` for
    an address that is none.
    """
    try:
        return Ollama(connection, Wire(connection))
    except (httpx.InvalidURL, ValueError) as error:
        raise InvalidRequest(
            f"{connection.base_url!r} is not an address.",
            hint=f"Correct base_url in [providers.{connection.provider}].",
            provider=connection.provider,
        ) from error
