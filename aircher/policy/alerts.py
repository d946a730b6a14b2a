"""When the user is told how much of a limit is spent, and in which words."""

from __future__ import annotations

from collections.abc import Iterable

from aircher.domain.budget import CapState
from aircher.domain.usage import dollars


def shares_reached(state: CapState, thresholds: Iterable[float]) -> tuple[float, ...]:
    """The thresholds that this limit has reached, the highest first; 1.0 is always one."""
    return tuple(
        sorted((share for share in {*thresholds, 1.0} if state.share >= share), reverse=True)
    )


def words(state: CapState) -> str:
    """What the user is told: one sentence or two."""
    cap = state.cap
    spent = f"{dollars(state.spent_nano)} of {dollars(cap.limit_nano)} ({cap.name}) is spent"
    if state.share < 1:
        then = "It only warns." if cap.soft else "What could cost more than the rest is refused."
    elif cap.soft:
        then = "The limit is reached; it only warns."
    else:
        then = "The limit is reached: only free models answer."
    return f"{spent}. {then}"
