"""What a conversation is made of: messages of typed parts."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from aircher.domain.classes import dataclass
from aircher.domain.inert import encodable

Role = Literal["user", "assistant", "tool"]
"""Who speaks.  The system prompt is not a message: it stands in ``ChatRequest.system``."""


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text (Markdown where a model wrote it)."""

    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """A model's visible reasoning.

    ``signature`` is the vendor's opaque proof, sent back unchanged to the same vendor
    (Claude refuses edited thinking); ``vendor`` names who may read it.
    """

    text: str
    signature: str = ""
    vendor: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """An image: bytes with a media type such as ``image/png``, or an https URL.

    ``name`` is the file it came from ("" if it came from none); no provider gets it.
    """

    media_type: str
    data: bytes = b""
    url: str = ""
    name: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Document:
    """A file for the model: PDF bytes, or UTF-8 text with its name."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the model wants made; ``arguments`` is the JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool call gave back."""

    call_id: str
    content: str
    is_error: bool = False


Part = Text | Thinking | Image | Document | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of one speaker."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))


def user(text: str, *attachments: Part) -> Message:
    """A user's message: attachments first, as vendors advise, then the text."""
    return Message("user", (*attachments, Text(encodable(text))))


def assistant(text: str) -> Message:
    """A model's message of text alone."""
    return Message("assistant", (Text(text),))
