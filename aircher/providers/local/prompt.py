"""A request cut down to what a small text-only model can take."""

from __future__ import annotations

from dataclasses import replace

from aircher.domain.chat import ChatRequest
from aircher.domain.errors import InvalidRequest
from aircher.domain.messages import Document, Image, Message, Part, Text, ToolCall, ToolResult

SYSTEM = "You are a helpful assistant. Answer briefly and to the point."
"""Used where a request brings none: long instructions confuse so small a model."""

MAX_OUTPUT = 1024
"""Tokens.  What the built-in model has not said by then, it is repeating."""

_TEXT_ONLY_HINT = "Choose a model with vision, or leave the attachment out."


def plain(request: ChatRequest, *, tiny: bool) -> ChatRequest:
    """``request`` as text only: no tools, no thinking, tool traffic told in words.

    With ``tiny`` (the built-in model) a short system prompt and a bound on the answer are
    put where the request has none.  Raises ``InvalidRequest`` for images and PDF documents.
    """
    messages = tuple(_plain_message(message) for message in request.messages)
    request = replace(
        request,
        messages=tuple(message for message in messages if message.text),
        tools=(),
        tool_choice=None,
        thinking=None,
    )
    if not tiny:
        return request
    return replace(
        request,
        system=request.system or SYSTEM,
        max_output=min(request.max_output or MAX_OUTPUT, MAX_OUTPUT),
    )


def _plain_message(message: Message) -> Message:
    words = "\n\n".join(text for part in message.parts if (text := _words(part)))
    return Message("user" if message.role == "tool" else message.role, (Text(words),))


def _words(part: Part) -> str:
    """A part in words; "" where it has none that the model should read."""
    match part:
        case Text(text):
            return text
        case Document(name, media_type, data) if media_type != "application/pdf":
            return f"{name}:\n{data.decode('utf-8', 'replace')}"
        case Document() | Image():
            raise InvalidRequest("This model reads text only.", hint=_TEXT_ONLY_HINT)
        case ToolCall(_, name, arguments):
            return f"(called {name} with {arguments})"
        case ToolResult(_, content):
            return f"Result of the call:\n{content}"
        case _:
            return ""
