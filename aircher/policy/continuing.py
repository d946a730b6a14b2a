"""How a model goes on with an answer that another one left unfinished.

Every vendor takes a conversation that ends with a user's message, so the part that came is
given back as the model's own, followed by an instruction that quotes its end.  Where a model
takes an unfinished answer as the last message (prefill), that alone is sent.
"""

from __future__ import annotations

import re
from dataclasses import replace

from aircher.domain.chat import ChatRequest, Reply
from aircher.domain.messages import assistant, user
from aircher.domain.regexes import regex

QUOTED = 160
"""Characters of the end that are quoted to the model."""

LEAST_OVERLAP = 8
"""Characters that must be the same before they count as a repetition: "l" after "Hel" is none."""

LEAST_ROOM = 256
"""Tokens that the rest of an answer gets at least, however much of the limit is used."""

_TAIL = 2_000
"""Characters of the end in which a repetition is looked for."""

INSTRUCTION = (
    "Your answer above was cut off by a lost connection. Go on with it exactly where it stops, so "
    "that both parts joined read as one: no greeting, no remark, no repetition, and no new code "
    "fence if one is open. It stops after these characters:\n\n{end}"
)


def can_continue(reply: Reply) -> bool:
    """Whether what came can be gone on with: plain text, and nothing that only its model may end."""
    return bool(reply.text.strip()) and not reply.tool_calls and not reply.refusal


def room_left(room: int | None, used: int) -> int | None:
    """Tokens that the rest may take of what was allowed for the whole answer."""
    return None if room is None else max(room - used, min(room, LEAST_ROOM))


def continued(request: ChatRequest, text: str) -> ChatRequest:
    """``request`` for the rest of an answer that begins with ``text``."""
    told = user(INSTRUCTION.format(end=text[-QUOTED:]))
    return replace(request, messages=(*request.messages, assistant(text), told))


def prefilled(request: ChatRequest) -> ChatRequest:
    """What ``continued`` made, for a model that goes on with an unfinished last message.

    Not with reasoning, after which no model takes an answer that others began; and vendors refuse
    white space at the end.
    """
    *messages, begun, _ = request.messages
    return replace(request, messages=(*messages, assistant(begun.text.rstrip())), thinking=None)


class Seam:
    """Takes the repetition off the beginning of a continuation, as it streams in."""

    def __init__(self, before: str) -> None:
        self._tail = before[-_TAIL:]
        self._held = ""
        self._open = True

    def add(self, text: str) -> str:
        """What of the text so far is new and sure; the rest is held back for a moment."""
        if not self._open:
            return text
        self._held += text
        if self._held.lstrip() in self._tail:
            return ""  # it may still grow into a repetition of the end
        return self.end()

    def end(self) -> str:
        """What is held, less what repeats; nothing more is held back."""
        held, self._held, self._open = self._held, "", False
        bare = held.lstrip()
        for size in range(min(len(bare), len(self._tail)), LEAST_OVERLAP - 1, -1):
            if self._tail.endswith(bare[:size]) and re.search(r"\w", bare[:size]):
                return bare[size:]
        return held


_FENCE = regex(r"^ {0,3}(`{3,}|~{3,})([^\n]*)$", re.MULTILINE)


def open_fence(text: str) -> str:
    """The line that began the code block in which a Markdown text ends, or ""."""
    mark = info = ""
    for found in _FENCE.finditer(text):
        if not mark:
            mark, info = found[1], found[2].strip()
        elif found[1].startswith(mark) and not found[2].strip():
            mark = info = ""
    return mark + info
