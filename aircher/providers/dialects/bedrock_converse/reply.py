"""Events of ConverseStream, and whole bodies of Converse, as chunks.  Pure.

Source of the format:
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from aircher.domain.chat import (
    Chunk,
    Finish,
    Outcome,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    UsageReport,
)
from aircher.domain.usage import Tokens

Event = Mapping[str, Any]

OUTCOMES: Mapping[str, Outcome] = {
    "end_turn": "complete",
    "stop_sequence": "complete",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _at(body: Mapping[str, Any]) -> int | None:
    """Which block an event belongs to."""
    return _count(body.get("contentBlockIndex"))


def tokens(usage: Mapping[str, Any]) -> Tokens:
    """Bedrock's ``inputTokens`` leave the cache out; ours are the whole prompt."""
    fresh = _count(usage.get("inputTokens"))
    read = _count(usage.get("cacheReadInputTokens"))
    written = _count(usage.get("cacheWriteInputTokens"))
    details = usage.get("cacheDetails")
    hour = [
        _count(row.get("inputTokens")) or 0
        for row in (details if isinstance(details, list) else ())
        if isinstance(row, Mapping) and row.get("ttl") == "1h"
    ]
    return Tokens(
        input=None if fresh is None else fresh + (read or 0) + (written or 0),
        cached=read,
        cache_write=written,
        cache_write_1h=sum(hour) if hour else None,
        output=_count(usage.get("outputTokens")),
    )


def as_events(body: Event) -> Iterator[Event]:
    """A whole answer as the events that would have streamed it."""
    message = _mapping(_mapping(body.get("output")).get("message"))
    blocks = message.get("content")
    for index, block in enumerate(blocks if isinstance(blocks, list) else ()):
        yield from _block_events(index, _mapping(block))
    if "stopReason" in body:
        yield {"messageStop": {"stopReason": body["stopReason"]}}
        yield {"metadata": {"usage": body.get("usage")}}


def _block_events(index: int, block: Event) -> Iterator[Event]:
    at = {"contentBlockIndex": index}
    call, reasoning = _mapping(block.get("toolUse")), _mapping(block.get("reasoningContent"))
    if call:
        yield {"contentBlockStart": {**at, "start": {"toolUse": call}}}
        given = json.dumps(call.get("input") or {}, ensure_ascii=False, separators=(",", ":"))
        yield {"contentBlockDelta": {**at, "delta": {"toolUse": {"input": given}}}}
    elif reasoning:
        whole = _mapping(reasoning.get("reasoningText"))
        yield {"contentBlockDelta": {**at, "delta": {"reasoningContent": whole}}}
    elif "text" in block:
        yield {"contentBlockDelta": {**at, "delta": {"text": block["text"]}}}
    elif cited := _mapping(block.get("citationsContent")).get("content"):
        for part in cited if isinstance(cited, list) else ():
            yield {"contentBlockDelta": {**at, "delta": {"text": _mapping(part).get("text")}}}
    yield {"contentBlockStop": at}


class Reader:
    """Reads one reply's events in order.

    The counts come after the stop: ``finished`` is True with them, and ``end`` gives the
    end marker also where they are missing.
    """

    def __init__(self) -> None:
        self._calls: dict[int | None, int] = {}
        self._silent: set[int | None] = set()
        self._reason = ""
        self.finished = False

    def read(self, event: Event) -> Iterator[Chunk]:
        """The chunks of one event; an unknown event is none."""
        for kind, value in event.items():
            body = _mapping(value)
            match kind:
                case "contentBlockStart":
                    yield from self._start(body)
                case "contentBlockDelta":
                    yield from self._delta(body)
                case "contentBlockStop" if (at := _at(body)) in self._silent:
                    yield ToolCallDelta(self._calls[at], arguments="{}")
                case "messageStop":
                    self._reason = _text(body.get("stopReason"))
                case "metadata":
                    counts = tokens(_mapping(body.get("usage")))
                    if counts != Tokens():
                        yield UsageReport(counts)
                    self.finished = bool(self._reason)

    def end(self) -> Finish | None:
        """The end marker, if it came."""
        if not self._reason:
            return None
        return Finish(self._reason, OUTCOMES.get(self._reason, "other"))

    def _start(self, body: Event) -> Iterator[Chunk]:
        call = _mapping(_mapping(body.get("start")).get("toolUse"))
        # A server's own tool is called by the server.
        if call and call.get("type") != "server_tool_use":
            at = _at(body)
            number = self._calls[at] = len(self._calls)
            self._silent.add(at)
            yield ToolCallDelta(number, _text(call.get("toolUseId")), _text(call.get("name")))

    def _delta(self, body: Event) -> Iterator[Chunk]:
        at, delta = _at(body), _mapping(body.get("delta"))
        if text := _text(delta.get("text")):
            yield TextDelta(text)
        given = _text(_mapping(delta.get("toolUse")).get("input"))
        if given and at in self._calls:
            self._silent.discard(at)
            yield ToolCallDelta(self._calls[at], arguments=given)
        reasoning = _mapping(delta.get("reasoningContent"))
        thought, signature = _text(reasoning.get("text")), _text(reasoning.get("signature"))
        if thought or signature:
            yield ThinkingDelta(thought, signature)
