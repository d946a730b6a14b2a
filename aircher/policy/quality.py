"""Whether an answer is good enough to keep: what can be seen of it without asking anybody."""

from __future__ import annotations

from aircher.domain.chat import Reply
from aircher.domain.preferences import Gates

_REFUSED = frozenset({"refused", "content_filter"})


def verdict(reply: Reply, gates: Gates) -> str:
    """Why the answer should be tried again by a stronger model, in words; "" if it may stand.

    Only what ``escalate_on`` names is looked at; the user's own check is run by the engine.
    """
    on = gates.escalate_on
    if "refused" in on and (reply.outcome in _REFUSED or (reply.refusal and not reply.text)):
        return "the model refused"
    if "empty" in on and not (reply.text.strip() or reply.tool_calls or reply.refusal):
        return "the answer is empty"
    if "truncated" in on and reply.outcome == "length":
        return "the answer is cut off"
    return ""


def is_checked(task: str, reply: Reply, gates: Gates) -> bool:
    """True if the user's own command is to judge this answer."""
    if "check" not in gates.escalate_on or not gates.check or not reply.text.strip():
        return False
    return not gates.check_tasks or task in gates.check_tasks
