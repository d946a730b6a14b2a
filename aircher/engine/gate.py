"""The gate before every call: breakers, the vendor's rate limits, and the user's own.

A leg passes it just before it calls, and leaves it in its synchronous end.  What is short is
waited for, shown as ``Queued``; what is long is another model's turn, told as ``Paused``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from itertools import count

from aircher.domain.errors import Paused, StorageError
from aircher.domain.events import Queued
from aircher.domain.health import Admission
from aircher.domain.limits import Rate, Slot, Taken
from aircher.domain.models import ModelRef
from aircher.domain.ports import Clock, HealthBoard, RateStore
from aircher.domain.spans import lasting
from aircher.engine.wait import Wait
from aircher.policy.rates import slot

LOOK_EVERY_S = 1.0
"""How often a waiting call looks whether others made room."""

WORTH_TELLING_S = 0.3
"""A shorter wait is over before it is read."""

IMPATIENT_S = 2.0
"""Who skipped a wait so recently wants this one skipped as well."""


class Gate:
    """One for all calls of an engine.

    ``rates`` are the user's limits by provider; they hold across the processes that share the
    data file.  A wait of at most ``patience_s`` is preferred to another model.
    """

    def __init__(
        self,
        health: HealthBoard,
        store: RateStore,
        clock: Clock,
        rates: Mapping[str, Rate],
        *,
        patience_s: float = 30.0,
    ) -> None:
        self.health = health
        self.store = store
        self.clock = clock
        self.patience_s = patience_s
        self._rates = rates
        self._ids = count(1)
        self._wait = Wait(clock)
        self._skipped = float("-inf")

    def entry(self, ref: ModelRef, prompt: int, output: int, *, last: bool) -> Entry:
        """One call's way through: its prompt's tokens, and the most it may answer with.

        ``last``: no other model is left to ask.
        """
        rate = self._rates.get(ref.provider)
        return Entry(self, ref, rate, prompt, prompt + output, str(next(self._ids)), last=last)

    def skip(self) -> None:
        """Ends the present wait, and the next if it follows at once: the user will not wait."""
        self._skipped = self.clock.monotonic()
        self._wait.skip()

    @property
    def impatient(self) -> bool:
        """True right after a wait was skipped."""
        return self.clock.monotonic() - self._skipped < IMPATIENT_S

    async def pause(self, seconds: float) -> None:
        """Waits, unless skipped."""
        await self._wait.seconds(seconds)

    def now(self) -> float:
        """The wall clock, in seconds since 1970."""
        return self.clock.now().timestamp()


class Entry:
    """One call's way through the gate.  ``events`` first, ``leave`` in any case."""

    def __init__(
        self,
        gate: Gate,
        ref: ModelRef,
        rate: Rate | None,
        prompt: int,
        tokens: int,
        who: str,
        *,
        last: bool,
    ) -> None:
        self._gate = gate
        self._ref = ref
        self._rate = rate
        self._prompt = prompt
        self._tokens = tokens
        self._who = who
        self._last = last
        self._slot: Slot | None = None
        self._admitted = False
        self._passed = False

    async def events(self, deadline: float) -> AsyncGenerator[Queued, None]:
        """Waits for the call's turn, telling so.  Raises ``Paused`` where another model is better.

        ``deadline`` is in the event loop's time.
        """
        for one in (self._by_own_limit(deadline), self._by_health(deadline)):
            async with aclosing(one) as events:
                async for event in events:
                    yield event
        self._passed = True

    def leave(self, tokens: int | None) -> None:
        """The call is over and took so many tokens (None: unknown).  Never awaits."""
        if self._admitted:
            self._gate.health.release(self._ref, self._who)
        if self._slot is not None:
            used = (self._tokens if tokens is None else tokens) if self._passed else None
            with suppress(StorageError):  # the slot then counts for the worst case, a minute long
                now = self._gate.now()
                self._gate.store.settle(self._slot, used, now, self._decide(now))

    # -- breakers, and what the vendor said

    async def _by_health(self, deadline: float) -> AsyncGenerator[Queued, None]:
        told = ""
        while not (answer := self._admission()).allowed:
            if not answer.soon or answer.wait_s > deadline - _loop_time():
                raise self._paused(answer)
            if answer.reason != told:
                told = answer.reason
                yield Queued(self._ref, 1, answer.wait_s, answer.reason)
            await self._gate.pause(answer.wait_s)
        self._admitted = True

    def _admission(self) -> Admission:
        gate = self._gate
        impatient = gate.impatient
        return gate.health.admit(
            self._ref,
            self._who,
            self._prompt,
            last=self._last or impatient,
            patience_s=0.0 if impatient else gate.patience_s,
        )

    # -- the user's own limits

    async def _by_own_limit(self, deadline: float) -> AsyncGenerator[Queued, None]:
        rate, gate = self._rate, self._gate
        if rate is None:
            return
        name = f"providers.{self._ref.provider}"
        if rate.tokens is not None and self._prompt > rate.tokens:
            raise Paused(
                f"The prompt of about {self._prompt:,} tokens is larger than "
                f"{name}.tokens_per_min = {rate.tokens:,}.",
                hint="Raise that limit, send less, or choose another provider.",
                provider=self._ref.provider,
                model=self._ref.model,
            )
        now = gate.now()
        self._slot = gate.store.take(self._ref.provider, now, self._tokens, self._decide(now))
        told: Slot | None = None
        while (left := self._slot.at - gate.now()) > 0:
            limit = _limit_words(rate)
            room = deadline - _loop_time()
            if left > room or (left > gate.patience_s and not self._last):
                raise self._paused(Admission(False, left, f"your limit of {limit} is reached"))
            if self._slot != told and left >= WORTH_TELLING_S:
                told = self._slot
                yield Queued(self._ref, told.position, left, f"your limit of {limit}")
            await gate.pause(min(LOOK_EVERY_S, left))
            if gate.impatient:
                gate.store.hasten(self._slot, gate.now())
                return
            self._slot = gate.store.when(self._slot)

    def _decide(self, now: float) -> Callable[[Sequence[Taken], int], float]:
        return lambda taken, tokens: slot(taken, now, self._rate or Rate(), tokens)

    def _paused(self, answer: Admission) -> Paused:
        return Paused(
            f"{self._ref.provider} was not asked: {answer.reason}.",
            hint=f"Wait {lasting(answer.wait_s)}, or let it be tried now: aircher provider reset {self._ref.provider}",
            provider=self._ref.provider,
            model=self._ref.model,
            retry_after=answer.wait_s,
        )


def _limit_words(rate: Rate) -> str:
    """Such as "60 requests and 20,000 tokens a minute"."""
    parts = [
        f"{number:,} {word}"
        for number, word in ((rate.requests, "requests"), (rate.tokens, "tokens"))
        if number is not None
    ]
    return f"{' and '.join(parts)} a minute"


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
