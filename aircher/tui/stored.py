"""Stored messages as the transcript shows them, and the line under an answer."""

from __future__ import annotations

from collections.abc import Sequence

from aircher.domain.chat import Outcome
from aircher.domain.inert import inert
from aircher.domain.messages import Document, Image, Message, Thinking
from aircher.domain.sessions import StoredMessage
from aircher.domain.usage import Cost, Tokens
from aircher.tui.widgets.transcript import Entry, State
from aircher.tui.words import count, price, seconds, task_name

_STATES: dict[str, State] = {
    "complete": "ok",
    "streaming": "stopped",
    "stopped": "stopped",
    "failed": "failed",
}
_ENDED = {"streaming": "stopped · ", "stopped": "stopped · ", "failed": "broken off · "}
"""What is said of an answer that is no whole one."""


def footer(
    task: str, duration_s: float, tokens: Tokens, cost: Cost, outcome: Outcome | None = None
) -> str:
    """For what, how long, how many tokens, how much."""
    parts = [task_name(task) if task else "", seconds(duration_s) if duration_s else ""]
    if tokens.known:
        parts.append(f"{count(tokens.input)} in, {count(tokens.output)} out")
    parts.append(price(cost) if cost.nano_usd is not None else "price unknown")
    if outcome == "length":
        parts.append("cut off at the length limit")
    return " · ".join(part for part in parts if part)


def attachment_names(message: Message) -> list[str]:
    """The names of what was attached."""
    return [
        inert(part.name) if isinstance(part, Document) else part.media_type
        for part in message.parts
        if isinstance(part, (Document, Image))
    ]


def entry(stored: StoredMessage) -> Entry:
    """One stored message."""
    message = stored.message
    if stored.summary_of:
        note = f"{stored.summary_of} earlier messages were summarised here."
        return Entry("seam", note)
    if message.role != "assistant":
        files = attachment_names(message)
        title = "You" + (f" · {', '.join(files)}" if files else "")
        return Entry("user", message.text, title=title)
    thinking = "".join(part.text for part in message.parts if isinstance(part, Thinking))
    return Entry(
        "assistant",
        message.text,
        title=str(stored.ref or ""),
        thinking=thinking,
        footer=_ENDED.get(stored.state, "")
        + footer(stored.task, stored.duration_s, stored.tokens, stored.cost),
        state=_STATES[stored.state],
    )


def entries(messages: Sequence[StoredMessage]) -> list[Entry]:
    """A whole conversation."""
    return [entry(stored) for stored in messages]
