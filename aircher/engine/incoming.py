"""What comes in of one reply: made harmless, freed of what repeats, and added up."""

from __future__ import annotations

from aircher.domain.chat import (
    Chunk,
    RefusalDelta,
    Reply,
    ReplyBuilder,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
)
from aircher.domain.errors import ContentFiltered, MalformedReply
from aircher.domain.inert import inert
from aircher.domain.models import ModelRef
from aircher.policy.continuing import Seam

Delta = TextDelta | ThinkingDelta | RefusalDelta | ToolCallDelta
"""Chunks that a user sees."""


class Incoming:
    """Takes a reply's chunks, in order; ``before`` is what the reply goes on from ("": nothing)."""

    def __init__(self, before: str = "") -> None:
        self.builder = ReplyBuilder()
        self._seam = Seam(before) if before else None
        self.opened = False
        """True once anything came."""

    @property
    def reply(self) -> Reply:
        """What came, whole or not."""
        return self.builder.reply()

    @property
    def finished(self) -> bool:
        """True once the end marker came."""
        return self.builder.finished

    def take(self, chunk: Chunk) -> Delta | None:
        """The piece to be shown, or None where the chunk shows nothing."""
        self.opened = True
        harmless = _harmless(chunk)
        if isinstance(harmless, TextDelta) and self._seam is not None:
            harmless = TextDelta(self._seam.add(harmless.text))
            if not harmless.text:
                return None
        self.builder.add(harmless)
        return harmless if isinstance(harmless, Delta) else None

    def rest(self) -> Delta | None:
        """The last piece, which was held back as long as it could have been a repetition."""
        last = TextDelta(self._seam.end() if self._seam is not None else "")
        if not last.text:
            return None
        self.builder.add(last)
        return last

    def check(self, ref: ModelRef) -> None:
        """Raises where what came is no answer: it has no end, or a filter took it away."""
        reply = self.reply
        if not self.finished:
            raise MalformedReply(
                f"The answer of {ref} ended without its end marker.",
                hint="It may be cut short; ask again.",
                provider=ref.provider,
                model=ref.model,
            )
        if reply.outcome == "content_filter" and not (reply.text or reply.refusal):
            raise ContentFiltered(
                f"The content filter of {ref} withheld the answer.",
                hint="Say it differently, or ask another model.",
                provider=ref.provider,
                model=ref.model,
            )


def _harmless(chunk: Chunk) -> Chunk:
    """The chunk with its text made inert for terminals."""
    match chunk:
        case TextDelta(text):
            return TextDelta(inert(text))
        case ThinkingDelta(text, signature):
            return ThinkingDelta(inert(text), signature)
        case RefusalDelta(text):
            return RefusalDelta(inert(text))
        case _:
            return chunk
