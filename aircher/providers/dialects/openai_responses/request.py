"""A domain request as parameters of the SDK's responses.create."""

from __future__ import annotations

from collections.abc import Iterator
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
    """Keyword arguments for the call.  Raises ``InvalidRequest`` for what cannot be carried.

    Nothing is stored at the vendor: the whole conversation is sent each time.  The protocol
    has no stop sequences.
    """
    quirks = connection.quirks
    call: dict[str, Any] = {
        "model": request.model,
        "input": [
            item for message in request.messages for item in _items(message, request, connection)
        ],
        "stream": request.stream,
        "store": False,
    }
    if request.system:
        call["instructions"] = request.system
    if request.max_output is not None:
        call["max_output_tokens"] = request.max_output
    if request.temperature is not None and not matches(quirks.get("fixed_sampling"), request.model):
        call["temperature"] = request.temperature
    if request.tools:
        call["tools"] = [_tool(spec) for spec in request.tools]
        if request.tool_choice is not None:
            call["tool_choice"] = request.tool_choice
    if request.json_schema is not None:
        schema = dict(request.json_schema)
        call["text"] = {
            "format": {
                "type": "json_schema",
                "name": "reply",
                "schema": schema,
                "strict": strict_ready(schema),
            }
        }
    if (effort := effort_word(request, quirks)) is not None:
        call["reasoning"] = {"effort": effort}
    if extra := plain_options(request, connection):
        call["extra_body"] = extra
    return call


def _tool(spec: ToolSpec) -> dict[str, Any]:
    return {
        "type": "function",
        "name": spec.name,
        "description": spec.description,
        "parameters": dict(spec.parameters),
        "strict": False,
    }


def _items(
    message: Message, request: ChatRequest, connection: Connection
) -> Iterator[dict[str, Any]]:
    """A message as input items: calls and results stand beside messages, not in them."""
    for part in message.parts:
        if isinstance(part, ToolResult):
            yield {
                "type": "function_call_output",
                "call_id": part.call_id,
                "output": result_text(part),
            }
    if message.role == "assistant":
        if message.text:
            said = [{"type": "output_text", "text": message.text, "annotations": []}]
            yield {"type": "message", "role": "assistant", "content": said}
        for part in message.parts:
            if isinstance(part, ToolCall):
                yield {
                    "type": "function_call",
                    "call_id": part.id,
                    "name": part.name,
                    "arguments": part.arguments or "{}",
                }
        return
    content = [made for part in message.parts for made in _content(part, request, connection)]
    if content:
        yield {"type": "message", "role": "user", "content": content}


def _content(part: Part, request: ChatRequest, connection: Connection) -> Iterator[dict[str, Any]]:
    match part:
        case Image():
            yield {"type": "input_image", "image_url": image_url(part), "detail": "auto"}
        case Document() if is_text(part):
            yield {"type": "input_text", "text": inlined(part)}
        case Document() if connection.quirks.get("files"):
            url = data_url(part.media_type, part.data)
            yield {"type": "input_file", "filename": part.name, "file_data": url}
        case Document():
            raise no_documents(connection, request.model)
        case Text(text) | Thinking(text) if text:
            yield {"type": "input_text", "text": text}
        case _:
            return
