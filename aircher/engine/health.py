"""Health from real traffic, and the breakers made from it, shared by all running programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from aircher.domain.classes import dataclass
from aircher.domain.errors import AircherError, ProviderError, StorageError
from aircher.domain.health import (
    Admission,
    Blocked,
    Breaker,
    Health,
    Sample,
)
from aircher.domain.limits import RateLimit
from aircher.domain.models import ModelRef
from aircher.domain.ports import Clock, HealthStore
from aircher.domain.routes import Rules
from aircher.domain.settings import HealthSettings
from aircher.policy import breaker as policy
from aircher.policy.breaker import CLOSED, BreakerRules
from aircher.policy.health import health_row
from aircher.policy.rates import used_up


@dataclass(frozen=True, slots=True)
class _Said:
    """A vendor's own limits, and when (seconds since 1970) it told them."""

    at: float
    limits: tuple[RateLimit, ...]


def _no_fingerprint(_: str) -> str:
    return ""


class PassiveHealth:
    """A ``HealthBoard`` over a ``HealthStore``.

    ``fingerprint`` names a provider's key and address without telling them: what a wrong key
    brought about ends when the user changes it.  A write that the disk refuses is let go: health
    is advice, and the turn itself tells of the disk.
    """

    def __init__(
        self,
        rules: Rules,
        clock: Clock,
        store: HealthStore,
        *,
        breaker: BreakerRules | None = None,
        settings: HealthSettings | None = None,
        patience_s: float = 30.0,
        fingerprint: Callable[[str], str] = _no_fingerprint,
    ) -> None:
        self._rules = rules
        self._clock = clock
        self._store = store
        self._breaker_rules = breaker or BreakerRules()
        self._settings = settings or HealthSettings()
        self._patience_s = patience_s
        self._fingerprint = fingerprint
        self._said: dict[ModelRef, _Said] = {}
        self._probing: set[str] = set()
        """Calls that may have taken a probe: the others have none to give back."""

    # -- what calls tell

    def success(self, ref: ModelRef, latency_s: float) -> None:  # noqa: ARG002 - the ledger has it
        """A call gave its first token: its breaker closes, and its provider's."""
        refs = self._held(ref)
        if refs:
            now = self._now()
            self._change(refs, lambda before: [policy.after_success(one, now) for one in before])

    def failure(self, ref: ModelRef, error: Exception) -> None:
        """A call failed.  The request's own faults are noted but not held against anyone."""
        now = self._now()
        self._note(ref, None, error)
        if not isinstance(error, ProviderError) or error.ours:
            return
        target = ref if policy.scope(error) == "model" else ModelRef(ref.provider, "")
        mark = self._fingerprint(ref.provider) if error.kind in policy.AT_ONCE else ""
        wait = error.retry_after if error.kind == "rate_limit" else None

        def decide(before: Sequence[Breaker]) -> Sequence[Breaker]:
            failed = policy.after_failure(before[0], error, now, self._breaker_rules, mark)
            return [policy.limited(failed, now, wait) if wait else failed]

        self._change([target], decide)

    def limits(self, ref: ModelRef, said: Sequence[RateLimit]) -> None:
        """What the vendor told of its rate limits with an answer."""
        if not said:
            return
        now = self._now()
        self._said[ref] = _Said(now, tuple(said))
        wait = used_up(said, 0, 0.0)
        if wait > 0:
            self._change([ref], lambda before: [policy.limited(before[0], now, wait)])

    def probed(self, provider: str, latency_s: float | None, error: Exception | None) -> None:
        """The provider's model list came, or did not.  That moves no breaker: a list that comes
        does not say that answers do.
        """
        self._note(ModelRef(provider, ""), latency_s, error, probe=True)

    # -- who may be asked

    def admit(
        self, ref: ModelRef, who: str, tokens: int, *, last: bool, patience_s: float
    ) -> Admission:
        """Whether the call ``who`` may be made now; takes the one probe where there is one."""
        now = self._now()
        said = self._said.get(ref)
        if said is not None:
            left = used_up(said.limits, tokens, now - said.at)
            if 0 < left <= patience_s or (left > 0 and not last):
                why = f"its rate limit leaves no room for {tokens:,} tokens yet"
                return Admission(False, left, why, soon=left <= patience_s)
        refs = self._held(ref)
        if not refs:
            return Admission(allowed=True)
        me = f"{self._store.me}#{who}"
        refused: list[Admission] = []

        def decide(before: Sequence[Breaker]) -> Sequence[Breaker]:
            refused.clear()
            results = [
                policy.admitted(self._valid(one, each), now, me, last=last, patience_s=patience_s)
                for one, each in zip(refs, before, strict=True)
            ]
            refused.extend(answer for _, answer in results if not answer.allowed)
            return before if refused else [after for after, _ in results]

        with suppress(StorageError):
            self._store.change(refs, decide)
        if not refused:
            self._probing.add(who)
        return max(refused, key=lambda one: one.wait_s, default=Admission(allowed=True))

    def release(self, ref: ModelRef, who: str) -> None:
        """The call is over, however it went: gives its probe back."""
        if who not in self._probing:
            return
        self._probing.discard(who)
        me = f"{self._store.me}#{who}"
        refs = [
            one for one, breaker in self._breakers().items()
            if one in _both(ref) and breaker.prober == me
        ]  # fmt: skip
        if refs:
            self._change(refs, lambda before: [policy.released(one, me) for one in before])

    def blocked(self) -> Mapping[ModelRef, str]:
        """What routing should pass over now, with the reason and the time left."""
        now = self._now()
        return Blocked(
            {
                ref: policy.why(breaker, now)
                for ref, breaker in self._breakers().items()
                if policy.keeps_away(breaker, now, self._patience_s)
            }
        )

    def reset(self, provider: str, model: str = "") -> None:
        """Closes the provider's breakers, or one model's, and forgets its failures."""
        with suppress(StorageError):
            self._store.forget(provider, model)
        for ref in [one for one in self._said if one.provider == provider]:
            if model in ("", ref.model):
                del self._said[ref]

    # -- how they are

    def quiet(self, since: datetime) -> Sequence[str]:
        """The usable providers of which no process has seen anything since then."""
        heard = {sample.ref.provider for sample in self._samples(since)}
        return [name for name in self._rules.order if name not in heard]

    def all(self) -> Sequence[Health]:
        """One row per provider that is configured, usable ones first."""
        begin = self._clock.now() - timedelta(seconds=self._settings.window_s)
        by_name: dict[str, list[Sample]] = {}
        for sample in self._samples(begin):
            by_name.setdefault(sample.ref.provider, []).append(sample)
        breakers = self._breakers()
        return [
            *(
                health_row(
                    name,
                    self._rules.models.get(name, ""),
                    by_name.get(name, []),
                    {ref: one for ref, one in breakers.items() if ref.provider == name},
                    {ref: one.limits for ref, one in self._said.items() if ref.provider == name},
                    self._clock.now(),
                    self._settings,
                )
                for name in self._rules.order
            ),
            *(
                Health(name, "unconfigured", note=reason)
                for name, reason in self._rules.unusable.items()
                if name not in self._rules.order
            ),
        ]

    # -- the store

    def _held(self, ref: ModelRef) -> list[ModelRef]:
        """Of the model and its provider, those with a breaker that is not plainly closed."""
        breakers = self._breakers()
        return [one for one in _both(ref) if one in breakers]

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _breakers(self) -> Mapping[ModelRef, Breaker]:
        """All that hold: one that was made with another key, or that is over, does not."""
        try:
            found = self._store.breakers()
        except StorageError:
            return {}
        if not found:
            return found
        now = self._now()
        back = [ref for ref, one in found.items() if policy.steady(one, now) != one]
        if back:  # the clock was set back: begin to count from now, once, for everybody
            self._change(back, lambda before: [policy.steady(one, now) for one in before])
        valid = {ref: self._valid(ref, policy.steady(one, now)) for ref, one in found.items()}
        return {ref: one for ref, one in valid.items() if one != CLOSED}

    def _samples(self, since: datetime) -> Sequence[Sample]:
        try:
            return self._store.samples(since)
        except StorageError:
            return ()

    def _valid(self, ref: ModelRef, breaker: Breaker) -> Breaker:
        if breaker.fingerprint and breaker.fingerprint != self._fingerprint(ref.provider):
            return CLOSED
        return breaker

    def _change(
        self, refs: Sequence[ModelRef], decide: Callable[[Sequence[Breaker]], Sequence[Breaker]]
    ) -> None:
        with suppress(StorageError):
            self._store.change(refs, decide)

    def _note(
        self,
        ref: ModelRef,
        latency_s: float | None,
        error: Exception | None,
        *,
        probe: bool = False,
    ) -> None:
        kind = error.kind if isinstance(error, AircherError) else "error" if error else ""
        text = error.message if isinstance(error, AircherError) else str(error or "")
        with suppress(StorageError):
            self._store.note(Sample(self._clock.now(), ref, latency_s, kind, text, probe))


def _both(ref: ModelRef) -> tuple[ModelRef, ModelRef]:
    """The model, and its provider as a whole."""
    return ref, ModelRef(ref.provider, "")
