"""How a provider is doing, from what was seen of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal

from aircher.domain.classes import dataclass
from aircher.domain.limits import RateLimit
from aircher.domain.models import ModelRef

ELSEWHERE = "it is not on this machine, and --local is set"
"""The note of a provider that nothing is sent to, since all must stay here."""

HealthState = Literal["healthy", "degraded", "unhealthy", "unconfigured", "unknown"]
BreakerState = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class Breaker:
    """What keeps calls away from a model, or (``ModelRef`` without a model) from a provider.

    Times are seconds since 1970 by the wall clock, so that other processes and later runs can
    read them; 0 is never.  ``failures`` came in a row, the last one, of ``kind``, at
    ``failed_at``.  Calls are kept away until ``open_until``; ``prober`` then names the one call
    that may find out, until ``probe_until`` at most.  The vendor said at ``limit_at`` that its
    rate limit is used up until ``limit_until``.  With a ``fingerprint`` it holds only for the
    key and address that it was made with.
    """

    failures: int = 0
    failed_at: float = 0.0
    open_until: float = 0.0
    prober: str = ""
    probe_until: float = 0.0
    kind: str = ""
    fingerprint: str = ""
    limit_at: float = 0.0
    limit_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a call may be made now; if not, after how many seconds it may, and why not now.

    ``soon`` says that waiting is better than asking another model.
    """

    allowed: bool
    wait_s: float = 0.0
    reason: str = ""
    soon: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """One call, or one look at the model list (``probe``), as health remembers it.

    ``latency_s`` is the time to the first token, or to the list.  ``kind`` is the error's
    ("" = it went well), ``error`` its sentence.
    """

    at: datetime
    ref: ModelRef
    latency_s: float | None = None
    kind: str = ""
    error: str = ""
    probe: bool = False


@dataclass(frozen=True, slots=True)
class ModelHealth:
    """One model of a provider: its breaker, and what the vendor last said of its rate limits."""

    model: str
    breaker: BreakerState = "closed"
    breaker_until: datetime | None = None
    note: str = ""
    limits: tuple[RateLimit, ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """One provider's health for a panel or a table.

    Latencies are seconds to the first token (or to the model list) over recent calls;
    ``breaker`` is the worst of its models', ``breaker_until`` when that lets one call through.
    ``note`` says in words why calls are kept away or cannot be made ("no key: set
    OPENAI_API_KEY").  ``probed`` says that no call, only the model list, was seen.
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
    latency_p99: float | None = None
    probed: bool = False
    models: tuple[ModelHealth, ...] = ()


class Blocked(Mapping[ModelRef, str]):
    """Models that are not to be tried now, with the reason; a provider's reason is that of all
    its models.
    """

    def __init__(self, reasons: Mapping[ModelRef, str]) -> None:
        self._reasons = dict(reasons)

    def __getitem__(self, ref: ModelRef) -> str:
        if ref in self._reasons:
            return self._reasons[ref]
        return self._reasons[ModelRef(ref.provider, "")]

    def __iter__(self) -> Iterator[ModelRef]:
        return iter(self._reasons)

    def __len__(self) -> int:
        return len(self._reasons)
