"""A stored conversation as Markdown and as JSON.

Everything in it is made inert: a model wrote it, and a terminal may show it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from aircher.bootstrap.clock import LOCAL
from aircher.cli.contract import cost_json, tokens_json
from aircher.cli.printing import json_text
from aircher.domain.inert import inert
from aircher.domain.messages import Document, Image, Part, Text, Thinking, ToolCall, ToolResult
from aircher.domain.sessions import SessionInfo, StoredMessage
from aircher.domain.usage import dollars

_PART_NAMES: dict[type[Part], str] = {
    Text: "text",
    Thinking: "thinking",
    Image: "image",
    Document: "document",
    ToolCall: "tool_call",
    ToolResult: "tool_result",
}


def markdown(info: SessionInfo, messages: Sequence[StoredMessage]) -> str:
    """The conversation for people: who said what, with which model and at what price."""
    lines = [f"# {' '.join(inert(info.title).split()) or info.id}", ""]
    begun = info.created.astimezone(LOCAL)
    lines += [f"{info.id}, begun {begun:%Y-%m-%d %H:%M}" + _where(info), ""]
    for message in messages:
        lines += [f"## {_speaker(message)}", ""]
        for part in message.message.parts:
            lines += [_part_text(part), ""]
        if facts := _facts(message):
            lines += [f"*{facts}*", ""]
    return "\n".join(lines).rstrip("\n")


def _where(info: SessionInfo) -> str:
    return f" in {inert(info.project)}" if info.project else ""


def _speaker(message: StoredMessage) -> str:
    if message.summary_of:
        return f"Summary of the {message.summary_of} messages above"
    if message.message.role == "assistant":
        return inert(str(message.ref)) if message.ref else "Model"
    return "You" if message.message.role == "user" else "Tool"


def _part_text(part: Part) -> str:
    match part:
        case Text(text):
            return inert(text)
        case Thinking(text):
            return "\n".join(f"> {line}" for line in inert(text).splitlines())
        case Image(media_type, data, url):
            return f"[image {inert(url) or f'{inert(media_type)}, {len(data):,} bytes'}]"
        case Document(name, media_type, data):
            return f"[file {inert(name)}, {inert(media_type)}, {len(data):,} bytes]"
        case ToolCall(_, name, arguments):
            return f"[calls {inert(name)}: {inert(arguments)}]"
        case ToolResult(_, content, is_error):
            return f"[{'error' if is_error else 'result'}: {inert(content)}]"


def _facts(message: StoredMessage) -> str:
    if message.ref is None:
        return ""
    cost = message.cost
    known = "?" if cost.nano_usd is None else dollars(cost.nano_usd)
    facts = [message.task, ("~" if cost.tag == "estimated" else "") + known]
    if message.duration_s:
        facts.append(f"{message.duration_s:.1f} s")
    if message.state != "complete":
        facts.append(message.state)
    facts.append(message.error)
    return inert(", ".join(fact for fact in facts if fact))


def session_json(info: SessionInfo) -> dict[str, Any]:
    """One session for programs; times are ISO 8601 in UTC."""
    return {
        "id": info.id,
        "title": inert(info.title),
        "created": info.created.isoformat(),
        "updated": info.updated.isoformat(),
        "messages": info.messages,
        "cost": cost_json(info.cost),
        "project": inert(info.project),
        "parent": info.parent,
    }


def json_session(info: SessionInfo, messages: Sequence[StoredMessage]) -> str:
    """The whole conversation as one JSON object; bytes are in base64."""
    whole = {**session_json(info), "messages": [_message_json(message) for message in messages]}
    return json_text(whole, indent=2)


def _message_json(message: StoredMessage) -> dict[str, Any]:
    return {
        "id": message.id,
        "role": message.message.role,
        "at": message.at.isoformat(),
        "state": message.state,
        "task": inert(message.task),
        "provider": inert(message.ref.provider) if message.ref else None,
        "model": inert(message.ref.model) if message.ref else None,
        "usage": tokens_json(message.tokens),
        "cost": cost_json(message.cost),
        "duration_ms": round(message.duration_s * 1000),
        "finish_reason": inert(message.finish_reason),
        "evidence": inert(message.evidence),
        "error": inert(message.error) or None,
        "summary_of": message.summary_of,
        "parts": [_part_json(part) for part in message.message.parts],
    }


def _part_json(part: Part) -> dict[str, Any]:
    def plain(value: str | bytes | bool) -> str | bool:
        if isinstance(value, bytes):
            return base64.b64encode(value).decode("ascii")
        return inert(value) if isinstance(value, str) else value

    values = {field.name: plain(getattr(part, field.name)) for field in fields(part)}
    return {"type": _PART_NAMES[type(part)], **values}
