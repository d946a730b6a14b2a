"""One leg of a turn: one call to one model, with its money held before and settled after.

However a leg ends (an answer, an error, the user's stop, the process shutting down), what
came of it is on disk when it is over: the ending is synchronous and runs in ``finally``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress

from aircher.domain.chat import ChatRequest, Chunk, Finish, Opened, Reply
from aircher.domain.errors import ContentFiltered, Paused, ProviderError, StorageError, TimedOut
from aircher.domain.events import Attempt, Event, Notice, Reserved, Started, Usage
from aircher.domain.messages import Part
from aircher.domain.models import ModelRef
from aircher.domain.ports import Prefills
from aircher.domain.routes import Candidate
from aircher.domain.sending import Sending
from aircher.domain.usage import NO_TOKENS, UsageRow, dollars
from aircher.engine.alerts import alerts
from aircher.engine.errand import Errand
from aircher.engine.incoming import Delta, Incoming
from aircher.engine.money import NOTHING_USED, LegMoney
from aircher.engine.ports import EnginePorts
from aircher.policy.continuing import continued, prefilled

WRITE_EVERY_S = 0.5
"""A reply is written to disk at most this long after its text came."""


class Leg:
    """One call.  Read ``error``, ``reply`` and ``attempt`` after ``events`` has ended.

    The reply is kept as message ``message_id``, or a new one; with ``keep`` False, as none.
    ``last`` says that no other model is left to ask.  With ``before``, an answer's beginning, the
    reply is the rest of that answer.
    """

    def __init__(
        self,
        ports: EnginePorts,
        errand: Errand,
        candidate: Candidate,
        request: ChatRequest,
        *,
        number: int,
        message_id: int | None = None,
        keep: bool = True,
        last: bool = True,
        before: str = "",
    ) -> None:
        self._ports = ports
        self._errand = errand
        self._candidate = candidate
        self._request = continued(request, before) if before else request
        self._goes_on = bool(before)
        self._number = number
        self._incoming = Incoming(before)
        self._money = LegMoney(ports, errand, candidate)
        expected = candidate.estimate
        self._entry = ports.gate.entry(
            candidate.ref,
            expected.prompt if expected is not None else 0,
            request.max_output or 0,
            last=last,
        )
        self._flush: asyncio.TimerHandle | None = None
        self._asked = False
        self._sending = Sending()
        self._started = ports.clock.monotonic()
        self._deadline = errand.deadline
        self._keep = keep and errand.keep
        self.message_id = message_id
        self.error: ProviderError | None = None
        self.first_token_s: float | None = None
        self.billed = False
        self.cut = False
        self.emptied = False
        """True for a whole answer that a filter left nothing of; ``error`` says so."""
        self.attempt = Attempt(candidate.ref, "stopped", 0.0)

    @property
    def ref(self) -> ModelRef:
        """The model of this leg."""
        return self._candidate.ref

    @property
    def reply(self) -> Reply:
        """What came, whole or not."""
        return self._incoming.reply

    @property
    def shown(self) -> bool:
        """True once the user has seen something of the answer."""
        return self.first_token_s is not None

    async def events(self) -> AsyncGenerator[Event, None]:
        """Holds the money, makes the call, settles.  Raises ``OverBudget`` before any call.

        A ``ProviderError`` does not leave: it is kept in ``error``.  Before anything else the
        request passes the guard, which may raise ``SecretBlocked``.
        """
        errand = self._errand
        outgoing = self._ports.guard.outgoing(
            self._request,
            self.ref,
            session_id=errand.session_id,
            local=errand.local,
            asked=errand.asked,
        )
        async with aclosing(outgoing.events()) as found:
            async for finding in found:
                yield finding
        self._request = outgoing.request
        held = self._money.hold(self._request.max_output or 0)
        try:
            yield Reserved(self._candidate, held)
            try:
                async with aclosing(self._call()) as events:
                    async for event in events:
                        yield event
            except ProviderError as error:
                self.error = error
            except TimeoutError:
                self.error = TimedOut(
                    f"{self.ref} did not finish in time.",
                    hint=f"Raise retry.deadline or providers.{self.ref.provider}.timeout, "
                    "or choose a faster model.",
                    provider=self.ref.provider,
                    model=self.ref.model,
                )
        finally:
            self._end()
        if self.cut:
            yield Notice(
                f"The answer was cut: it has cost {dollars(self.attempt.cost.nano_usd or 0)}, "
                "all that was held for it under your limits."
            )
        if self.billed:
            yield Usage(self.ref, self.attempt.tokens, self.attempt.cost)
            for alert in alerts(self._ports, self.ref, self._errand.task):
                yield alert

    async def _call(self) -> AsyncGenerator[Event, None]:
        provider = await self._ports.providers.get(self.ref.provider)
        async with aclosing(self._entry.events(self._deadline)) as waiting:
            async for queued in waiting:
                yield queued
        self._started = self._ports.clock.monotonic()  # a wait for its turn is no slowness
        allowed = self._ports.settings.calls_to(self.ref.provider).timeout_s
        if allowed is not None:
            now = asyncio.get_running_loop().time()
            self._deadline = min(self._errand.deadline, now + allowed)
        if self.message_id is None and self._keep:
            self.message_id = self._ports.sessions.begin(
                self._errand.session_id,
                self.ref,
                task=self._errand.task,
                evidence=self._errand.evidence,
            )
        yield Started(self.ref, self._number, self._errand.session_id, self.message_id or 0)
        request = self._request
        if self._goes_on and isinstance(provider, Prefills) and provider.prefills(request.model):
            request = prefilled(request)
        async with _closing(provider.stream(request)) as chunks:
            self._asked = True
            while True:
                self._sending.watch()
                try:
                    async with asyncio.timeout_at(self._deadline):
                        chunk = await anext(chunks)
                except StopAsyncIteration:
                    break
                delta = self._take(chunk)
                if delta is not None:
                    yield delta
                if self._money.used_up(chunk, self._incoming.builder):
                    self.cut = True
                    self._incoming.take(Finish("budget", "length"))
                    break
        last = self._incoming.rest()
        if last is not None:
            yield self._shows(last)
        try:
            self._incoming.check(self.ref)
        except ContentFiltered:
            self.emptied = True
            raise

    def _take(self, chunk: Chunk) -> Delta | None:
        if isinstance(chunk, Opened) and chunk.limits:
            self._ports.health.limits(self.ref, chunk.limits)
        delta = self._incoming.take(chunk)
        return None if delta is None else self._shows(delta)

    def _shows(self, delta: Delta) -> Delta:
        """A piece is about to be seen by the user."""
        if self.first_token_s is None:
            self.first_token_s = self._ports.clock.monotonic() - self._started
        if self._flush is None:
            loop = asyncio.get_running_loop()
            self._flush = loop.call_later(WRITE_EVERY_S, self._write)
        return delta

    def _write(self) -> None:
        self._flush = None
        if self.message_id is None:
            return
        # Called by the event loop, which has nobody to tell.  A disk that stays full is told by
        # the writes at the leg's end; one that was locked for a moment needs no word.
        with suppress(StorageError):
            self._ports.sessions.write(self.message_id, self.parts())

    def parts(self) -> tuple[Part, ...]:
        """The reply so far as message parts."""
        return self.reply.parts(self.ref.provider)

    @property
    def _sent(self) -> bool:
        """True unless it is known that nothing of the request has left."""
        return self._asked and self._sending.left

    @property
    def _never_answered(self) -> bool:
        """True where the vendor went silent, so that it may have worked, and may bill."""
        return isinstance(self.error, TimedOut) and self.error.status is None

    def _end(self) -> None:
        """Settles money and health, from whatever came.  Never awaits."""
        if self._flush is not None:
            self._flush.cancel()
        ports, ref = self._ports, self.ref
        reply = self.reply
        duration = ports.clock.monotonic() - self._started
        whole = self._incoming.finished and not self.cut
        outcome = "cut" if self.cut else "ok" if whole and self.error is None else "stopped"
        if self.error is not None:
            outcome = self.error.kind
            if not isinstance(self.error, Paused):
                ports.health.failure(ref, self.error)
        elif self.shown or outcome == "ok":
            ports.health.success(ref, self.first_token_s or duration)
        used = self._incoming.opened or (self._sent and self.error is None)
        tokens, cost = NO_TOKENS, NOTHING_USED
        if used:
            tokens, cost = self._money.price(reply, whole=whole)
        elif self._sent and self._never_answered:
            used = True
            tokens, cost = self._money.worst()
        self._entry.leave((tokens.input or 0) + (tokens.output or 0) if tokens.known else None)
        self.attempt = Attempt(
            ref,
            outcome,
            duration,
            tokens,
            cost,
            error=self.error.message if self.error else "",
            status=self.error.status if self.error else None,
        )
        self.billed = used
        if not used:
            self._money.release()
            return
        row = UsageRow(
            at=ports.clock.now(),
            ref=ref,
            task=self._errand.task,
            tokens=tokens,
            cost=cost,
            session_id=self._errand.session_id,
            message_id=self.message_id,
            duration_s=duration,
            first_token_s=self.first_token_s,
            outcome=outcome,
            attempt=self._number,
        )
        self._money.settle(row)


@asynccontextmanager
async def _closing(chunks: AsyncIterator[Chunk]) -> AsyncIterator[AsyncIterator[Chunk]]:
    """Closes an iterator that can be closed, so that its connection is freed at once."""
    try:
        yield chunks
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()
