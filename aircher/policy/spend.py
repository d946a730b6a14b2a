"""Which limits apply to a call, and since when they count."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from aircher.domain.budget import Cap
from aircher.domain.settings import Limit
from aircher.policy.windows import day_start, month_start

_WINDOWS: dict[str, Callable[[datetime], datetime]] = {"day": day_start, "month": month_start}


def caps(
    limits: Iterable[Limit], now: datetime, *, provider: str = "", task: str = ""
) -> tuple[Cap, ...]:
    """The day and month limits that a call to this provider for this task falls under.

    With neither named, all of them: what a budget display shows.
    """
    return tuple(
        Cap(
            limit.name,
            limit.nano_usd,
            _WINDOWS[limit.window](now),
            limit.provider,
            limit.task,
            limit.soft,
        )
        for limit in limits
        if limit.window in _WINDOWS
        and (not provider or limit.provider in ("", provider))
        and (not task or limit.task in ("", task))
    )


def request_limit(limits: Iterable[Limit], *, soft: bool = False) -> Limit | None:
    """The tightest hard (or ``soft``) limit on a single request, if any."""
    return min(
        (limit for limit in limits if limit.window == "request" and limit.soft == soft),
        key=lambda limit: limit.nano_usd,
        default=None,
    )
