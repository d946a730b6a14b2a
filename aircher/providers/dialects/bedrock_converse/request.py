"""A ``ChatRequest`` as Bedrock's Converse wants it.  Pure: values in, a dictionary out.

Source of the format:
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

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

VENDOR = "bedrock"
"""Who may be shown signed thinking again."""

_IMAGES = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_DOCUMENTS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "text/html": "html",
    "text/markdown": "md",
}

_OPERATION = frozenset(
    {
        "guardrailConfig",
        "promptVariables",
        "additionalModelResponseFieldPaths",
        "requestMetadata",
        "performanceConfig",
        "serviceTier",
        "outputConfig",
    }
)
"""Options that Converse itself takes; all others are the model's own fields."""

_DEFAULT_MAX_OUTPUT = 4096
_MIN_BUDGET = 1024
_BUDGET_SHARE: Mapping[Effort, float] = {"low": 0.25, "medium": 0.5, "high": 0.8}
_CLAUDE = regex(r"anthropic\.claude-(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")
_FIRST_ADAPTIVE = (4, 6)
"""Claude 4.6 brought adaptive thinking; older models want a budget in tokens."""


def prompt(asked: ChatRequest, vendors: Collection[str] = (VENDOR,)) -> dict[str, Any]:
    """What Converse and CountTokens both take; raises ``InvalidRequest`` for an attachment
    Bedrock cannot read.
    """
    body: dict[str, Any] = {"messages": _turns(asked.messages, vendors)}
    if asked.system:
        body["system"] = [{"text": asked.system}]
    if asked.tools and asked.tool_choice != "none":
        body["toolConfig"] = {
            "tools": [_tool(t.name, t.description, t.parameters) for t in asked.tools]
        }
        if asked.tool_choice:
            choice = "any" if asked.tool_choice == "required" else "auto"
            body["toolConfig"]["toolChoice"] = {choice: {}}
    fields = _thinking(asked) | {k: v for k, v in asked.options.items() if k not in _OPERATION}
    if fields:
        body["additionalModelRequestFields"] = fields
    return body


def arguments(asked: ChatRequest, vendors: Collection[str] = (VENDOR,)) -> dict[str, Any]:
    """Keyword arguments for ``converse`` and ``converse_stream``; raises as ``prompt`` does."""
    body = prompt(asked, vendors) | {"modelId": asked.model}
    inference: dict[str, Any] = {}
    if asked.max_output is not None:
        inference["maxTokens"] = asked.max_output
    thinks = "thinking" in body.get("additionalModelRequestFields", {})
    if asked.temperature is not None and not thinks:
        inference["temperature"] = asked.temperature
    if asked.stop:
        inference["stopSequences"] = list(asked.stop)
    if inference:
        body["inferenceConfig"] = inference
    if asked.json_schema is not None:
        schema = {"schema": json.dumps(dict(asked.json_schema)), "name": "reply"}
        structure = {"type": "json_schema", "structure": {"jsonSchema": schema}}
        body["outputConfig"] = {"textFormat": structure}
    return body | {k: v for k, v in asked.options.items() if k in _OPERATION}


def _tool(name: str, description: str, parameters: Mapping[str, Any]) -> Block:
    return {
        "toolSpec": {
            "name": name,
            "description": description or name,  # an empty one is refused
            "inputSchema": {"json": dict(parameters)},
        }
    }


def _thinking(asked: ChatRequest) -> dict[str, Any]:
    """Thinking in the words of the model's maker: Converse has none of its own."""
    effort = asked.thinking
    if effort is None:
        return {}
    if found := _CLAUDE.search(asked.model):
        return _claude_thinking(effort, (int(found[1]), int(found[2] or 0)), asked.max_output)
    if "nova-2" in asked.model:
        level = {"maxReasoningEffort": effort}
        off = {"type": "disabled"}
        return {"reasoningConfig": off if effort == "none" else {"type": "enabled"} | level}
    if "gpt-oss" in asked.model and effort != "none":
        return {"reasoning_effort": effort}
    return {}


def _claude_thinking(
    effort: Effort, version: tuple[int, int], max_output: int | None
) -> dict[str, Any]:
    if effort == "none":
        return {"thinking": {"type": "disabled"}}
    if version >= _FIRST_ADAPTIVE:
        return {"thinking": {"type": "adaptive"}, "output_config": {"effort": effort}}
    limit = max_output or _DEFAULT_MAX_OUTPUT
    if limit <= _MIN_BUDGET:
        return {}
    budget = max(_MIN_BUDGET, int(limit * _BUDGET_SHARE[effort]))
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _turns(messages: Sequence[Message], vendors: Collection[str]) -> list[Block]:
    """Messages in Bedrock's two roles, which must alternate; tool results stand first."""
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
        turn["content"].sort(key=lambda block: "toolResult" not in block)
    return turns


def _blocks(part: Part, vendors: Collection[str]) -> list[Block]:
    """A part as content blocks; none for what Bedrock would refuse or may not see."""
    match part:
        case Text(text):
            return [{"text": text}] if text.strip() else []
        case Thinking(text, signature, vendor):
            if not signature or vendor not in vendors:
                return []
            return [{"reasoningContent": {"reasoningText": {"text": text, "signature": signature}}}]
        case Image():
            return [_image(part)]
        case Document():
            return [_document(part)]
        case ToolCall(call_id, name, text):
            call = {"toolUseId": _tool_id(call_id), "name": name, "input": _input(text)}
            return [{"toolUse": call}]
        case ToolResult(call_id, content, is_error):
            result: Block = {"toolUseId": _tool_id(call_id), "content": [{"text": content}]}
            return [{"toolResult": result | ({"status": "error"} if is_error else {})}]


def _image(image: Image) -> Block:
    kind = _IMAGES.get(image.media_type)
    if not image.data or kind is None:
        raise InvalidRequest(
            f"Bedrock cannot read an image of type {image.media_type}, or one by address.",
            hint="Attach a PNG, JPEG, GIF or WebP file.",
        )
    return {"image": {"format": kind, "source": {"bytes": image.data}}}


def _document(document: Document) -> Block:
    kind = _DOCUMENTS.get(document.media_type)
    if kind is None:
        try:
            document.data.decode("utf-8")
        except UnicodeDecodeError:
            raise InvalidRequest(
                f"Bedrock cannot read {document.name} ({document.media_type}).",
                hint="Attach PDF or plain text.",
            ) from None
        kind = "txt"
    # Names may hold letters, digits, blanks, hyphens and brackets only.
    name = re.sub(r"\s+", " ", re.sub(r"[^A-Za-z0-9 ()\[\]-]", " ", document.name)).strip()
    source = {"bytes": document.data}
    return {"document": {"format": kind, "name": name or "document", "source": source}}


def _tool_id(call_id: str) -> str:
    """A call id that Bedrock accepts; other vendors' ids may hold other characters."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", call_id)[:64] or "call"


def _input(text: str) -> dict[str, Any]:
    """A call's arguments as an object; a model's broken JSON is kept as text within one."""
    try:
        value = json.loads(text or "{}")
    except ValueError:
        value = text
    return value if isinstance(value, dict) else {"arguments": value}
