"""Which model takes over after an error, whether the user is asked, and what is told at the end.

What an error leads to is a table (``domain.settings.REACTIONS``) that the user may change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy

from aircher.domain.classes import dataclass
from aircher.domain.errors import AircherError, OverBudget, ProviderError
from aircher.domain.models import ModelFacts, ModelRef
from aircher.domain.routes import Candidate
from aircher.domain.settings import FallbackSettings
from aircher.domain.usage import dollars


@dataclass(frozen=True, slots=True)
class Takeover:
    """The model that comes next, and those left after it.

    ``ask`` says that the user must agree first; ``reason`` why it is not simply the next one.
    """

    to: Candidate
    rest: tuple[Candidate, ...]
    ask: bool = False
    reason: str = ""


def takeover(
    error: AircherError,
    failed: Candidate,
    remaining: Sequence[Candidate],
    task: str,
    settings: FallbackSettings,
    facts: Callable[[ModelRef], ModelFacts],
    others: Callable[[], Sequence[Candidate]],
) -> Takeover | None:
    """Who takes over after ``error``, or None where the turn ends with it.

    ``remaining`` are the plan's models not yet tried; ``others`` gives further configured models
    that could take the request, and is asked only where a longer window is needed.
    """
    reaction = "next" if isinstance(error, OverBudget) else settings.reaction(error.kind)
    consent = settings.consent_for(task)
    if reaction == "stop" or consent == "never":
        return None
    reason = ""
    if reaction == "longer":
        window = facts(failed.ref).context_window
        remaining = [*_longer(window, remaining, facts)] or [*_longer(window, others(), facts)]
        if remaining and (room := facts(remaining[0].ref).context_window) is not None:
            reason = f"its window of {room:,} tokens is longer"
    if isinstance(error, OverBudget):
        remaining = [one for one in remaining if _may_fit(one, failed, error.provider)]
    if not remaining:
        return None
    return Takeover(
        remaining[0], tuple(remaining[1:]), consent == "ask" or reaction == "ask", reason
    )


def _may_fit(one: Candidate, failed: Candidate, provider: str) -> bool:
    """Not where it would pass the same limit, costing no less than what has just passed it."""
    if provider not in {"", one.ref.provider} or one.estimate is None or failed.estimate is None:
        return True
    cost, limit = one.estimate.worst.nano_usd, failed.estimate.worst.nano_usd
    return cost is None or limit is None or cost < limit


def _longer(
    window: int | None, models: Sequence[Candidate], facts: Callable[[ModelRef], ModelFacts]
) -> list[Candidate]:
    """Those of which it is known that more fits; all of them where nothing is known to compare."""
    if window is None:
        return list(models)
    return [one for one in models if (facts(one.ref).context_window or 0) > window]


def detail(error: AircherError, failed: Candidate, step: Takeover) -> str:
    """What a user should know before agreeing: what happened, and what it would cost."""
    lines = [f"{failed.ref}: {error.message}", error.hint]
    if step.reason:
        lines.append(f"{step.to.ref}: {step.reason}.")
    costs = step.to.estimate
    if costs is not None and costs.likely.nano_usd and costs.worst.nano_usd:
        likely, worst = dollars(costs.likely.nano_usd), dollars(costs.worst.nano_usd)
        lines.append(f"It would cost about {likely}, at most {worst}.")
    return "\n".join(line for line in lines if line)


_MOST_USEFUL = (
    "context_length", "content_filter", "invalid_request", "budget", "auth", "permission", "quota",
    "not_found", "address", "rate_limit", "overloaded", "server", "timeout", "malformed", "network", "paused",
)  # fmt: skip
"""Kinds by how much the user can do about them; where several models failed, the first is told."""


def most_useful(
    errors: Sequence[tuple[ModelRef, AircherError]], calls: int = 0, kept: str = ""
) -> AircherError:
    """Of the errors of a turn, in order, the one that helps most, with what Aircher did about it.

    A model's last error counts; of equally useful ones that of the model that was wanted most.
    ``calls`` is how many were made, ``kept`` what of the turn is on disk ("the question"; "" for
    nothing).
    """
    last = dict(errors)
    best = min(last.values(), key=_rank)
    did = _did(last, calls, kept) if len(last) > 1 or isinstance(best, ProviderError) else ""
    if not did:
        return best
    whole = copy(best)
    said = best.message.rstrip()
    said += "" if said.endswith((".", "!", "?", "…")) else "."
    whole.message = f"{said} {did[0].upper()}{did[1:]}."
    whole.args = (whole.message,)
    return whole


_TIMES = {1: "once", 2: "twice"}


def _did(last: Mapping[ModelRef, AircherError], calls: int, kept: str) -> str:
    """What Aircher did: whom it asked how often, and what it kept."""
    tried = ""
    if len(last) > 1:
        names = ", ".join(f"{ref}: {error.kind}" for ref, error in last.items())
        tried = f"{len(last)} models were tried ({names})"
    elif calls:
        tried = f"Aircher asked {_TIMES.get(calls, f'{calls} times')}"
    verb = "are" if " and " in kept else "is"
    return "; ".join(part for part in (tried, f"{kept} {verb} kept" if kept else "") if part)


def _rank(error: AircherError) -> int:
    kind = error.kind
    return _MOST_USEFUL.index(kind) if kind in _MOST_USEFUL else -1
