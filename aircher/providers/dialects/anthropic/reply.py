"""Events of the Messages API as chunks.  Pure: one event in, the chunks it amounts to out.

Source of the format: https://platform.claude.com/docs/en/build-with-claude/streaming
A whole body is read as the events that would have led to it, so both roads are one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from aircher.domain.chat import (
    Chunk,
    Finish,
    Opened,
    Outcome,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    UsageReport,
)
from aircher.domain.errors import MalformedReply
from aircher.domain.usage import Tokens

Event = Mapping[str, Any]

OUTCOMES: Mapping[str, Outcome] = {
    "end_turn": "complete",
    "stop_sequence": "complete",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "refused",
    "pause_turn": "other",
}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def tokens(usage: Mapping[str, Any]) -> Tokens:
    """Claude's ``input_tokens`` leave the cache out; ours are the whole prompt."""
    fresh = _count(usage.get("input_tokens"))
    read = _count(usage.get("cache_read_input_tokens"))
    written = _count(usage.get("cache_creation_input_tokens"))
    by_age = _mapping(usage.get("cache_creation"))
    details = _mapping(usage.get("output_tokens_details"))
    return Tokens(
        input=None if fresh is None else fresh + (read or 0) + (written or 0),
        cached=read,
        cache_write=written,
        cache_write_1h=_count(by_age.get("ephemeral_1h_input_tokens")),
        output=_count(usage.get("output_tokens")),
        reasoning=_count(details.get("thinking_tokens")),
    )


def as_events(message: Event) -> Iterator[Event]:
    """A whole answer as the events that would have streamed it."""
    if message.get("type") == "error" or message.get("error"):
        yield {**message, "type": "error"}
        return
    blocks = message.get("content")
    if not isinstance(blocks, list):
        raise MalformedReply("The answer is not a message of the Claude API.")
    yield {"type": "message_start", "message": message}
    for index, block in enumerate(blocks):
        yield {"type": "content_block_start", "index": index, "content_block": block}
        yield {"type": "content_block_stop", "index": index}
    yield {"type": "message_delta", "delta": message, "usage": message.get("usage")}
    yield {"type": "message_stop"}


class Reader:
    """Reads one reply's events in order.

    ``opened`` is what the headers told; the model is added when the first event names it.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._usage: dict[str, Any] = {}
        self._stop_reason = ""
        self._blocks: dict[int | None, dict[str, Any]] = {}
        self._calls = 0
        self._thoughts: list[dict[str, str]] = []
        self.finished = False

    def read(self, event: Event) -> Iterator[Chunk]:
        """The chunks of one event; an unknown event is none (the API says more may come).

        Raises ``MalformedReply`` for an end without a stop reason.
        """
        delta, index = _mapping(event.get("delta")), _count(event.get("index"))
        match event.get("type"):
            case "message_start":
                message = _mapping(event.get("message"))
                model = _text(message.get("model"))
                yield Opened(model, self._opened.request_id, self._opened.limits)
                yield from self._count(message.get("usage"))
            case "content_block_start":
                yield from self._start(index, _mapping(event.get("content_block")))
            case "content_block_delta":
                yield from self._delta(index, delta)
            case "content_block_stop":
                yield from self._stop(index)
            case "message_delta":
                self._stop_reason = _text(delta.get("stop_reason")) or self._stop_reason
                yield from self._count(event.get("usage"))
            case "message_stop":
                yield self._finish()

    def _count(self, usage: Any) -> Iterator[Chunk]:
        """Counts are cumulative: what a later event names replaces what was said before."""
        news = {name: value for name, value in _mapping(usage).items() if value is not None}
        if news:
            self._usage |= news
            yield UsageReport(tokens(self._usage))

    def _start(self, index: int | None, block: Mapping[str, Any]) -> Iterator[Chunk]:
        """A block begins; in a whole body, and with some servers, it is already full."""
        kept = dict(block)
        self._blocks[index] = kept
        match kept.get("type"):
            case "text" if _text(kept.get("text")):
                yield TextDelta(kept["text"])
            case "thinking":
                kept["thinking"] = _text(kept.get("thinking"))
                kept["signature"] = _text(kept.get("signature"))
                if kept["thinking"]:
                    yield ThinkingDelta(kept["thinking"])
            case "tool_use":
                kept["call"] = self._calls
                self._calls += 1
                yield ToolCallDelta(kept["call"], _text(kept.get("id")), _text(kept.get("name")))

    def _delta(self, index: int | None, delta: Mapping[str, Any]) -> Iterator[Chunk]:
        block = self._blocks.setdefault(index, {})
        match delta.get("type"):
            case "text_delta":
                yield TextDelta(_text(delta.get("text")))
            case "thinking_delta":
                text = _text(delta.get("thinking"))
                block["thinking"] = _text(block.get("thinking")) + text
                yield ThinkingDelta(text)
            case "signature_delta":
                block["signature"] = _text(block.get("signature")) + _text(delta.get("signature"))
            # A server's own tool writes its input the same way; that call is not ours to make.
            case "input_json_delta" if "call" in block and _text(delta.get("partial_json")):
                block["streamed"] = True
                yield ToolCallDelta(block["call"], arguments=delta["partial_json"])

    def _stop(self, index: int | None) -> Iterator[Chunk]:
        block = self._blocks.pop(index, {})
        match block.get("type"):
            case "tool_use" if not block.get("streamed"):
                whole = json.dumps(
                    block.get("input") or {}, ensure_ascii=False, separators=(",", ":")
                )
                yield ToolCallDelta(block["call"], arguments=whole)
            case "thinking" if block["signature"]:
                names = ("type", "thinking", "signature")
                yield from self._sign({name: block[name] for name in names})
            case "redacted_thinking":
                yield from self._sign({"type": block["type"], "data": _text(block.get("data"))})

    def _sign(self, thought: dict[str, str]) -> Iterator[Chunk]:
        """Claude must get its thinking back block by block, unedited.

        One plain block is a text with a signature.  Several, or redacted ones, do not fit
        that, so the signature then carries them all as a JSON list; ``request`` takes it apart.
        """
        self._thoughts.append(thought)
        plain = len(self._thoughts) == 1 and thought["type"] == "thinking"
        yield ThinkingDelta("", thought["signature"] if plain else json.dumps(self._thoughts))

    def _finish(self) -> Finish:
        if not self._stop_reason:
            raise MalformedReply("The answer ended without a stop reason.")
        self.finished = True
        return Finish(self._stop_reason, OUTCOMES.get(self._stop_reason, "other"))
