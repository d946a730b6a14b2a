"""Stored messages as the transcript shows them, and the line under an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from aircher.domain.chat import Outcome
from aircher.domain.inert import inert
from aircher.domain.messages import Document, Image, Message, Thinking
from aircher.domain.sessions import StoredMessage
from aircher.domain.tasks import task_name
from aircher.domain.usage import Cost, Tokens
from aircher.policy.continuing import open_fence
from aircher.tui.widgets.transcript import Entry, State
from aircher.tui.words import count, price, seam, seconds

_STATES: dict[str, State] = {
    "complete": "ok",
    "streaming": "stopped",
    "stopped": "stopped",
    "failed": "failed",
    "continued": "failed",
}
_ENDED = {
    "streaming": "stopped · ",
    "stopped": "stopped · ",
    "failed": "broken off · ",
    "continued": "broken off · ",
}
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
    """A whole conversation, with the seams where one model went on for another."""
    found: list[Entry] = []
    fence = ""
    for stored, after in zip_longest(messages, messages[1:]):
        found.append(_inside(fence, entry(stored)))
        fence = ""
        if after is None or after.message.role != "assistant" or after.summary_of:
            continue
        if stored.state in {"continued", "failed"} and stored.message.role == "assistant":
            found.append(Entry("seam", _seam(stored, after)))
            fence = open_fence(found[-2].text) if stored.state == "continued" else ""
    return found


def _inside(fence: str, one: Entry) -> Entry:
    """The rest of an answer that broke off in a code block is code as well."""
    return replace(one, text=f"{fence}\n{one.text}") if fence else one


def _seam(failed: StoredMessage, after: StoredMessage) -> str:
    kept = len(failed.message.text)
    goes_on = failed.state == "continued"
    return inert(seam(failed.ref, after.ref, failed.error, kept=kept, continues=goes_on))
