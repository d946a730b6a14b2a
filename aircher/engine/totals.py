"""What the calls of a turn amount to: one cost, one result."""

from __future__ import annotations

from collections.abc import Sequence

from aircher.domain.chat import Reply
from aircher.domain.events import Attempt, TurnResult
from aircher.domain.usage import NO_TOKENS, Cost, CostTag
from aircher.engine.errand import Errand
from aircher.engine.leg import Leg
from aircher.engine.money import NOTHING_USED

_TAGS: tuple[CostTag, ...] = ("exact", "estimated", "unknown")


def total(attempts: Sequence[Attempt]) -> Cost:
    """The cost of all attempts; as sure as its least sure part, unknown if any part is.

    Nothing for no attempts: a turn that was stopped by a limit or had no model cost nothing.
    """
    if not attempts:
        return NOTHING_USED
    parts = [attempt.cost.nano_usd for attempt in attempts]
    known = [part for part in parts if part is not None]
    tag = max((attempt.cost.tag for attempt in attempts), key=_TAGS.index)
    price_id = next((a.cost.price_id for a in reversed(attempts) if a.cost.price_id), None)
    return Cost(sum(known) if len(known) == len(parts) else None, tag, price_id)


def result_of(
    errand: Errand, last: Leg | None, text: str, *, message_id: int | None, now: float
) -> TurnResult:
    """The turn as one value: the ``last`` leg that began (None: none did), and the whole text.

    ``now`` is in the clock's monotonic seconds.
    """
    reply = last.reply if last is not None else Reply()
    return TurnResult(
        session_id=errand.session_id,
        task=errand.task,
        ref=last.ref if last is not None else None,
        text=text,
        thinking=reply.thinking,
        refusal=reply.refusal,
        tool_calls=reply.tool_calls,
        finish_reason=reply.finish_reason,
        outcome=reply.outcome,
        tokens=last.attempt.tokens if last is not None else NO_TOKENS,
        cost=total(errand.attempts),
        attempts=tuple(errand.attempts),
        duration_s=now - errand.started,
        first_token_s=last.first_token_s if last is not None else None,
        message_id=message_id,
    )
