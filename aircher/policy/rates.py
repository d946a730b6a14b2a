"""When a call may go under the user's own limits per minute: a sliding window.

Every call is given its time when it asks, later ones never before earlier ones: so the order
is kept, the wait is known at once, and nobody polls.
"""

from __future__ import annotations

from collections.abc import Sequence

from aircher.domain.limits import Rate, RateLimit, Taken

WINDOW_S = 60.0


def slot(taken: Sequence[Taken], now: float, rate: Rate, tokens: int) -> float:
    """The earliest time, ``now`` or later, at which a call of that many tokens fits.

    ``taken`` are the calls of the last minute and those that wait.  A call that is larger than
    the limit by itself goes when nothing else is in the window: its answer rarely takes all
    that it might.
    """
    need = min(tokens, rate.tokens) if rate.tokens is not None else 0
    at = max([now, *(one.at for one in taken)])
    # Added on this side only: with floats, (x + 60) - 60 may be less than x.
    while not _fits(inside := [one for one in taken if one.at + WINDOW_S > at], rate, need):
        at = min(one.at for one in inside) + WINDOW_S
    return at


def _fits(inside: Sequence[Taken], rate: Rate, need: int) -> bool:
    if rate.requests is not None and len(inside) >= rate.requests:
        return False
    return rate.tokens is None or sum(one.tokens for one in inside) + need <= rate.tokens


def used_up(limits: Sequence[RateLimit], tokens: int, passed_s: float) -> float:
    """Seconds until the vendor's limits let a call of that many tokens through; 0 at once.

    ``passed_s`` is how long ago the vendor told them.  One whose reset it did not tell, and one
    that is smaller than the call at its fullest, say nothing of when to come back.
    """
    waits = [
        one.reset_s - passed_s
        for one in limits
        if one.reset_s is not None
        and (
            one.remaining <= 0
            or (
                one.counted in {"tokens", "input tokens"}
                and one.remaining < tokens
                and (one.limit is None or tokens <= one.limit)
            )
        )
    ]
    return max([0.0, *waits])
