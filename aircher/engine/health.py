"""Passive health: what real calls have shown of each provider, and the breakers made from it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aircher.domain.errors import AircherError, ProviderError
from aircher.domain.health import Health, HealthState
from aircher.domain.models import ModelRef
from aircher.domain.ports import Clock
from aircher.domain.routes import Rules
from aircher.policy.breaker import CLOSED, Breaker, after_failure, after_success, state

WINDOW = 50
"""Calls remembered per provider."""

DEGRADED_SHARE = 0.2
"""A provider that fails this share of recent calls is degraded (one in five)."""


@dataclass(slots=True)
class _Seen:
    """What is remembered of one provider."""

    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    results: deque[bool] = field(default_factory=lambda: deque(maxlen=WINDOW))
    last_error: str = ""
    last_seen: datetime | None = None
    model: str = ""


class PassiveHealth:
    """A ``HealthBoard`` in memory.  Breakers are kept per model, the board shows providers."""

    def __init__(self, rules: Rules, clock: Clock) -> None:
        self._rules = rules
        self._clock = clock
        self._seen: dict[str, _Seen] = {}
        self._breakers: dict[ModelRef, Breaker] = {}

    def success(self, ref: ModelRef, latency_s: float) -> None:
        """A call gave its first token after so many seconds."""
        seen = self._note(ref)
        seen.latencies.append(latency_s)
        seen.results.append(True)
        seen.last_error = ""
        self._breakers[ref] = after_success(self._breakers.get(ref, CLOSED))

    def failure(self, ref: ModelRef, error: Exception) -> None:
        """A call failed.  The request's own faults are shown but not held against anyone."""
        seen = self._note(ref)
        seen.last_error = error.message if isinstance(error, AircherError) else str(error)
        if not (isinstance(error, ProviderError) and error.ours):
            seen.results.append(False)
        before = self._breakers.get(ref, CLOSED)
        self._breakers[ref] = after_failure(before, error, self._clock.monotonic())

    def reset(self, provider: str) -> None:
        """Closes the provider's breakers and forgets its failures."""
        self._seen.pop(provider, None)
        for ref in [ref for ref in self._breakers if ref.provider == provider]:
            del self._breakers[ref]

    def blocked(self) -> Mapping[ModelRef, str]:
        """Models whose breaker is open, with the reason and the time left."""
        now = self._clock.monotonic()
        return {
            ref: f"resting {breaker.open_until - now:.0f} s after {breaker.failures} failures"
            for ref, breaker in self._breakers.items()
            if state(breaker, now) == "open"
        }

    def all(self) -> Sequence[Health]:
        """One row per provider that is configured, usable ones first."""
        usable = [self._row(name) for name in self._rules.order]
        return [
            *usable,
            *(
                Health(name, "unconfigured", note=reason)
                for name, reason in self._rules.unusable.items()
                if name not in self._rules.order
            ),
        ]

    def _note(self, ref: ModelRef) -> _Seen:
        seen = self._seen.setdefault(ref.provider, _Seen())
        seen.last_seen = self._clock.now()
        seen.model = ref.model
        return seen

    def _row(self, provider: str) -> Health:
        seen = self._seen.get(provider)
        model = self._rules.models.get(provider, "")
        if seen is None:
            return Health(provider, "unknown", model)
        now = self._clock.monotonic()
        breakers = [b for ref, b in self._breakers.items() if ref.provider == provider]
        worst = max(breakers, key=lambda b: b.open_until, default=CLOSED)
        shape = state(worst, now)
        until = None
        if shape == "open":
            until = self._clock.now() + timedelta(seconds=worst.open_until - now)
        failures = sum(1 for result in seen.results if not result)
        return Health(
            provider,
            _judge(shape, failures, len(seen.results)),
            seen.model or model,
            breaker=shape,
            breaker_until=until,
            latency_p50=_percentile(seen.latencies, 0.50),
            latency_p95=_percentile(seen.latencies, 0.95),
            calls=len(seen.results),
            failures=failures,
            last_error=seen.last_error,
            last_seen=seen.last_seen,
        )


def _judge(breaker: str, failures: int, calls: int) -> HealthState:
    if breaker == "open":
        return "unhealthy"
    if calls == 0:
        return "unknown"
    if failures == calls:
        return "unhealthy"
    return "degraded" if failures / calls >= DEGRADED_SHARE else "healthy"


def _percentile(values: deque[float], share: float) -> float | None:
    """Nearest-rank percentile, in the values' own unit."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]
