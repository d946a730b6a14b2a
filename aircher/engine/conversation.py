"""What is sent of a conversation: stored messages in, request messages out.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from aircher.domain.messages import Message, Text, Thinking, user
from aircher.domain.sessions import StoredMessage

SUMMARY_HEADING = "Summary of our conversation so far:\n\n"


def live(stored: Sequence[StoredMessage]) -> list[StoredMessage]:
    """The messages that still speak: the newest summary, then all that it does not cover.

    A question that got no answer at all is left out: it was given back to the user for
    editing, and vendors expect turns to alternate.
    """
    spoken = [message for message in stored if not message.summary_of]
    newest = [message for message in stored if message.summary_of][-1:]
    covered = newest[0].summary_of if newest else 0
    return [*newest, *_answered(spoken[covered:])]


def _answered(messages: Sequence[StoredMessage]) -> Iterable[StoredMessage]:
    said = [message for message in messages if not _blank(message)]
    for message, after in zip_longest(said, said[1:]):
        if message.message.role != "user" or (after and after.message.role != "user"):
            yield message


def _blank(message: StoredMessage) -> bool:
    """True for a reply that was stopped or failed before its first word."""
    parts = message.message.parts
    return message.message.role == "assistant" and all(isinstance(p, Thinking) for p in parts)


def as_prompt(stored: Sequence[StoredMessage]) -> tuple[Message, ...]:
    """The live messages as a model is to see them.

    An answer that broke off and was gone on with is one message; of one that was begun anew,
    only the last is sent.
    """
    speaking = live(stored)
    messages: list[Message] = []
    begun = ""
    for item, after in zip_longest(speaking, speaking[1:]):
        answered_on = after is not None and after.message.role == "assistant"
        if item.summary_of:
            messages.append(user(SUMMARY_HEADING + item.message.text))
        elif item.state == "continued" and answered_on:
            begun += item.message.text
            continue
        elif not (item.state == "failed" and answered_on):
            messages.append(_begun_with(begun, item.message))
        begun = ""
    return tuple(messages)


def _begun_with(begun: str, message: Message) -> Message:
    """The message with a text before its own; the reasoning that led to it stays in front."""
    if not begun:
        return message
    thoughts = tuple(part for part in message.parts if isinstance(part, Thinking))
    others = tuple(part for part in message.parts if not isinstance(part, Thinking | Text))
    return Message(message.role, (*thoughts, Text(begun + message.text), *others))


def last_task(stored: Sequence[StoredMessage]) -> str:
    """The task of the latest message that has one, or ""."""
    return next((message.task for message in reversed(stored) if message.task), "")


def user_texts(stored: Sequence[StoredMessage], most: int = 5) -> tuple[str, ...]:
    """The last few things the user said, oldest first."""
    texts = [item.message.text for item in stored if item.message.role == "user"]
    return tuple(texts[-most:])


def transcript(stored: Sequence[StoredMessage]) -> str:
    """Messages as plain text, for a model that is to summarise them."""
    names = {"user": "User", "assistant": "Assistant", "tool": "Tool"}
    return "\n\n".join(
        f"{'Summary' if item.summary_of else names[item.message.role]}: {item.message.text}"
        for item in stored
    )
