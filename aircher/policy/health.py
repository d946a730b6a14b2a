"""From what was seen of a provider to one word and a few numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from aircher.domain.classes import dataclass
from aircher.domain.errors import PROVIDER_KINDS
from aircher.domain.health import (
    Breaker,
    BreakerState,
    Health,
    HealthState,
    ModelHealth,
    Sample,
)
from aircher.domain.limits import RateLimit
from aircher.domain.models import ModelRef
from aircher.domain.settings import HealthSettings
from aircher.policy.breaker import CLOSED, free_at, state, why

IDLE_S = 60.0
"""Without a key press for so long nobody is typing."""

AWAY_S = 1800.0
"""Without a key press for so long nobody is there, whatever the terminal says of its focus."""

JITTER = 0.25
"""Looks are spread by this share of the interval, so that programs do not ask in step."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``calls`` is how many count, ``failures`` how many of them failed; latencies in seconds."""

    state: HealthState
    calls: int = 0
    failures: int = 0
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    last_error: str = ""
    probed: bool = False


def models_seen(rows: Iterable[Health]) -> Iterator[ModelRef]:
    """The models of which something is kept: failures, a pause, a rate limit."""
    for row in rows:
        yield ModelRef(row.provider, row.model)
        yield from (ModelRef(row.provider, one.model) for one in row.models)


def judge(samples: Sequence[Sample], settings: HealthSettings) -> Verdict:
    """The verdict on one provider's samples, oldest first, already cut to the window of time.

    Real calls count; a look at the model list does only where it is newer than all of them.
    The request's own faults are told, and held against nobody.
    """
    real = [one for one in samples if not one.probe]
    newest = real[-1].at if real else None
    looks = [one for one in samples if one.probe and (newest is None or one.at > newest)]
    counted = [one for one in (*real, *looks[-1:]) if not _ours(one)][-settings.calls :]
    failures = sum(1 for one in counted if one.kind)
    speeds = sorted(one.latency_s for one in counted if one.latency_s is not None and not one.kind)
    p50 = percentile(speeds, 0.50)
    last = samples[-1].error if samples else ""
    return Verdict(
        _state(len(counted), failures, p50, settings),
        len(counted),
        failures,
        p50,
        percentile(speeds, 0.95),
        percentile(speeds, 0.99),
        last,
        probed=bool(looks) and not real,
    )


def _ours(sample: Sample) -> bool:
    kind = PROVIDER_KINDS.get(sample.kind)
    return kind is not None and kind.ours


def _state(calls: int, failures: int, p50: float | None, settings: HealthSettings) -> HealthState:
    if calls == 0:
        return "unknown"
    if failures == calls:
        return "unhealthy"
    if failures and failures / calls >= settings.degraded_errors:
        return "degraded"
    return "degraded" if p50 is not None and p50 >= settings.degraded_latency_s else "healthy"


def percentile(ranked: Sequence[float], share: float) -> float | None:
    """Nearest-rank percentile of sorted values, in their own unit; None of none."""
    if not ranked:
        return None
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def health_row(
    provider: str,
    own: str,
    samples: Sequence[Sample],
    breakers: Mapping[ModelRef, Breaker],
    limits: Mapping[ModelRef, tuple[RateLimit, ...]],
    now: datetime,
    settings: HealthSettings,
) -> Health:
    """One provider's row; ``own`` is its default model, the mappings hold its models only."""
    verdict = judge(samples, settings)
    models = [
        _model_row(ref.model, breakers.get(ref, CLOSED), limits.get(ref, ()), now)
        for ref in sorted({*breakers, *limits})
    ]
    worst = max(models, key=lambda one: (_RANK[one.breaker], bool(one.note)), default=FINE)
    shown: HealthState = verdict.state
    if worst.breaker == "open":
        shown = "unhealthy" if worst.model in {"", own} else "degraded"
    other = f"{worst.model}: " if worst.note and worst.model not in {"", own} else ""
    seen = [sample for sample in samples if not sample.probe]
    return Health(
        provider,
        shown,
        seen[-1].ref.model if seen else own,
        breaker=worst.breaker,
        breaker_until=worst.breaker_until,
        latency_p50=verdict.p50,
        latency_p95=verdict.p95,
        latency_p99=verdict.p99,
        calls=verdict.calls,
        failures=verdict.failures,
        last_error=verdict.last_error,
        last_seen=samples[-1].at if samples else None,
        note=other + worst.note,
        probed=verdict.probed,
        models=tuple(models),
    )


FINE = ModelHealth("")
_RANK: dict[BreakerState, int] = {"closed": 0, "half_open": 1, "open": 2}


def _model_row(
    model: str, breaker: Breaker, limits: tuple[RateLimit, ...], now: datetime
) -> ModelHealth:
    at = now.timestamp()
    until = free_at(breaker, at)
    moment = datetime.fromtimestamp(until, now.tzinfo) if until else None
    return ModelHealth(model, state(breaker, at), moment, why(breaker, at), limits)


def may_look(*, focused: bool, idle_s: float) -> bool:
    """Whether a provider may be asked for its models: not while the user is elsewhere."""
    return idle_s < AWAY_S and (focused or idle_s < IDLE_S)


def pause(interval_s: float, roll: float) -> float:
    """Seconds until the next look; ``roll`` is uniform in 0..1."""
    return interval_s * (1 - JITTER + 2 * JITTER * roll)
