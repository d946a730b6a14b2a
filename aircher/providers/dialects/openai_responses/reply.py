"""Events of a response, or a whole one, as the domain's chunks."""

from __future__ import annotations

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
from aircher.domain.usage import Tokens
from aircher.providers.connection import Connection
from aircher.providers.jsonish import arr, count, first_count, obj, text
from aircher.providers.openai_http import stream_fault, vendor_cost
from aircher.providers.sse import Event
from aircher.providers.transport import malformed

_DELTAS: Mapping[str, type[TextDelta | ThinkingDelta | RefusalDelta]] = {
    "response.output_text.delta": TextDelta,
    "response.refusal.delta": RefusalDelta,
    "response.reasoning_text.delta": ThinkingDelta,
    "response.reasoning_summary_text.delta": ThinkingDelta,
}
_CALL_DELTA = "response.function_call_arguments.delta"
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})


def tokens(usage: Mapping[str, Any]) -> Tokens:
    """The counts of a usage object; what it does not say stays None."""
    into, out = obj(usage.get("input_tokens_details")), obj(usage.get("output_tokens_details"))
    return Tokens(
        input=count(usage.get("input_tokens")),
        cached=first_count(into.get("cached_tokens")),
        cache_write=first_count(into.get("cache_write_tokens")),
        output=count(usage.get("output_tokens")),
        reasoning=count(out.get("reasoning_tokens")),
        input_audio=count(into.get("audio_tokens")),
        output_audio=count(out.get("audio_tokens")),
    )


def _message(item: Mapping[str, Any]) -> Iterator[Chunk]:
    """All of a finished message."""
    for part in arr(item.get("content")):
        row = obj(part)
        if row.get("type") == "refusal":
            yield RefusalDelta(text(row.get("refusal")))
        elif said := text(row.get("text")):
            yield TextDelta(said)


def _reasoning(item: Mapping[str, Any]) -> list[str]:
    """All of a finished reasoning item: a vendor shows either it or summaries of it."""
    parts = arr(item.get("content")) or arr(item.get("summary"))
    return [said for part in parts if (said := text(obj(part).get("text")))]


class ResponseReader:
    """Takes a body's events in order and gives chunks; ``finish`` is set by the end marker.

    Deltas come first; what an item held that no delta told (some vendors send whole items
    only) is taken from the finished item, and at last from the finished response.
    """

    def __init__(self, connection: Connection, model: str) -> None:
        self._connection = connection
        self._asked_model = model
        self._model = ""
        self._told: set[int] = set()
        self._slots: dict[int, int] = {}
        self._refused = False
        self._thought: tuple[int, int] | None = None
        self.finish: Finish | None = None

    def feed(self, event: Event) -> Iterator[Chunk]:
        """Chunks of one event.  Raises what an error in it amounts to."""
        data = event.data
        kind = text(data.get("type"))
        if kind == "error" or (data.get("error") and not kind.startswith("response.")):
            raise stream_fault(data, self._connection, self._asked_model)
        response = data if event.whole and not kind else obj(data.get("response"))
        yield from self._named(response)
        if kind in _DELTAS:
            yield from self._delta(_DELTAS[kind], data)
        elif kind == _CALL_DELTA:
            yield from self._arguments(data)
        elif kind == "response.output_item.added":
            yield from self._begun_call(data)
        elif kind == "response.output_item.done":
            yield from self._item(self._place(data), obj(data.get("item")))
        elif kind in _ENDS or event.whole:
            yield from self._ended(response)

    def _place(self, data: Mapping[str, Any]) -> int:
        return count(data.get("output_index")) or 0

    def _named(self, response: Mapping[str, Any]) -> Iterator[Chunk]:
        model = text(response.get("model"))
        if model and model != self._model:
            self._model = model
            yield Opened(model)

    def _delta(
        self,
        chunk: type[TextDelta | ThinkingDelta | RefusalDelta],
        data: Mapping[str, Any],
    ) -> Iterator[Chunk]:
        if said := text(data.get("delta")):
            self._told.add(self._place(data))
            self._refused = self._refused or chunk is RefusalDelta
            if chunk is ThinkingDelta:
                index = count(data.get("summary_index", data.get("content_index"))) or 0
                yield self._thinking(said, (self._place(data), index))
            else:
                yield chunk(said)

    def _thinking(self, said: str, part: tuple[int, int]) -> ThinkingDelta:
        """A piece of reasoning; parts are paragraphs of their own."""
        new = self._thought is not None and self._thought != part
        self._thought = part
        return ThinkingDelta(f"\n\n{said}" if new else said)

    def _slot(self, place: int) -> int:
        return self._slots.setdefault(place, len(self._slots))

    def _begun_call(self, data: Mapping[str, Any]) -> Iterator[Chunk]:
        item, place = obj(data.get("item")), self._place(data)
        if item.get("type") == "function_call":
            slot = self._slot(place)
            yield ToolCallDelta(
                slot, text(item.get("call_id")) or f"call_{slot}", text(item.get("name"))
            )

    def _arguments(self, data: Mapping[str, Any]) -> Iterator[Chunk]:
        place = self._place(data)
        if said := text(data.get("delta")):
            self._told.add(place)
            yield ToolCallDelta(self._slot(place), arguments=said)

    def _item(self, place: int, item: Mapping[str, Any]) -> Iterator[Chunk]:
        """A finished item, unless its deltas told it already."""
        if place in self._told:
            return
        self._told.add(place)
        if item.get("type") == "function_call":
            slot = self._slot(place)
            yield ToolCallDelta(
                slot,
                text(item.get("call_id")) or f"call_{slot}",
                text(item.get("name")),
                text(item.get("arguments")),
            )
        elif item.get("type") == "reasoning":
            for index, said in enumerate(_reasoning(item)):
                yield self._thinking(said, (place, index))
        elif item.get("type") == "message":
            yield from self._whole_message(item)

    def _whole_message(self, item: Mapping[str, Any]) -> Iterator[Chunk]:
        for chunk in _message(item):
            self._refused = self._refused or isinstance(chunk, RefusalDelta)
            yield chunk

    def _ended(self, response: Mapping[str, Any]) -> Iterator[Chunk]:
        status = text(response.get("status"))
        if response.get("error") or status in {"failed", "cancelled"}:
            usage = obj(response.get("usage"))
            if usage:
                yield UsageReport(tokens(usage), vendor_cost(usage))
            raise stream_fault(response, self._connection, self._asked_model)
        for place, item in enumerate(arr(response.get("output"))):
            yield from self._item(place, obj(item))
        if usage := obj(response.get("usage")):
            yield UsageReport(tokens(usage), vendor_cost(usage))
        if status not in {"completed", "incomplete"}:
            raise malformed(
                f"a response that is {status or 'none'}", self._connection, self._asked_model
            )
        why = text(obj(response.get("incomplete_details")).get("reason"))
        self.finish = self._finished(status, why)

    def _finished(self, status: str, why: str) -> Finish:
        if status == "incomplete":
            outcome: Outcome = "content_filter" if why == "content_filter" else "length"
            return Finish(f"{status}:{why}" if why else status, outcome)
        if self._slots:
            return Finish(status, "tool_calls")
        return Finish(status, "refused" if self._refused else "complete")

    def end(self) -> Finish:
        """The end marker, when the body ended.  Raises ``MalformedReply`` if none came."""
        if self.finish is None:
            raise malformed("it ended without its end marker", self._connection, self._asked_model)
        return self.finish
