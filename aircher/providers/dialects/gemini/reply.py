"""Gemini's answer as our chunks."""

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
from aircher.domain.limits import RateLimit
from aircher.domain.usage import Tokens
from aircher.providers.dialects.gemini.request import OWN_ID
from aircher.providers.jsonish import arr, count, obj, text

OUTCOMES: Mapping[str, Outcome] = {
    "STOP": "complete",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "JAILBREAK": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "MALFORMED_FUNCTION_CALL": "error",
    "MALFORMED_RESPONSE": "error",
    "UNEXPECTED_TOOL_CALL": "error",
    "TOO_MANY_TOOL_CALLS": "error",
    "MISSING_THOUGHT_SIGNATURE": "error",
}
"""Gemini's finish reasons in our words; others are "other"."""


class Reader:
    """Reads one reply's JSON objects in order.

    A reply may name its finish reason in more than one object, and tells its tokens in each,
    so its end is only certain when the body ends: then ``end`` gives the last chunks.
    """

    def __init__(self) -> None:
        self.reason = ""
        self.explanation = ""
        """Google's own words on why it stopped, "" if it gave none."""
        self.model = ""
        self.request_id = ""
        self._said = False
        self._tokens: Tokens | None = None
        self._calls = 0
        self._call_signed = False
        self._signature = ""

    def opened(self, data: Mapping[str, Any], limits: tuple[RateLimit, ...]) -> Opened:
        """What the first object tells of the whole reply."""
        self.model = text(data.get("modelVersion"))
        self.request_id = text(data.get("responseId"))
        return Opened(self.model, self.request_id, limits)

    def read(self, data: Mapping[str, Any]) -> Iterator[Chunk]:
        """The chunks of one object."""
        candidate = obj(next(iter(arr(data.get("candidates"))), None))
        for part in arr(obj(candidate.get("content")).get("parts")):
            yield from self._part(obj(part))
        if reason := text(candidate.get("finishReason")):
            self.reason = reason
            self.explanation = text(candidate.get("finishMessage"))
        feedback = obj(data.get("promptFeedback"))
        if blocked := text(feedback.get("blockReason")):
            self.reason = f"BLOCKED:{blocked}"
            self.explanation = text(feedback.get("blockReasonMessage"))
        usage = data.get("usageMetadata")
        if isinstance(usage, dict) and (tokens := counted(usage)) != self._tokens:
            self._tokens = tokens
            yield UsageReport(tokens)

    def end(self) -> Iterator[Chunk]:
        """The chunks that follow when the body has ended and ``reason`` is known."""
        if self._signature and not self._call_signed:
            yield ThinkingDelta("", self._signature)
        yield Finish(self.reason, self.outcome)

    @property
    def outcome(self) -> Outcome:
        """The finish reason in our words."""
        if self.reason.startswith("BLOCKED:"):
            return "content_filter"
        outcome = OUTCOMES.get(self.reason, "other")
        return "tool_calls" if outcome == "complete" and self._calls else outcome

    @property
    def withheld(self) -> bool:
        """True where a filter left nothing of the reply."""
        return self.outcome == "content_filter" and not self._said

    def _part(self, part: Mapping[str, Any]) -> Iterator[Chunk]:
        signature = text(part.get("thoughtSignature"))
        if "functionCall" in part:
            yield from self._call(obj(part["functionCall"]), signature)
            return
        self._signature = signature or self._signature
        if said := text(part.get("text")):
            self._said = True
            yield ThinkingDelta(said) if part.get("thought") is True else TextDelta(said)

    def _call(self, call: Mapping[str, Any], signature: str) -> Iterator[Chunk]:
        """Calls come whole.  Of calls made together only the first is signed."""
        self._said = True
        if signature and not self._call_signed:
            self._call_signed = True
            yield ThinkingDelta("", signature)
        index, self._calls = self._calls, self._calls + 1
        # Without an id of Google's the response's makes it unique over the conversation.
        call_id = text(call.get("id")) or f"{OWN_ID}{self.request_id or 'x'}-{index}"
        arguments = json.dumps(
            obj(call.get("args")), ensure_ascii=False, separators=(",", ":"), default=float
        )
        yield ToolCallDelta(index, call_id, text(call.get("name")), arguments)


def counted(usage: Mapping[str, Any]) -> Tokens:
    """``usageMetadata`` as ours.  JSON made from protocol buffers leaves out zeros, so a
    prompt or an output that is not named is 0; of the parts that is not said.
    """
    thoughts = count(usage.get("thoughtsTokenCount"))
    return Tokens(
        input=(count(usage.get("promptTokenCount")) or 0)
        + (count(usage.get("toolUsePromptTokenCount")) or 0),
        cached=count(usage.get("cachedContentTokenCount")),
        output=(count(usage.get("candidatesTokenCount")) or 0) + (thoughts or 0),
        reasoning=thoughts,
        input_audio=_audio(usage.get("promptTokensDetails")),
        output_audio=_audio(usage.get("candidatesTokensDetails")),
    )


def _audio(details: Any) -> int | None:
    """The audio tokens among them, None where there are none."""
    rows = [obj(row) for row in arr(details)]
    found = [count(row.get("tokenCount")) or 0 for row in rows if row.get("modality") == "AUDIO"]
    return sum(found) if found else None
