"""The one retry loop: models in the plan's order, each tried as often as [retry] allows.

At most the sum over the chain of (1 + retries) calls are made.  Once the user has seen a part
of an answer it is not asked for again from the same model: the next model begins anew, under a
visible seam, and the part stays in the session.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from aircher.domain.chat import ChatRequest, Reply
from aircher.domain.errors import AircherError, Bug, OverBudget, ProviderError
from aircher.domain.events import (
    Attempt,
    Downgraded,
    Event,
    Failed,
    FallingBack,
    Finished,
    Retrying,
    TurnResult,
)
from aircher.domain.models import ModelRef
from aircher.domain.routes import Candidate, Plan
from aircher.domain.sessions import MessageState
from aircher.domain.usage import NO_TOKENS, Cost, CostTag
from aircher.engine.errand import Errand
from aircher.engine.leg import Leg
from aircher.engine.money import NOTHING_USED
from aircher.engine.ports import EnginePorts
from aircher.engine.wait import Wait
from aircher.policy.retry import may_fall_back, retry_delay


class Chain:
    """The calls of one turn, from the first try to the end."""

    def __init__(
        self, ports: EnginePorts, errand: Errand, wait: Wait, *, fallback: bool = True
    ) -> None:
        self._ports = ports
        self._errand = errand
        self._wait = wait
        self._fallback = fallback
        self._attempts = errand.attempts
        self._message_id: int | None = None
        self._leg: Leg | None = None

    async def events(
        self, plan: Plan, build: Callable[[Candidate], ChatRequest]
    ) -> AsyncGenerator[Event, None]:
        """Reserved, Started, deltas ... of every leg, then ``Finished`` or ``Failed``."""
        error: AircherError | None = Bug("The plan was empty.")
        try:
            for index, candidate in enumerate(plan.candidates):
                following = _following(plan, index) if self._fallback else None
                try:
                    tries = self._tries(candidate, build(candidate), last=following is None)
                    async with aclosing(tries) as events:
                        async for event in events:
                            yield event
                except OverBudget as over:
                    error = over
                    if following is None or not self._ports.settings.spending.auto_downgrade:
                        break
                    yield Downgraded(candidate.ref, following, over.message)
                    continue
                leg = self._leg
                error = leg.error if leg is not None else error
                if leg is None or leg.error is None:
                    break
                if following is None or not may_fall_back(leg.error):
                    break
                yield FallingBack(leg.ref, following, leg.error, self._keep_part(leg))
        finally:
            result = self._record()
        yield Finished(result) if error is None else Failed(error, result)

    async def _tries(
        self, candidate: Candidate, request: ChatRequest, *, last: bool
    ) -> AsyncGenerator[Event, None]:
        """One model, with its retries; leaves the last leg that began in ``self._leg``."""
        retries = 0
        while True:
            leg = Leg(
                self._ports,
                self._errand,
                candidate,
                request,
                number=len(self._attempts) + 1,
                message_id=self._message_id,
                last=last,
            )
            async with aclosing(leg.events()) as events:
                try:
                    async for event in events:
                        self._leg = leg
                        yield event
                finally:
                    self._message_id = leg.message_id
            self._attempts.append(leg.attempt)
            if leg.error is None or leg.shown:
                return
            delay = self._delay(leg.error, retries)
            if delay is None:
                return
            retries += 1
            yield Retrying(leg.ref, len(self._attempts) + 1, delay, leg.error)
            await self._wait.seconds(delay)

    def _delay(self, error: ProviderError, retries: int) -> float | None:
        settings = self._ports.settings.retry
        delay = retry_delay(error, retries, settings, self._ports.roll())
        left = self._errand.deadline - asyncio.get_running_loop().time()
        return None if delay is None or delay >= left else delay

    def _keep_part(self, leg: Leg) -> int:
        """Ends the message of a leg that broke off after something was shown."""
        if not leg.shown or self._message_id is None:
            return 0
        self._end_message(leg, "failed")
        self._message_id = None
        return len(leg.reply.text)

    def _record(self) -> TurnResult:
        """Ends the message on disk and sums the turn up.  Never awaits."""
        leg = self._leg
        if leg is not None and (not self._attempts or self._attempts[-1] is not leg.attempt):
            self._attempts.append(leg.attempt)  # it was stopped in the middle
        if leg is not None and self._message_id is not None:
            state: MessageState = "complete" if leg.attempt.outcome == "ok" else "stopped"
            self._end_message(leg, "failed" if leg.error is not None else state)
        reply = leg.reply if leg is not None else Reply()
        return TurnResult(
            session_id=self._errand.session_id,
            task=self._errand.task,
            ref=leg.ref if leg is not None else None,
            text=reply.text,
            thinking=reply.thinking,
            refusal=reply.refusal,
            tool_calls=reply.tool_calls,
            finish_reason=reply.finish_reason,
            outcome=reply.outcome,
            tokens=leg.attempt.tokens if leg is not None else NO_TOKENS,
            cost=total(self._attempts),
            attempts=tuple(self._attempts),
            duration_s=self._ports.clock.monotonic() - self._errand.started,
            first_token_s=leg.first_token_s if leg is not None else None,
            message_id=self._message_id,
        )

    def _end_message(self, leg: Leg, state: MessageState) -> None:
        if self._message_id is None:
            return
        self._ports.sessions.end(
            self._message_id,
            leg.parts(),
            state,
            ref=leg.ref,
            tokens=leg.attempt.tokens,
            cost=leg.attempt.cost,
            duration_s=leg.attempt.duration_s,
            finish_reason=leg.reply.finish_reason,
            error=leg.attempt.error,
        )


def _following(plan: Plan, index: int) -> ModelRef | None:
    after = plan.candidates[index + 1 : index + 2]
    return after[0].ref if after else None


_TAGS: tuple[CostTag, ...] = ("exact", "estimated", "unknown")


def total(attempts: Sequence[Attempt]) -> Cost:
    """The cost of all attempts; as sure as its least sure part, unknown if any part is.

    Nothing for no attempts: a turn that was stopped by a limit or had no model cost nothing.
    """
    if not attempts:
        return NOTHING_USED
    parts = [attempt.cost.nano_usd for attempt in attempts]
    known = [part for part in parts if part is not None]
    tag = max((attempt.cost.tag for attempt in attempts), key=_TAGS.index)
    price_id = next((a.cost.price_id for a in reversed(attempts) if a.cost.price_id), None)
    return Cost(sum(known) if len(known) == len(parts) else None, tag, price_id)
