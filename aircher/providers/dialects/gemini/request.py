"""Our request as Gemini's JSON.

Source of the format: https://ai.google.dev/api/generate-content (Vertex speaks the same).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from aircher.domain.chat import ChatRequest, Effort
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

OWN_ID = "call-"
"""How the ids begin that we give to calls without one: they are not sent back."""

UNSIGNED = "skip_thought_signature_validator"
"""Google's own value for calls that another model made: Gemini 3 refuses calls unsigned."""

BUDGETS: Mapping[Effort, int] = {"none": 0, "low": 1_024, "medium": 8_192, "high": 24_576}
"""Thinking tokens up to Gemini 2.5, as Google maps OpenAI's efforts."""

LEVELS: Mapping[Effort, str] = {
    "none": "minimal",
    "low": "low",
    "medium": "medium",
    "high": "high",
}
"""Thinking levels from Gemini 3 on, where thinking cannot be turned off."""

TOP_LEVEL = frozenset(
    {"cachedContent", "labels", "modelArmorConfig", "safetySettings", "serviceTier", "store"}
)
"""Options that stand beside the messages; all others go into ``generationConfig``."""

_VERSION = regex(r"gemini-(\d+)")


def model_path(model: str, *, vertex: bool) -> str:
    """A model's resource name, made safe to stand in an address."""
    name = quote(model.strip("/"), safe="/@:._-").replace("..", "%2E%2E")
    if not vertex:
        return name if name.startswith(("models/", "tunedModels/")) else f"models/{name}"
    if name.startswith(("publishers/", "projects/")):
        return name
    publisher, _, bare = name.removeprefix("models/").rpartition("/")
    return f"publishers/{publisher or 'google'}/models/{bare}"


def chat_body(asked: ChatRequest, vendor: str) -> dict[str, Any]:
    """The body of ``generateContent`` and ``streamGenerateContent``.

    ``vendor`` is the provider's name: thinking of its own models is sent back, others' is not.
    """
    body: dict[str, Any] = prompt(asked, vendor)
    settings = _settings(asked)
    for name, value in asked.options.items():
        if name == "tools":
            body["tools"] = [*body.get("tools", ()), *value]
        else:
            (body if _camel(name) in TOP_LEVEL else settings)[_camel(name)] = value
    if settings:
        body["generationConfig"] = settings
    return body


def prompt(asked: ChatRequest, vendor: str) -> dict[str, Any]:
    """Messages, system prompt and tools: what is counted as input."""
    body: dict[str, Any] = {"contents": _contents(asked, vendor)}
    if asked.system:
        body["systemInstruction"] = {"parts": [{"text": asked.system}]}
    if asked.tools:
        body["tools"] = [
            {
                "functionDeclarations": [
                    {
                        "name": tool.name,
                        "description": tool.description,
                        "parametersJsonSchema": dict(tool.parameters),
                    }
                    for tool in asked.tools
                ]
            }
        ]
        if asked.tool_choice is not None:
            mode = {"auto": "AUTO", "none": "NONE", "required": "ANY"}[asked.tool_choice]
            body["toolConfig"] = {"functionCallingConfig": {"mode": mode}}
    return body


def _settings(asked: ChatRequest) -> dict[str, Any]:
    """``generationConfig``: limits, sampling, the reply's shape, thinking."""
    settings: dict[str, Any] = {}
    if asked.max_output is not None:
        settings["maxOutputTokens"] = asked.max_output
    if asked.temperature is not None:
        settings["temperature"] = asked.temperature
    if asked.stop:
        settings["stopSequences"] = list(asked.stop)
    if asked.json_schema is not None:
        settings["responseMimeType"] = "application/json"
        settings["responseJsonSchema"] = dict(asked.json_schema)
    if asked.thinking is not None and (thinking := _thinking(asked.model, asked.thinking)):
        settings["thinkingConfig"] = thinking
    return settings


def generation(model: str) -> int | None:
    """2 for gemini-2.5-pro; None for names without a version (gemini-flash-latest, gemma-3)."""
    found = _VERSION.search(model)
    return int(found[1]) if found else None


