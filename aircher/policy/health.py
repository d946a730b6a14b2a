"""From what was seen of a provider to one word and a few numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from aircher.domain.errors import PROVIDER_KINDS
from aircher.domain.health import HealthState, Sample
from aircher.domain.settings import HealthSettings

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


def may_look(*, focused: bool, idle_s: float) -> bool:
    """Whether a provider may be asked for its models: not while the user is elsewhere."""
    return idle_s < AWAY_S and (focused or idle_s < IDLE_S)


def pause(interval_s: float, roll: float) -> float:
    """Seconds until the next look; ``roll`` is uniform in 0..1."""
    return interval_s * (1 - JITTER + 2 * JITTER * roll)
