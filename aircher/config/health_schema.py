"""The tables [breaker] and [health].  How these classes are read: see schema.py."""

# The field functions return a fresh dataclass field each time, as dataclasses.field does.

from __future__ import annotations

from aircher.config.rows import setting
from aircher.config.values import DURATION, INT, NUMBER
from aircher.domain.classes import dataclass
from aircher.domain.settings import HealthSettings

_HEALTH = HealthSettings()


@dataclass(frozen=True)
class Breaker:
    """When a model that fails is left in peace for a while."""

    failures: int = setting(
        INT, 5, "So many failures in a row pause a model.", minimum=1, maximum=1000
    )
    reset: float = setting(
        DURATION, 60.0, "How long it is paused; then one request tries it.", minimum=1
    )
    key_reset: float = setting(
        DURATION,
        600.0,
        "How long a provider is paused whose key is not accepted or whose credit is used up.",
        minimum=1,
    )


@dataclass(frozen=True)
class HealthTable:
    """What makes a provider healthy or not; the newest calls count."""

    window: float = setting(
        DURATION, _HEALTH.window_s, "Calls of so long ago still count.", minimum=1
    )
    calls: int = setting(INT, _HEALTH.calls, "Count at most so many calls.", minimum=1)
    degraded_errors: float = setting(
        NUMBER,
        _HEALTH.degraded_errors,
        "From this share of failures on a provider is degraded.",
        minimum=0,
        maximum=1,
    )
    degraded_latency: float = setting(
        DURATION,
        _HEALTH.degraded_latency_s,
        "From this median time to the first token on a provider is degraded.",
        minimum=0.01,
    )
