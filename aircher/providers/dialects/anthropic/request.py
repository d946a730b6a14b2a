"""A ``ChatRequest`` as the Messages API wants it.  Pure: values in, a dictionary out.

Source of the format: https://platform.claude.com/docs/en/api/messages
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from anthropic import transform_schema

from aircher.domain.chat import ChatRequest, Effort
from aircher.domain.errors import InvalidRequest
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
from aircher.domain.regexes import regex

Block = dict[str, Any]

VENDOR = "anthropic"
"""Who may be shown Claude's signed thinking again."""

DEFAULT_MAX_OUTPUT = 4096
"""``max_tokens`` is required; 4096 is what every Claude since 3 can write."""

_CACHE = {"type": "ephemeral"}
_CACHEABLE = {"text", "image", "document", "tool_use", "tool_result"}

_TOOL_CHOICE = {"auto": "auto", "none": "none", "required": "any"}

_MIN_BUDGET = 1024
"""The least ``budget_tokens`` that the API takes."""
_BUDGET_SHARE: Mapping[Effort, float] = {"low": 0.25, "medium": 0.5, "high": 0.8}
"""Share of ``max_tokens`` a model may think with, where it wants a number: it must be less
than ``max_tokens``, and the answer needs room too."""

_VERSION = regex(r"claude-(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")
_FIRST_ADAPTIVE = (4, 6)
"""Claude 4.6 brought adaptive thinking and effort; older models want ``budget_tokens``."""


def takes_prefill(model: str) -> bool:
    """True for models that go on with an unfinished last message: those before Claude 4.6, which
    answers it with 400 (https://platform.claude.com/docs/en/about-claude/models/migration-guide).
    """
    found = _VERSION.search(model)
    return found is not None and (int(found[1]), int(found[2] or 0)) < _FIRST_ADAPTIVE


def prompt(request: ChatRequest, vendors: Collection[str] = (VENDOR,)) -> dict[str, Any]:
    """What both ``messages.create`` and ``messages.count_tokens`` take, as keyword arguments.

    ``vendors`` are the names under which this provider's own thinking is kept.  Raises
    ``InvalidRequest`` for an attachment Claude cannot read.
    """
    turns = _turns(request.messages, vendors)
    _mark_stable_prefix(turns)
    body: dict[str, Any] = {"model": request.model, "messages": turns}
    if request.system:
        body["system"] = [{"type": "text", "text": request.system, "cache_control": _CACHE}]
    if request.tools:
        body["tools"] = [
            {"name": t.name, "description": t.description, "input_schema": dict(t.parameters)}
            for t in request.tools
        ]
        if request.tool_choice:
            body["tool_choice"] = {"type": _TOOL_CHOICE[request.tool_choice]}
    config: dict[str, Any] = {}
    if request.json_schema is not None:
        config["format"] = {"type": "json_schema", "schema": _schema(request.json_schema)}
    thinking, effort = _thinking(request)
    if thinking:
        body["thinking"] = thinking
    if effort:
        config["effort"] = effort
    if config:
        body["output_config"] = config
    return body


def arguments(request: ChatRequest, vendors: Collection[str] = (VENDOR,)) -> dict[str, Any]:
    """Keyword arguments for ``messages.create``; raises as ``prompt`` does."""
    body = prompt(request, vendors)
    body["max_tokens"] = request.max_output or DEFAULT_MAX_OUTPUT
    if request.stop:
        body["stop_sequences"] = list(request.stop)
    extra = dict(request.options)
    # The SDK dropped ``temperature`` because new models refuse it; older ones still take it,
    # though never together with thinking.
    thinks = body.get("thinking", {}).get("type", "disabled") != "disabled"
    if request.temperature is not None and not thinks:
        extra.setdefault("temperature", request.temperature)
    if extra:
        body["extra_body"] = extra
    return body


