"""One call to a model: the request, the chunks that come back, and the reply they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from aircher.domain.classes import dataclass
from aircher.domain.limits import RateLimit
from aircher.domain.messages import Message, Part, Text, Thinking, ToolCall
from aircher.domain.usage import NO_TOKENS, Tokens

Outcome = Literal["complete", "length", "tool_calls", "content_filter", "refused", "error", "other"]
"""A finish reason in our own words, the same for all vendors."""

Effort = Literal["none", "low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool offered to the model; ``parameters`` is a JSON Schema object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """Everything one call needs, in no vendor's words.

    ``max_output`` is in tokens, reasoning included.  ``stream`` False asks for a single body;
    the chunks look the same either way.  ``thinking`` None leaves it to the model's default.
    ``json_schema`` asks for a reply of that shape.  ``options`` are vendor-specific extras
    from the user's own TOML, passed through untouched.
    """

    model: str
    messages: tuple[Message, ...]
    system: str = ""
    max_output: int | None = None
    temperature: float | None = None
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: Literal["auto", "none", "required"] | None = None
    json_schema: Mapping[str, Any] | None = None
    thinking: Effort | None = None
    stop: tuple[str, ...] = ()
    stream: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Opened:
    """The provider began to answer: the model it says it is, its request id, and what it tells
    of its rate limits.
    """

    model: str = ""
    request_id: str = ""
    limits: tuple[RateLimit, ...] = ()


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """A piece of visible reasoning; ``signature`` comes once, with the block's last piece."""

    text: str
    signature: str = ""


@dataclass(frozen=True, slots=True)
class RefusalDelta:
    """A piece of a refusal, where the vendor marks it as such."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of tool call number ``index``; id and name come with its first piece."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Token counts so far; a later report replaces what it names.

    ``vendor_cost_usd`` is what the vendor itself says the call cost, as written ("" if unsaid).
    """

    tokens: Tokens
    vendor_cost_usd: str = ""


@dataclass(frozen=True, slots=True)
class Finish:
    """The end marker: the vendor's own word, and ours."""

    reason: str
    outcome: Outcome


Chunk = Opened | TextDelta | ThinkingDelta | RefusalDelta | ToolCallDelta | UsageReport | Finish


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer, or as much of it as came (``finish_reason`` "" when it was cut)."""

    text: str = ""
    thinking: str = ""
    thinking_signature: str = ""
    refusal: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tokens: Tokens = NO_TOKENS
    finish_reason: str = ""
    outcome: Outcome | None = None
    model: str = ""
    request_id: str = ""
    vendor_cost_usd: str = ""

    def parts(self, vendor: str) -> tuple[Part, ...]:
        """The reply as message parts, to be kept in the session."""
        parts: list[Part] = []
        if self.thinking or self.thinking_signature:
            parts.append(Thinking(self.thinking, self.thinking_signature, vendor))
        if self.text or self.refusal:
            parts.append(Text(self.text or self.refusal))
        parts.extend(self.tool_calls)
        return tuple(parts)


class ReplyBuilder:
    """Adds chunks up to a ``Reply``.  The only mutable thing in this package."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._refusal: list[str] = []
        self._signature = ""
        self._calls: dict[int, list[str]] = {}
        self._tokens = Tokens()
        self._finish: Finish | None = None
        self._opened = Opened()
        self._vendor_cost = ""

    def add(self, chunk: Chunk) -> None:
        """Takes the next chunk, in order."""
        match chunk:
            case TextDelta(text):
                self._text.append(text)
            case ThinkingDelta(text, signature):
                self._thinking.append(text)
                self._signature = signature or self._signature
            case RefusalDelta(text):
                self._refusal.append(text)
            case ToolCallDelta(index, call_id, name, arguments):
                call = self._calls.setdefault(index, ["", "", ""])
                call[0] = call_id or call[0]
                call[1] = name or call[1]
                call[2] += arguments
            case UsageReport(tokens, vendor_cost):
                self._tokens = self._tokens.merged(tokens)
                self._vendor_cost = vendor_cost or self._vendor_cost
            case Finish():
                self._finish = chunk
            case Opened():
                self._opened = Opened(
                    chunk.model or self._opened.model,
                    chunk.request_id or self._opened.request_id,
                    chunk.limits or self._opened.limits,
                )

    @property
    def text_pieces(self) -> list[str]:
        """The text so far, in pieces (joining is the reader's cost)."""
        return self._text

    @property
    def finished(self) -> bool:
        """True once the end marker came."""
        return self._finish is not None

    def reply(self) -> Reply:
        """What came so far, as one value."""
        return Reply(
            text="".join(self._text),
            thinking="".join(self._thinking),
            thinking_signature=self._signature,
            refusal="".join(self._refusal),
            tool_calls=tuple(ToolCall(*self._calls[index]) for index in sorted(self._calls)),
            tokens=self._tokens,
            finish_reason=self._finish.reason if self._finish else "",
            outcome=self._finish.outcome if self._finish else None,
            model=self._opened.model,
            request_id=self._opened.request_id,
            vendor_cost_usd=self._vendor_cost,
        )
