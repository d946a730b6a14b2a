"""A conversation as a Markdown file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aircher.domain.inert import inert
from aircher.domain.sessions import SessionInfo, StoredMessage
from aircher.domain.tasks import task_name
from aircher.tui.words import price


def markdown(info: SessionInfo, messages: Sequence[StoredMessage]) -> str:
    """The chat with who said what, when, and what it cost."""
    lines = [f"# {inert(info.title) or 'Chat'}", "", f"{info.created:%Y-%m-%d %H:%M}", ""]
    for stored in messages:
        if stored.summary_of:
            lines += ["## Summary of what came before", "", inert(stored.message.text), ""]
            continue
        who = "You" if stored.message.role == "user" else str(stored.ref or "Answer")
        lines += [f"## {who}", "", inert(stored.message.text), ""]
        if stored.ref is not None:
            facts = [task_name(stored.task)] if stored.task else []
            facts += [price(stored.cost), *([stored.state] if stored.state != "complete" else [])]
            lines += [f"*{' · '.join(facts)}*", ""]
    return "\n".join(lines)


def file_name(info: SessionInfo) -> str:
    """A name made from the title: letters, digits and dashes."""
    words = re.sub(r"[^a-z0-9]+", "-", info.title.lower()).strip("-")[:50]
    return f"{words or 'chat'}-{info.created:%Y-%m-%d}.md"
