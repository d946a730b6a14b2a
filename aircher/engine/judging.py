"""Whether an answer may stand: the pure verdict first, then the user's own check."""

from __future__ import annotations

from aircher.domain.chat import Reply
from aircher.engine.ports import EnginePorts
from aircher.policy.quality import is_checked, verdict


async def lacking(ports: EnginePorts, task: str, reply: Reply) -> str:
    """What is wrong with the answer, by the user's gates; "" for nothing."""
    gates = ports.settings.gates
    if why := verdict(reply, gates):
        return why
    if ports.check is not None and is_checked(task, reply, gates):
        return await ports.check(reply.text, gates)
    return ""
