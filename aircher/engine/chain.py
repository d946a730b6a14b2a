"""The one retry loop: models in the plan's order, each tried as often as [retry] allows.

At most the sum over the chain of (1 + retries) calls are made.  What the user has seen of an
answer is not asked for again: the next model goes on where it broke off (or begins anew, where
that cannot be, or by the user's setting), behind a visible seam, and both parts stay in the
session.  Where no other model is left, the same one goes on, as one of its retries.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from aircher.domain.chat import ChatRequest, Reply
from aircher.domain.errors import AircherError, Bug, OverBudget, ProviderError, StorageError
from aircher.domain.events import (
    Downgraded,
    Escalating,
    Event,
    Failed,
    FallingBack,
    Finished,
    Notice,
    Retrying,
    TurnResult,
)
from aircher.domain.models import ModelRef
from aircher.domain.routes import Candidate, Plan
from aircher.domain.sessions import MessageState
from aircher.engine.broken import Broken
from aircher.engine.consent import Asked
from aircher.engine.ending import told
from aircher.engine.errand import Errand
from aircher.engine.judging import lacking
from aircher.engine.keeping import Keeping
from aircher.engine.leg import Leg
from aircher.engine.ports import EnginePorts
from aircher.engine.totals import result_of
from aircher.engine.wait import Wait
from aircher.policy.fallback import Takeover, detail, takeover
from aircher.policy.retry import may_go_on, retry_delay

Build = Callable[[Candidate], ChatRequest]


class Chain:
    """The calls of one turn, from the first try to the end.

    ``others`` gives configured models beyond the plan, for when a longer window is needed.
    """

    def __init__(
        self,
        ports: EnginePorts,
        errand: Errand,
        wait: Wait,
        asked: Asked,
        *,
        fallback: bool = True,
        others: Callable[[], Sequence[Candidate]] = tuple,
    ) -> None:
        self._ports = ports
        self._errand = errand
        self._wait = wait
        self._asked = asked
        self._others = others
        settings = ports.settings.fallback
        self._settings = settings if fallback else replace(settings, consent="never", tasks={})
        self._attempts = errand.attempts
        self._errors: list[tuple[ModelRef, AircherError]] = []
        self._keeping = Keeping(ports)
        self._leg: Leg | None = None
        self._broken = Broken(ports, errand.task)
        self._kept: Leg | None = None
        """The leg whose part was kept last."""
        self._retries = 0
        """Of the present model."""
        self._failed: AircherError | None = Bug("The plan was empty.")

    async def events(self, plan: Plan, build: Build) -> AsyncGenerator[Event, None]:
        """Reserved, Started, deltas ... of every leg, then ``Finished`` or ``Failed``."""
        unsettled: StorageError | None = None
        try:
            async with aclosing(self._legs(plan, build)) as legs:
                async for event in legs:
                    yield event
        except StorageError as error:  # the ledger's, or of an answer that could not be begun
            unsettled = error
        except BaseException as stop:
            self._record()
            if self._keeping.lost is not None and isinstance(stop, asyncio.CancelledError):
                raise self._keeping.lost from None  # that what came is kept would not be true
            raise
        result = self._record()
        if unkept := self._keeping.lost or unsettled:
            yield Failed(unkept, result)
        elif self._failed is None:
            yield Finished(result)
        else:
            now = self._ports.clock.now()
            yield Failed(told(self._errors, self._errand, result.text, now), result)

    async def _legs(self, plan: Plan, build: Build) -> AsyncGenerator[Event, None]:
        """All calls; ``self._failed`` is the error that is left at their end."""
        candidate, rest = plan.first, plan.candidates[1:]
        while True:
            error: AircherError | None = self._failed
            try:
                async with aclosing(self._tries(candidate, build, last=not rest)) as events:
                    async for event in events:
                        yield event
                error = self._leg.error if self._leg is not None else error
            except OverBudget as over:
                error = over
            self._failed = error
            if error is None:
                async with aclosing(self._escalate(plan, build)) as better:
                    async for event in better:
                        yield event
                return
            self._errors.append((candidate.ref, error))
            step = self._step(error, candidate, rest)
            if step is None:
                # A whole answer that a filter emptied, and nobody gives another.
                emptied = self._leg is not None and self._leg.emptied
                self._failed = None if emptied else error
                return
            if step.ask:
                async with aclosing(self._agree(error, candidate, step)) as asking:
                    async for event in asking:
                        yield event
                if not self._asked.yes:
                    return
            async with aclosing(self._switch(error, candidate, step)) as switching:
                async for event in switching:
                    yield event
            candidate, rest = step.to, step.rest

    # -- one model

    async def _tries(
        self, candidate: Candidate, build: Build, *, last: bool
    ) -> AsyncGenerator[Event, None]:
        """One model, with its retries; leaves the last leg that began in ``self._leg``."""
        last = last or self._settings.consent_for(self._errand.task) == "never"
        candidate, request = self._broken.rest_of(candidate, build(candidate))
        while True:
            leg = Leg(
                self._ports,
                self._errand,
                candidate,
                request,
                number=len(self._attempts) + 1,
                message_id=self._keeping.message_id,
                last=last,
                before=self._broken.text,
            )
            async with aclosing(leg.events()) as events:
                try:
                    async for event in events:
                        self._leg = leg
                        yield event
                finally:
                    self._keeping.message_id = leg.message_id
            self._attempts.append(leg.attempt)
            if leg.error is None or leg.shown:
                return
            delay = self._delay(leg.error)
            if delay is None:
                return
            self._retries += 1
            yield Retrying(leg.ref, len(self._attempts) + 1, delay, leg.error)
            await self._wait.seconds(delay)

    def _delay(self, error: ProviderError) -> float | None:
        settings = self._ports.settings.retry
        delay = retry_delay(error, self._retries, settings, self._ports.roll())
        return None if delay is None or delay >= self._left() else delay

    def _left(self) -> float:
        """Seconds until the turn's deadline."""
        return self._errand.deadline - asyncio.get_running_loop().time()

    # -- from one model to the next

    def _broke_off(self, error: AircherError) -> Leg | None:
        """The leg that ended with this error after the user had seen a part of its answer."""
        leg = self._leg
        return leg if leg is not None and leg.error is error and leg.shown else None

    def _step(
        self, error: AircherError, failed: Candidate, rest: Sequence[Candidate]
    ) -> Takeover | None:
        """Who goes on, or None: the turn ends with the error."""
        leg = self._broke_off(error)
        if self._left() <= 0 or (leg is not None and self._settings.broken_answer == "stop"):
            return None
        if isinstance(error, OverBudget) and not self._ports.settings.spending.auto_downgrade:
            return None
        facts, task = self._ports.catalog.facts, self._errand.task
        step = takeover(error, failed, rest, task, self._settings, facts, self._others)
        if step is not None or leg is None or leg.error is None:
            return step
        again = may_go_on(leg.error) and self._delay(leg.error) is not None
        return Takeover(failed, ()) if again and self._broken.can_go_on(leg.reply, failed) else None

    async def _agree(
        self, error: AircherError, failed: Candidate, step: Takeover
    ) -> AsyncGenerator[Event, None]:
        """Asks the user; the time that takes does not count against the turn's deadline."""
        loop = asyncio.get_running_loop()
        began, to = loop.time(), step.to.ref
        leg = self._broke_off(error)
        anew = leg is not None and not self._broken.can_go_on(leg.reply, step.to)
        events = self._asked.events(
            "fresh_start" if anew else "fallback",
            f"Let {to} begin the answer anew?" if anew else f"Ask {to} instead?",
            detail=detail(error, failed, step),
            yes=f"Ask {to}",
            no="Stop here",
        )
        async with aclosing(events):
            async for event in events:
                yield event
        waited = loop.time() - began
        self._errand = replace(self._errand, deadline=self._errand.deadline + waited)

    async def _switch(
        self, error: AircherError, failed: Candidate, step: Takeover
    ) -> AsyncGenerator[Event, None]:
        """Ends the part that broke off, and says who goes on."""
        to = step.to.ref
        if not isinstance(error, ProviderError):
            yield Downgraded(failed.ref, to, error.message)
        else:
            kept = self._keep_part(error, step.to)
            goes_on = bool(self._broken.text)
            yield FallingBack(failed.ref, to, error, kept, goes_on, step.reason)
            if to == failed.ref:
                delay = self._delay(error) or 0.0
                self._retries += 1
                yield Retrying(to, len(self._attempts) + 1, delay, error)
                await self._wait.seconds(delay)
                return
        self._retries = 0

    def _keep_part(self, error: AircherError, to: Candidate) -> int:
        """Ends the message of a leg that broke off; returns how many characters stand."""
        leg = self._broke_off(error)
        if leg is None:
            return len(self._broken.text)
        goes_on = self._broken.can_go_on(leg.reply, to)
        self._keeping.end(leg, "continued" if goes_on else "failed")
        self._keeping.message_id, self._kept = None, leg
        return self._broken.keep(leg.reply, goes_on=goes_on)

    # -- a better answer

    async def _escalate(self, plan: Plan, build: Build) -> AsyncGenerator[Event, None]:
        """Asks stronger models while the answer is not good enough; each is a call of its own.

        Where one of them fails or is over a limit, the answer that there is stands.
        """
        for candidate in plan.stronger:
            leg, before = (
                self._leg,
                (self._keeping.message_id, self._broken.text, self._broken.standing),
            )
            if leg is None:
                return
            text = self._broken.whole(leg.reply, counted=False)
            whole = replace(leg.reply, text=text)
            if not (why := await lacking(self._ports, self._errand.task, whole)):
                return
            if leg.shown:
                self._keeping.end(leg, "failed")
                self._keeping.message_id = None
            self._broken.text = self._broken.standing = ""
            yield Escalating(leg.ref, candidate.ref, why, len(text) if leg.shown else 0)
            stands = ""
            try:
                async with aclosing(self._tries(candidate, build, last=True)) as events:
                    async for event in events:
                        yield event
                if self._leg is not None and self._leg.error is not None:
                    stands = self._leg.error.message
                    if self._keeping.message_id != before[0]:
                        self._keeping.end(self._leg, "failed")
            except OverBudget as over:
                stands = over.message
            if stands:
                self._leg = leg
                self._keeping.message_id, self._broken.text, self._broken.standing = before
                yield Notice(f"The answer stands, because {stands}")
                return

    # -- the end

    def _record(self) -> TurnResult:
        """Ends the message on disk and sums the turn up.  Never awaits.

        What the disk does not take is kept elsewhere, where that can be.
        """
        leg = self._leg
        if leg is not None and (not self._attempts or self._attempts[-1] is not leg.attempt):
            self._attempts.append(leg.attempt)  # it was stopped in the middle
        if leg is not None and self._keeping.message_id is not None:
            state: MessageState = "complete" if leg.attempt.outcome == "ok" else "stopped"
            self._keeping.end(leg, "failed" if leg.error is not None else state)
        text = self._broken.whole(leg.reply if leg else Reply(), counted=leg is self._kept)
        self._keeping.rescue(text)
        now = self._ports.clock.monotonic()
        return result_of(self._errand, leg, text, message_id=self._keeping.message_id, now=now)
