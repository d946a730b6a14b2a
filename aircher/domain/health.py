"""How a provider is doing, from what was seen of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

HealthState = Literal["healthy", "degraded", "unhealthy", "unconfigured", "unknown"]
BreakerState = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class Health:
    """One provider's health for a panel or a table.

    Latencies are seconds to the first token (or to the probe's answer) over recent calls;
    ``breaker_until`` is when an open breaker lets one probe through.
    ``note`` says in words why ("no key: set OPENAI_API_KEY").
    """

    provider: str
    state: HealthState = "unknown"
    model: str = ""
    breaker: BreakerState = "closed"
    breaker_until: datetime | None = None
    latency_p50: float | None = None
    latency_p95: float | None = None
    calls: int = 0
    failures: int = 0
    last_error: str = ""
    last_seen: datetime | None = None
    note: str = ""