def _thinking(request: ChatRequest) -> tuple[Block | None, Effort | None]:
    """The ``thinking`` block and the effort level, as this model's generation takes them."""
    if request.thinking is None:
        return None, None
    if request.thinking == "none":
        return {"type": "disabled"}, None
    found = _VERSION.search(request.model)
    version = (int(found[1]), int(found[2] or 0)) if found else _FIRST_ADAPTIVE
    if version >= _FIRST_ADAPTIVE:
        return {"type": "adaptive"}, request.thinking
    limit = request.max_output or DEFAULT_MAX_OUTPUT
    if limit <= _MIN_BUDGET:
        return None, None
    budget = max(_MIN_BUDGET, int(limit * _BUDGET_SHARE[request.thinking]))
    return {"type": "enabled", "budget_tokens": budget}, None


def _schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema in the subset that Claude accepts; as it is, where the SDK cannot tell."""
    try:
        return transform_schema(dict(schema))
    except (ValueError, TypeError, AttributeError, AssertionError):
        return dict(schema)


def _turns(messages: Sequence[Message], vendors: Collection[str]) -> list[Block]:
    """Messages in Claude's two roles; neighbours of one role become one message.

    A tool's result is the user's, and must stand first in the message after its call.
    """
    turns: list[Block] = []
    for message in messages:
        role = "assistant" if message.role == "assistant" else "user"
        blocks = [block for part in message.parts for block in _blocks(part, vendors)]
        if not blocks:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"].extend(blocks)
        else:
            turns.append({"role": role, "content": blocks})
    for turn in turns:
        turn["content"].sort(key=lambda block: block["type"] != "tool_result")
    return turns


def _mark_stable_prefix(turns: list[Block]) -> None:
    """Lets everything before the newest turn be cached: the next request begins with it too."""
    if len(turns) < 3:
        return
    last = turns[-2]["content"][-1]
    if last["type"] in _CACHEABLE:
        last["cache_control"] = _CACHE


def _blocks(part: Part, vendors: Collection[str]) -> list[Block]:
    """A part as content blocks; none for what Claude would refuse or may not see."""
    match part:
        case Text(text):
            return [{"type": "text", "text": text}] if text.strip() else []
        case Thinking(text, signature, vendor):
            return _signed(text, signature) if signature and vendor in vendors else []
        case Image():
            return [_image(part)]
        case Document():
            return [_document(part)]
        case ToolCall(call_id, name, text):
            return [
                {"type": "tool_use", "id": tool_id(call_id), "name": name, "input": _input(text)}
            ]
        case ToolResult(call_id, content, is_error):
            block: Block = {
                "type": "tool_result",
                "tool_use_id": tool_id(call_id),
                "content": content,
            }
            return [block | {"is_error": True}] if is_error else [block]


def _signed(text: str, signature: str) -> list[Block]:
    """Thinking, exactly as it came: several blocks are kept in the signature (see ``reply``)."""
    if not signature.startswith("["):
        return [{"type": "thinking", "thinking": text, "signature": signature}]
    try:
        blocks = json.loads(signature)
    except ValueError:
        return []
    return [block for block in blocks if isinstance(block, dict) and "type" in block]


def _image(image: Image) -> Block:
    if image.url and not image.data:
        return {"type": "image", "source": {"type": "url", "url": image.url}}
    return {"type": "image", "source": _base64(image.media_type, image.data)}


def _document(document: Document) -> Block:
    if document.media_type == "application/pdf":
        source = _base64(document.media_type, document.data)
    else:
        try:
            text = document.data.decode("utf-8")
        except UnicodeDecodeError:
            raise InvalidRequest(
                f"Claude cannot read {document.name} ({document.media_type}).",
                hint="Attach PDF or plain text.",
            ) from None
        source = {"type": "text", "media_type": "text/plain", "data": text}
    return {"type": "document", "source": source, "title": document.name}


def _base64(media_type: str, data: bytes) -> Block:
    return {
        "type": "base64",
        "media_type": media_type,
        "data": base64.b64encode(data).decode("ascii"),
    }


def tool_id(call_id: str) -> str:
    """A call id that Claude accepts; other vendors' ids may hold other characters."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", call_id) or "call"


def _input(text: str) -> dict[str, Any]:
    """A call's arguments as an object; a model's broken JSON is kept as text within one."""
    try:
        value = json.loads(text or "{}")
    except ValueError:
        value = text
    return value if isinstance(value, dict) else {"arguments": value}
