"""What the calls of a turn cost together."""

from __future__ import annotations

from collections.abc import Sequence

from aircher.domain.events import Attempt
from aircher.domain.usage import Cost, CostTag
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
