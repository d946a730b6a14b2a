"""Why something was changed, in the words of the conversation about it."""

from __future__ import annotations

from collections.abc import Sequence

from aircher.domain.messages import Text
from aircher.domain.sessions import StoredMessage
from aircher.tui.words import clip

MOST = 4
LENGTH = 400
"""Of the user's last messages so many, each at most so many characters: a reason is short."""


def why(stored: Sequence[StoredMessage], words: str = "") -> str:
    """The user's own words: ``words``, then what they last asked for, oldest first."""
    asked = [_text(one) for one in stored if one.message.role == "user"]
    said = [clip(" ".join(text.split()), LENGTH) for text in asked if text][-MOST:]
    parts = [words.strip()] if words.strip() else []
    if said:
        parts.append("(in a chat about it) " + " / ".join(said))
    return "\n".join(parts)


def _text(stored: StoredMessage) -> str:
    return " ".join(part.text for part in stored.message.parts if isinstance(part, Text))
