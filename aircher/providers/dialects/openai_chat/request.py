"""A domain request as parameters of the SDK's chat.completions.create."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from aircher.domain.chat import ChatRequest, ToolSpec
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
from aircher.providers.connection import Connection
from aircher.providers.openai_http import effort_word
from aircher.providers.openai_parts import (
    data_url,
    image_url,
    inlined,
    is_text,
    no_documents,
    plain_options,
    result_text,
    strict_ready,
)
from aircher.providers.patterns import matches


def parameters(request: ChatRequest, connection: Connection) -> dict[str, Any]:
    """Keyword arguments for the call.  Raises ``InvalidRequest`` for what cannot be carried."""
    quirks = connection.quirks
    extra = plain_options(request, connection)
    call: dict[str, Any] = {
        "model": request.model,
        "messages": list(_messages(request, connection)),
        "stream": request.stream,
    }
    if request.stream and quirks.get("stream_usage", True):
        call["stream_options"] = {"include_usage": True}
    if request.max_output is not None:
        call[quirks.get("max_tokens", "max_completion_tokens")] = request.max_output
    if not matches(quirks.get("fixed_sampling"), request.model):
        if request.temperature is not None:
            call["temperature"] = request.temperature
        if request.stop:
            call["stop"] = list(request.stop)
    if request.tools:
        call["tools"] = [_tool(spec) for spec in request.tools]
        if request.tool_choice is not None:
            call["tool_choice"] = request.tool_choice
    if request.json_schema is not None:
        call["response_format"] = _format(request, connection)
    effort = effort_word(request, quirks)
    if effort is not None:
        _ask_for_thinking(call, extra, effort, quirks["effort"])
    if extra:
        call["extra_body"] = extra
    return call


def _ask_for_thinking(call: dict[str, Any], extra: dict[str, Any], effort: str, way: str) -> None:
    """Sets the thinking effort in the vendor's way; the user's own option goes before it."""
    if way == "reasoning_effort":
        call["reasoning_effort"] = effort
    elif way == "reasoning":
        extra.setdefault(
            "reasoning", {"enabled": False} if effort == "none" else {"effort": effort}
        )
    elif way == "thinking":
        extra.setdefault("thinking", {"type": "disabled" if effort == "none" else "enabled"})


def _tool(spec: ToolSpec) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": spec.name,
            "description": spec.description,
            "parameters": dict(spec.parameters),
        },
    }


def _takes_schema(connection: Connection) -> bool:
    return bool(connection.quirks.get("json", "schema") == "schema")


def _format(request: ChatRequest, connection: Connection) -> dict[str, Any]:
    if not _takes_schema(connection):
        return {"type": "json_object"}
    schema = dict(request.json_schema or {})
    named = {"name": "reply", "schema": schema, "strict": strict_ready(schema)}
    return {"type": "json_schema", "json_schema": named}


def _system(request: ChatRequest, connection: Connection) -> str:
    """The system prompt; a vendor without schemas is told the schema in words."""
    if request.json_schema is None or _takes_schema(connection):
        return request.system
    schema = json.dumps(dict(request.json_schema), ensure_ascii=False)
    told = f"Answer with one JSON object that matches this JSON Schema:\n{schema}"
    return f"{request.system}\n\n{told}" if request.system else told


def _messages(request: ChatRequest, connection: Connection) -> Iterator[dict[str, Any]]:
    if system := _system(request, connection):
        yield {"role": "system", "content": system}
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield {
                    "role": "tool",
                    "tool_call_id": part.call_id,
                    "content": result_text(part),
                }
        rest = [part for part in message.parts if not isinstance(part, ToolResult)]
        if message.role == "assistant":
            yield _assistant(message, connection)
        elif rest:
            yield {"role": "user", "content": _content(rest, request, connection)}


def _assistant(message: Message, connection: Connection) -> dict[str, Any]:
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    made: dict[str, Any] = {"role": "assistant", "content": message.text or (None if calls else "")}
    if calls:
        made["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments or "{}"},
            }
            for call in calls
        ]
    back = connection.quirks.get("thinking_back")
    own = [p.text for p in message.parts if isinstance(p, Thinking)]
    if back and calls and own:
        made[back] = "".join(own)
    return made


def _content(parts: Sequence[Part], request: ChatRequest, connection: Connection) -> Any:
    """A string where there is only text (all vendors take that), else typed parts."""
    made = [_part(part, request, connection) for part in parts]
    if all(part["type"] == "text" for part in made):
        return "".join(part["text"] for part in made)
    return made


def _part(part: Part, request: ChatRequest, connection: Connection) -> dict[str, Any]:
    match part:
        case Image():
            return {"type": "image_url", "image_url": {"url": image_url(part)}}
        case Document() if is_text(part):
            return {"type": "text", "text": inlined(part)}
        case Document() if connection.quirks.get("files"):
            file = {"filename": part.name, "file_data": data_url(part.media_type, part.data)}
            return {"type": "file", "file": file}
        case Document():
            raise no_documents(connection, request.model)
        case Text(text) | Thinking(text):
            return {"type": "text", "text": text}
        case _:
            return {"type": "text", "text": ""}