def _thinking(model: str, effort: Effort) -> dict[str, Any]:
    """How much to think, and to show it; empty for models that cannot think."""
    version = generation(model)
    if "gemini" not in model or (version == 2 and "gemini-2.5" not in model):
        return {}
    shown = {"includeThoughts": effort != "none"}
    pro = "pro" in model
    if version == 2:
        # 2.5 Pro cannot stop thinking; 128 is its least.
        return shown | {"thinkingBudget": 128 if pro and effort == "none" else BUDGETS[effort]}
    return shown | {"thinkingLevel": "low" if pro and effort == "none" else LEVELS[effort]}


def _contents(asked: ChatRequest, vendor: str) -> list[dict[str, Any]]:
    """Turns of "user" and "model"; messages of one speaker in a row become one turn."""
    signed_calls = (generation(asked.model) or 3) >= 3
    names: dict[str, str] = {}
    turns: list[dict[str, Any]] = []
    for message in asked.messages:
        names |= {part.id: part.name for part in message.parts if isinstance(part, ToolCall)}
        parts = list(_parts(message, names, vendor, signed_calls=signed_calls))
        role = "model" if message.role == "assistant" else "user"
        if not parts:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["parts"] += parts
        else:
            turns.append({"role": role, "parts": parts})
    return turns


def _parts(
    message: Message, names: Mapping[str, str], vendor: str, *, signed_calls: bool
) -> Iterator[dict[str, Any]]:
    """A message's parts, with the thought signature on the part that it belongs to.

    That is the first call, or, where the model made none, its last text.  Thoughts themselves
    are never sent back.
    """
    parts = [part for raw in message.parts if (part := _part(raw, names))]
    signature = next(
        (
            part.signature
            for part in reversed(message.parts)
            if isinstance(part, Thinking) and part.vendor == vendor and part.signature
        ),
        "",
    )
    calls = [part for part in parts if "functionCall" in part]
    if calls and (signature or signed_calls):
        calls[0]["thoughtSignature"] = signature or UNSIGNED
    elif signature and parts and "text" in parts[-1]:
        parts[-1]["thoughtSignature"] = signature
    yield from parts


def _part(part: Part, names: Mapping[str, str]) -> dict[str, Any]:
    """One part; empty for what is not sent."""
    match part:
        case Text(text) if text:
            return {"text": text}
        case Image(media_type, b"", url):
            return {"fileData": {"mimeType": media_type, "fileUri": url}}
        case Image(media_type, data):
            return _inline(media_type, data)
        case Document():
            return _document(part)
        case ToolCall(call_id, name, arguments):
            return {"functionCall": {"name": name, "args": _object(arguments)} | _id(call_id)}
        case ToolResult(call_id, content, is_error):
            said = {"error" if is_error else "output": content}
            answer = {"name": names.get(call_id, call_id), "response": said}
            return {"functionResponse": answer | _id(call_id)}
        case _:
            return {}


def _id(call_id: str) -> dict[str, str]:
    """A call's id if it is Google's own; older models give and know none."""
    return {} if not call_id or call_id.startswith(OWN_ID) else {"id": call_id}


def _inline(media_type: str, data: bytes) -> dict[str, Any]:
    return {"inlineData": {"mimeType": media_type, "data": base64.b64encode(data).decode("ascii")}}


def _document(document: Document) -> dict[str, Any]:
    """A text file as text with its name; PDF and others as they are."""
    if document.media_type != "application/pdf":
        try:
            text = document.data.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:
            name = json.dumps(document.name, ensure_ascii=False)
            return {"text": f"<document name={name}>\n{text}\n</document>\n"}
    return _inline(document.media_type, document.data)


def _object(arguments: str) -> dict[str, Any]:
    """A call's arguments as an object; what is none is kept within one."""
    try:
        value = json.loads(arguments or "{}")
    except ValueError:
        value = arguments
    return value if isinstance(value, dict) else {"arguments": value}


def _camel(name: str) -> str:
    """``safety_settings`` -> ``safetySettings``."""
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)
