"""The numbers beside the chat, as values; and how they are gathered from the ports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from aircher.domain.classes import dataclass
from aircher.domain.usage import NO_TOKENS, Cost, CostTag, Spend, Tokens
from aircher.policy.windows import day_start, month_start
from aircher.tui.words import money

if TYPE_CHECKING:  # annotations only: the first frame needs none of it
    from aircher.domain.budget import CapState
    from aircher.domain.events import TurnResult
    from aircher.domain.ports import Ledger
    from aircher.domain.routes import Candidate
    from aircher.domain.settings import Limit

_EVER = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Figures:
    """What the cost panel shows.  Money in nano-dollars; None is not known or not there.

    ``held`` is what the reply may cost at most, while nothing else is known of it.
    ``reply_live`` marks numbers of an answer that is still running (estimates).
    ``saved`` is against ``baseline``; negative where the baseline would have been cheaper.
    """

    reply: Cost | None = None
    tokens: Tokens = NO_TOKENS
    tokens_per_s: float | None = None
    reply_live: bool = False
    held: int | None = None
    session: Spend | None = None
    today: Spend | None = None
    month: Spend | None = None
    caps: tuple[CapState, ...] = ()
    alert_threshold: float = 0.8
    projected: int | None = None
    saved: int | None = None
    baseline: str = ""


def spend_tag(spend: Spend) -> CostTag:
    """How sure a sum is: estimated as soon as one of its rows is."""
    return "estimated" if spend.estimated else "exact"


def overall_cap(caps: Sequence[CapState], window_start: datetime) -> CapState | None:
    """The limit over everything whose window began at that moment (a day's, a month's)."""
    return next(
        (
            state
            for state in caps
            if not state.cap.provider and not state.cap.task and state.cap.since == window_start
        ),
        None,
    )


def spend_words(spend: Spend) -> str:
    """A sum, and how many calls of unknown price are not in it; "free" if all of them were."""
    if spend.unknown and not spend.nano_usd:
        return f"{spend.unknown} of unknown price"
    if spend.calls and not spend.nano_usd:
        return "free"
    value = money(spend.nano_usd, spend_tag(spend))
    return value + (f" + {spend.unknown} unknown" if spend.unknown else "")


def alert_level(state: CapState, threshold: float) -> Literal["", "near", "reached"]:
    """Whether a limit is spent, or ``threshold`` (a share) of it; what is only held is not."""
    if state.spent_nano >= state.cap.limit_nano:
        return "reached"
    return "near" if state.spent_nano >= threshold * state.cap.limit_nano else ""


def broken_limit(
    candidate: Candidate, task: str, caps: Sequence[CapState], limits: Sequence[Limit]
) -> str:
    """The first limit that the candidate's worst case would break, by name; "" if none."""
    worst = candidate.estimate.worst.nano_usd if candidate.estimate else None
    if not worst:
        return ""
    of_request = [
        (limit.name, limit.provider, limit.task, limit.nano_usd)
        for limit in limits
        if limit.window == "request"
    ]
    of_window = [
        (
            state.cap.name,
            state.cap.provider,
            state.cap.task,
            state.cap.limit_nano - state.spent_nano - state.held_nano,
        )
        for state in caps
    ]
    return next(
        (
            name
            for name, of_provider, of_task, left in (*of_request, *of_window)
            if of_provider in ("", candidate.ref.provider)
            and of_task in ("", task)
            and worst > left
        ),
        "",
    )


def spends(ledger: Ledger, now: datetime, session_id: str) -> tuple[Spend | None, Spend, Spend]:
    """Session (None before it exists), today, month."""
    session = ledger.spend(_EVER, session_id=session_id) if session_id else None
    return session, ledger.spend(day_start(now)), ledger.spend(month_start(now))


def rate(result: TurnResult) -> float | None:
    """Tokens per second of an answer, from its first token; waits and questions don't count."""
    written = result.tokens.output
    whole = result.attempts[-1].duration_s if result.attempts else result.duration_s
    lasted = whole - (result.first_token_s or 0.0)
    return written / lasted if written and lasted > 0.05 else None
