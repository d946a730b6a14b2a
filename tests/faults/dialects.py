"""The five protocols, each with one recorded answer and what can be done to it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.conftest import WIRE


@dataclass(frozen=True)
class Dialect:
    """A protocol as a user configures it.

    ``end`` is in the line that says that the answer is whole; ``error`` a failure inside a stream.
    """

    name: str
    provider: str
    title: str
    key_env: str
    case: str
    model: str
    path: str
    settings: str
    end: bytes
    error: str

    @property
    def free(self) -> bool:
        """A server on this machine costs nothing."""
        return self.provider == "ollama"

    @property
    def ref(self) -> str:
        return f"{self.provider}/{self.model}"


_FAILED = "The server had an error while processing your request"

DIALECTS = (
    Dialect(
        "chat", "openai", "OpenAI", "OPENAI_API_KEY",
        "openai.chat-completions.s.text.200.678ad1ce", "gpt-4.1-mini", "/v1", 'api = "chat"',
        b'"finish_reason":"stop"',
        f'data: {{"error": {{"message": "{_FAILED}", "type": "server_error", "code": null}}}}\n\n',
    ),
    Dialect(
        "responses", "openai", "OpenAI", "OPENAI_API_KEY",
        "openai.responses.s.text-utf8.200.39db3958", "gpt-4.1", "/v1", 'api = "responses"',
        b"event: response.completed",
        'event: error\ndata: {"type": "error", "code": "server_error", "sequence_number": 99, '
        f'"message": "{_FAILED}", "param": null}}\n\n',
    ),
    Dialect(
        "anthropic", "claude", "Claude", "ANTHROPIC_API_KEY",
        "anthropic.messages.s.text-utf8.200.20bd5550", "claude-3-5-haiku-20241022", "", "",
        b"event: message_delta",
        'event: error\ndata: {"type": "error", "error": {"type": "api_error", '
        f'"message": "{_FAILED}"}}}}\n\n',
    ),
    Dialect(
        "gemini", "gemini", "Gemini", "GEMINI_API_KEY",
        "gemini.generate-content.s.text.200.a69c4b89", "gemini-2.0-flash", "", "",
        b'"finishReason"',
        'data: {"error": {"code": 500, "message": "' + _FAILED + '", "status": "INTERNAL"}}\n\n',
    ),
    Dialect(
        "ollama", "ollama", "Ollama", "OLLAMA_API_KEY",
        "ollama.ollama-chat.s.text.200.ea310a55", "llama3", "", "",
        b'"done":true',
        json.dumps({"error": _FAILED}) + "\n",
    ),
)  # fmt: skip

BACKUP_CASE = "deepseek.chat-completions.s.text.200.5c373558"


@cache
def recorded(case: str) -> dict[str, Any]:
    """A recording."""
    found: dict[str, Any] = json.loads((WIRE / "dev" / f"{case}.json").read_text("utf-8"))
    return found


def text_of(case: str) -> str:
    """The recorded answer's text."""
    return str(recorded(case)["expect"]["text"])


@cache
def body_of(case: str) -> bytes:
    """The recorded answer's bytes."""
    response = recorded(case)["response"]
    if "body_b64" in response:
        return base64.b64decode(response["body_b64"])
    return str(response["body_text"]).encode()


def _events(body: bytes) -> list[bytes]:
    """The stream's events, each with what ends it."""
    between = b"\r\n\r\n" if b"\r\n\r\n" in body else b"\n\n" if b"\n\n" in body else b"\n"
    return [one + between for one in body.split(between) if one.strip()]


def in_error(dialect: Dialect, body: bytes) -> bytes:
    """A failure told in the middle of the stream."""
    events = _events(body)
    return b"".join(events[: len(events) // 2]) + dialect.error.encode()


def twice(_dialect: Dialect, body: bytes) -> bytes:
    """The last event comes a second time, as from a proxy that repeats its buffer."""
    return body + _events(body)[-1]


def uncounted(_dialect: Dialect, body: bytes) -> bytes:
    """Nothing says how many tokens there were."""
    return re.sub(rb'"(usage|usageMetadata|prompt_eval_count|eval_count)"', rb'"not_\1"', body)


def torn(_dialect: Dialect, body: bytes) -> bytes:
    """The stream ends inside a character of several bytes."""
    half = len(body) // 2
    quote = body.index(b'"', half)
    return body[: quote + 1] + "é".encode()[:1]


def unended(dialect: Dialect, body: bytes) -> bytes:
    """The stream ends as if all were well, but never says that the answer is whole."""
    return body[: body.rindex(b"\n", 0, body.index(dialect.end)) + 1]


def _inserted(dialect: Dialect, body: bytes, data: bytes) -> bytes:
    """An event of that content in the middle of the stream."""
    events = _events(body)
    half = len(events) // 2
    event = data + b"\n" if dialect.provider == "ollama" else b"data: " + data + b"\n\n"
    return b"".join([*events[:half], event, *events[half:]])


def noise(dialect: Dialect, body: bytes) -> bytes:
    """Bytes that are no text, in the middle."""
    return _inserted(dialect, body, b'{"x": "' + b"\xff\xfe\xc3(" * 5 + b'"}')


def broken(dialect: Dialect, body: bytes) -> bytes:
    """An event whose JSON breaks off, in the middle."""
    return _inserted(dialect, body, b'{"broken": tru')


CHANGES: Mapping[str, Callable[[Dialect, bytes], bytes]] = {
    "error": in_error,
    "twice": twice,
    "uncounted": uncounted,
    "torn": torn,
    "unended": unended,
    "noise": noise,
    "broken": broken,
}


def write_corpus(folder: Path) -> None:
    """The recordings and their changed twins ("CASE-twice"), for the replay server."""
    for dialect in DIALECTS:
        _write(folder, dialect.case, body_of(dialect.case))
        for name, change in CHANGES.items():
            _write(folder, dialect.case, change(dialect, body_of(dialect.case)), f"-{name}")
    _write(folder, BACKUP_CASE, body_of(BACKUP_CASE))


def _write(folder: Path, case: str, body: bytes, suffix: str = "") -> None:
    raw = dict(recorded(case))
    raw["id"] = case + suffix
    raw["response"] = {k: v for k, v in raw["response"].items() if k != "body_text"} | {
        "body_b64": base64.b64encode(body).decode()
    }
    (folder / f"{raw['id']}.json").write_text(json.dumps(raw), encoding="utf-8")
