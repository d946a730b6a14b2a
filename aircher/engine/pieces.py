"""Every text of a request, taken out to be looked through, and put back.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aircher.domain.chat import ChatRequest
from aircher.domain.messages import (
    Document,
    Image,
    Message,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from aircher.policy.guard import Piece

A_NAME = "a file's name"
"""The place of a file's name, which is sent with its content."""


class Pieces:
    """Collects texts; ``add`` gives the number under which the clean text comes back."""

    def __init__(self) -> None:
        self.all: list[Piece] = []

    def add(self, place: str, text: str, path: str = "") -> int:
        """Takes a text; returns its number."""
        self.all.append(Piece(place, text, path))
        return len(self.all) - 1


Texts = Sequence[str]
"""The clean texts, in the order in which they were added."""


def taken(request: ChatRequest, pieces: Pieces) -> Callable[[Texts], ChatRequest]:
    """Collects every text of a request; what it returns puts the clean ones in their places."""
    system = pieces.add("the system prompt", request.system)
    tools = _deep("a tool", [(t.description, t.parameters) for t in request.tools], pieces)
    schema = _deep("the reply's schema", request.json_schema, pieces)
    last = max((i for i, m in enumerate(request.messages) if m.role == "user"), default=-1)
    messages = [
        _message(message, _speaker(message, number, last), pieces)
        for number, message in enumerate(request.messages)
    ]

    def rebuild(texts: Texts) -> ChatRequest:
        return replace(
            request,
            system=texts[system],
            messages=tuple(message(texts) for message in messages),
            tools=tuple(
                replace(tool, description=description, parameters=parameters)
                for tool, (description, parameters) in zip(request.tools, tools(texts), strict=True)
            ),
            json_schema=schema(texts),
        )

    return rebuild


def _speaker(message: Message, number: int, last: int) -> str:
    if number == last:
        return "your message"
    return {
        "user": "an earlier message",
        "assistant": "an earlier answer",
        "tool": "a tool's result",
    }[message.role]


def _message(message: Message, place: str, pieces: Pieces) -> Callable[[Texts], Message]:
    parts = [_part(part, place, pieces) for part in message.parts]

    def rebuild(texts: Texts) -> Message:
        return replace(message, parts=tuple(new for part in parts for new in part(texts)))

    return rebuild


def _part(part: Part, place: str, pieces: Pieces) -> Callable[[Texts], tuple[Part, ...]]:
    match part:
        case Text(text):
            number = pieces.add(place, text)
            return lambda texts: (Text(texts[number]),)
        case Document(name, media_type, data):
            return _file(part, name, media_type, data, pieces)
        case Image(_, _, url, name):
            number = pieces.add(name or "an image", url, name)
            return lambda texts: (part,) if texts[number] == url else (Text(texts[number]),)
        case Thinking(text):
            # Its signature holds for the very text, so it goes whole or not at all.
            number = pieces.add(place, text)
            return lambda texts: (part,) if texts[number] == text else ()
        case ToolCall(_, _, arguments):
            number = pieces.add(place, arguments)
            return lambda texts: (replace(part, arguments=texts[number]),)
        case ToolResult(_, content):
            number = pieces.add(place, content)
            return lambda texts: (replace(part, content=texts[number]),)


def _file(
    part: Document, name: str, media_type: str, data: bytes, pieces: Pieces
) -> Callable[[Texts], tuple[Part, ...]]:
    """A file is looked through as text; of a PDF the name alone can be judged."""
    text = "" if media_type == "application/pdf" else data.decode(errors="replace")
    number = pieces.add(name, text, name)
    called = pieces.add(A_NAME, name)

    def rebuild(texts: Texts) -> tuple[Part, ...]:
        if texts[number] == text:
            return (replace(part, name=texts[called]),)
        kind = media_type if text else "text/plain"
        return (Document(texts[called], kind, texts[number].encode()),)

    return rebuild


def _deep(place: str, value: Any, pieces: Pieces) -> Callable[[Texts], Any]:
    """Every text in nested JSON values."""
    match value:
        case str():
            number = pieces.add(place, value)
            return lambda texts: texts[number]
        case Mapping():
            made = {key: _deep(place, inner, pieces) for key, inner in value.items()}
            return lambda texts: {key: one(texts) for key, one in made.items()}
        case list() | tuple():
            items = [_deep(place, inner, pieces) for inner in value]
            return lambda texts: [one(texts) for one in items]
        case _:
            return lambda _: value
