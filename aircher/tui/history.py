"""What the user said in earlier chats, for the prompt's Up key."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # annotations only: the first frame needs none of it
    from aircher.domain.ports import SessionStore

MOST_TEXTS = 200
MOST_MESSAGES = 400
"""How many messages are read for it at most: a few milliseconds."""


def earlier_texts(store: SessionStore, besides: str = "") -> list[str]:
    """The last texts of the user in other chats than ``besides``, oldest first, each once.

    A long chat that would take too much reading is left out.
    """
    texts: list[str] = []
    left = MOST_MESSAGES
    for info in store.list(limit=40):
        if info.id == besides or not 0 < info.messages <= left:
            continue
        left -= info.messages
        stored = store.messages(info.id)
        texts += [m.message.text for m in reversed(stored) if m.message.role == "user"]
        if len(texts) >= MOST_TEXTS:
            break
    return list(dict.fromkeys(texts[:MOST_TEXTS]))[::-1]
