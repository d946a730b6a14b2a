"""Chunks of a chat completion, or a whole one, as the domain's chunks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from aircher.domain.chat import (
    Chunk,
    Finish,
    Opened,
    Outcome,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    UsageReport,
)
from aircher.providers.connection import Connection
from aircher.providers.dialects.openai_chat.usage import find, tokens
from aircher.providers.jsonish import arr, count, obj, text
from aircher.providers.openai_http import stream_fault, vendor_cost
from aircher.providers.sse import Event
from aircher.providers.transport import malformed

OUTCOMES: Mapping[str, Outcome] = {
    "": "complete",
    "stop": "complete",
    "eos": "complete",
    "end_turn": "complete",
    "stop_sequence": "complete",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "tool_call": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "sensitive": "content_filter",
    "safety": "content_filter",
    "refusal": "refused",
    "error": "error",
    "insufficient_system_resource": "error",
    "network_error": "error",
}
"""A vendor's word, in lower case -> ours."""


def _parts(content: Any) -> Iterator[Chunk]:
    """Text and thinking of a message's or delta's content: a string, or Mistral's list."""
    if isinstance(content, str):
        if content:
            yield TextDelta(content)
        return
    for part in arr(content):
        row = obj(part)
        if row.get("type") == "thinking":
            inner = row.get("thinking")
            said = inner if isinstance(inner, str) else _joined(inner)
            if said:
                yield ThinkingDelta(said)
        elif said := text(row.get("text")):
            yield TextDelta(said)


def _joined(parts: Any) -> str:
    return "".join(text(obj(part).get("text")) for part in arr(parts))


def _thinking(message: Mapping[str, Any]) -> str:
    """Visible reasoning; vendors that send it under two names send it twice."""
    return (
        text(message.get("reasoning_content"))
        or text(message.get("reasoning"))
        or "".join(
            text(obj(part).get("text")) or text(obj(part).get("summary"))
            for part in arr(message.get("reasoning_details"))
        )
    )


def _arguments(value: Any) -> str:
    """Arguments as JSON text; some servers send the object itself."""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return text(value)


class ChatReader:
    """Takes a body's events in order and gives chunks; knows at the end whether it was whole."""

    def __init__(self, connection: Connection, model: str, *, usage_asked: bool = False) -> None:
        self._connection = connection
        self._asked_model = model
        self._usage_asked = usage_asked
        self._model = ""
        self._reason: str | None = None
        self._begun = False
        self._usage_seen = False
        self._refused = False
        self._slots: dict[int, int] = {}
        self._ids: list[str] = []

    def feed(self, event: Event) -> Iterator[Chunk]:
        """Chunks of one event.  Raises what an error in it amounts to."""
        data = event.data
        model = text(data.get("model"))
        if model and model != self._model:
            self._model = model
            yield Opened(model)
        choice = self._first_choice(data)
        if data.get("error") or data.get("object") == "error" or data.get("type") == "error":
            raise stream_fault(data, self._connection, self._asked_model)
        if choice.get("error"):
            raise stream_fault(choice, self._connection, self._asked_model)
        message = obj(choice.get("message" if event.whole else "delta"))
        if choice:
            self._begun = True
        yield from self._message(message)
        usage = find(data, choice)
        if usage:
            self._usage_seen = True
            yield UsageReport(tokens(usage), vendor_cost(usage))
        reason = choice.get("finish_reason")
        if reason is not None:
            self._reason = text(reason)
        elif event.whole and choice:
            self._reason = ""

    def _first_choice(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The choice with index 0; others (n > 1) are not asked for and not shown."""
        for choice in arr(data.get("choices")):
            row = obj(choice)
            if not row.get("index"):
                return row
        return {}

    def _message(self, message: Mapping[str, Any]) -> Iterator[Chunk]:
        if thinking := _thinking(message):
            yield ThinkingDelta(thinking)
        yield from _parts(message.get("content"))
        if refusal := text(message.get("refusal")):
            self._refused = True
            yield RefusalDelta(refusal)
        for position, call in enumerate(arr(message.get("tool_calls"))):
            yield self._call(obj(call), position)
        if legacy := obj(message.get("function_call")):
            yield self._call({"index": 0, "function": legacy}, 0)

    def _call(self, call: Mapping[str, Any], position: int) -> ToolCallDelta:
        """A piece of a tool call under a number of our own.

        A piece belongs to the call with its index; servers that number all their calls 0 (or
        not at all) tell a new call by a new id.
        """
        function = obj(call.get("function"))
        call_id, name = text(call.get("id")), text(function.get("name"))
        index = count(call.get("index"))
        key = position if index is None else index
        slot = self._slots.get(key)
        if slot is None or (call_id and call_id != self._ids[slot] and name):
            slot = len(self._ids)
            self._slots[key] = slot
            call_id = call_id or f"call_{slot}"
            self._ids.append(call_id)
        return ToolCallDelta(slot, call_id, name, _arguments(function.get("arguments")))

    def end(self, *, done: bool) -> Finish:
        """The end marker, when the body ended; ``done`` says that "[DONE]" (or a whole JSON
        body) came.  Raises ``MalformedReply`` where something is missing.
        """
        if not self._begun or (self._reason is None and not done):
            raise malformed("it ended without its end marker", self._connection, self._asked_model)
        marker = self._connection.quirks.get("done_marker", True)
        if not done and marker and self._usage_asked and not self._usage_seen:
            raise malformed("it ended before its token counts", self._connection, self._asked_model)
        reason = self._reason or ""
        outcome: Outcome = OUTCOMES.get(reason.lower(), "other")
        if outcome == "complete" and self._ids:
            outcome = "tool_calls"
        if outcome == "complete" and self._refused:
            outcome = "refused"
        return Finish(reason, outcome)
