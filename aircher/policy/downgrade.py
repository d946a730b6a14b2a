"""Which cheaper model takes over when a limit is near, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from aircher.domain.budget import CapState
from aircher.domain.classes import dataclass
from aircher.domain.models import ModelRef
from aircher.domain.routes import Candidate
from aircher.domain.settings import Limit
from aircher.domain.usage import dollars


@dataclass(frozen=True, slots=True)
class Pressure:
    """Why a model should give way.  ``refused`` if its worst case does not fit a hard limit;
    ``single`` if that is the limit on one request, which the user may go beyond.
    """

    reason: str
    refused: bool
    single: bool = False


def worst(candidate: Candidate) -> int | None:
    """The candidate's worst case in nano-dollars; None where it is not known."""
    return candidate.estimate.worst.nano_usd if candidate.estimate else None


def pressure(
    candidate: Candidate,
    task: str,
    states: Iterable[CapState],
    single: Limit | None,
    threshold: float,
) -> Pressure | None:
    """What presses on this candidate: a hard limit it breaks, else one that is nearly spent.

    ``single`` is the limit on one request; ``threshold`` the share of a limit from which on it
    is nearly spent.  A soft limit never presses, and what is free is never pressed.
    """
    most = worst(candidate)
    if not most:
        return None
    hard = [s for s in states if not s.cap.soft and s.cap.covers(candidate.ref, task)]
    if single is not None and most > single.nano_usd:
        return Pressure(
            f"it could cost {dollars(most)}, more than {single.name} = {dollars(single.nano_usd)}",
            refused=True,
            single=True,
        )
    for state in hard:
        if most > state.left_nano:
            left = f"{dollars(state.left_nano)} is left of {state.cap.name}"
            return Pressure(f"it could cost {dollars(most)}, and {left}", refused=True)
    near = max(hard, key=lambda state: state.share, default=None)
    if near is None or near.share < threshold:
        return None
    return Pressure(f"{near.share:.0%} of {near.cap.name} is spent", refused=False)


def path_from(ref: ModelRef, task: str, paths: Mapping[str, ModelRef]) -> Iterator[ModelRef]:
    """The user's own way down: by task, then from model to model; never in a circle."""
    seen = {ref}
    here = paths.get(task) or _next(ref, paths)
    while here is not None and here not in seen:
        seen.add(here)
        yield here
        here = _next(here, paths)


def _next(ref: ModelRef, paths: Mapping[str, ModelRef]) -> ModelRef | None:
    return paths.get(str(ref)) or paths.get(ref.model)


def next_cheaper(wanted: Candidate, pool: Iterable[Candidate]) -> Sequence[Candidate]:
    """What costs less than ``wanted`` at its worst, the dearest first; of equals its provider's."""
    most = worst(wanted) or 0
    cheaper = [one for one in pool if (cost := worst(one)) is not None and cost < most]
    return sorted(
        cheaper,
        key=lambda one: (-(worst(one) or 0), one.ref.provider != wanted.ref.provider, one.ref),
    )
