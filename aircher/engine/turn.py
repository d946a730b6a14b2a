"""A turn, from the user's text to the recorded answer: the one road (docs/architecture.md)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from aircher.domain.budget import CapState
from aircher.domain.chat import ChatRequest
from aircher.domain.errors import AircherError, ContextTooLong, NoModel, UsageError
from aircher.domain.events import (
    Compacted,
    Detected,
    Event,
    Failed,
    Notice,
    Routed,
    TurnResult,
)
from aircher.domain.messages import Message, user
from aircher.domain.models import ModelRef
from aircher.domain.routes import Candidate, Plan, Wish
from aircher.domain.sessions import StoredMessage
from aircher.domain.settings import Consent as ConsentWord
from aircher.domain.tasks import Detection, Signals
from aircher.domain.turns import Preview, TurnRequest
from aircher.engine.chain import Chain
from aircher.engine.compaction import Compaction
from aircher.engine.consent import Asked, Consent
from aircher.engine.conversation import as_prompt
from aircher.engine.errand import Errand
from aircher.engine.fitting import Fitting
from aircher.engine.guard import Guard
from aircher.engine.learning import Learning
from aircher.engine.ports import EnginePorts
from aircher.engine.routing import Look, Routing
from aircher.engine.spending import Spending
from aircher.engine.staying import kept_here
from aircher.engine.totals import total
from aircher.engine.wait import Wait
from aircher.policy.account import account, packed
from aircher.policy.spend import caps


class Engine:
    """Runs turns.  One instance serves all sessions of a process."""

    def __init__(self, ports: EnginePorts) -> None:
        self._ports = ports
        self._wait = Wait(ports.clock)
        self._consent = Consent()
        self._routing = Routing(ports)
        self.learning = Learning(ports)

    async def turn(self, request: TurnRequest) -> AsyncGenerator[Event, None]:
        """The events of one turn, the last of them ``Finished`` or ``Failed``.

        Closing the generator, or cancelling the task that reads it, stops the turn: what came
        is kept, and its cost recorded.  No exception of ours leaves.
        """
        errand = replace(
            self._errand(request.session_id, request.wish.task),
            keep=request.keep,
            asked=self._consent.asking(request.answers),
        )
        asked = user(request.text, *request.attachments)
        try:
            stored = self._stored(request.session_id)
            request, private = kept_here(request, stored, self._ports.settings.privacy)
            errand = replace(errand, local=request.wish.local)
            look = await self._routing.look(request, stored)
            detection = look.detection
            errand = replace(errand, task=detection.task, evidence=_why(detection))
            yield Detected(detection, look.signals)
            if private:
                yield Notice(f"{private} matches privacy.local_only: this stays on this machine.")
            row = None
            if request.keep:
                # The question is on disk before anything is tried with it.
                row = self._store(request, asked, errand)
                errand = replace(errand, session_id=row.session_id)
            async with aclosing(self._answer(request, errand, asked, row, stored, look)) as events:
                async for event in events:
                    yield event
        except AircherError as error:
            yield Failed(error, self._so_far(errand))

    async def _answer(
        self,
        request: TurnRequest,
        errand: Errand,
        asked: Message,
        row: StoredMessage | None,
        stored: Sequence[StoredMessage],
        look: Look,
    ) -> AsyncGenerator[Event, None]:
        ports = self._ports
        fitting = Fitting(ports, self._routing, request, errand, asked, look, row)
        async with aclosing(fitting.events(stored)) as events:
            async for event in events:
                yield event
        route, stored = fitting.route, fitting.stored
        spending = self._spending(request, stored, asked, look)
        clock = asyncio.get_running_loop()
        began = clock.time()
        adapting = spending.events(
            route,
            lambda: self._consent.asking(request.answers),
            chosen=_chosen(request),
            consent=self._word(request, errand.task),
        )
        async with aclosing(adapting) as events:
            async for event in events:
                if isinstance(event, Routed) and row is not None:
                    made = Preview(look.detection, event.plan, look.signals, request.wish.local)
                    kept = packed(account(made, ports.settings.rules))
                    ports.sessions.set_account(row.id, kept)
                yield event
        route = spending.plan or route
        # The user may think for as long as they like.
        errand = replace(
            errand,
            deadline=errand.deadline + clock.time() - began,
            allowed_nano=spending.allowed_nano or errand.allowed_nano,
        )
        chain = Chain(
            ports,
            errand,
            self._wait,
            self._consent.asking(request.answers),
            fallback=request.wish.fallback,
            others=lambda: self._routing.others(request, stored, asked, look, route),
        )
        messages = (*as_prompt(stored), asked)
        async with aclosing(
            chain.events(route, lambda candidate: self._call(request, candidate, messages))
        ) as events:
            async for event in events:
                yield event

    async def compact(self, session_id: str, *, local: bool = False) -> AsyncGenerator[Event, None]:
        """Summarises a conversation because the user asks: ``Compacted``, or ``Failed``.

        The newest exchange stays as it is.  Nothing is deleted.  ``local``: by a model on this
        machine.
        """
        ports = self._ports
        stored = ports.sessions.messages(session_id)
        errand = self._errand(session_id, "summaries")
        try:
            asks = TurnRequest("", wish=Wish(task="summaries", local=local))
            wish, _ = kept_here(asks, stored, ports.settings.privacy)
            errand = replace(errand, local=wish.wish.local)
            look = await self._routing.look(wish, ())
            ref = self._routing.plan(wish, (), user(""), look).first.ref
            compaction = Compaction(ports, errand, ref, kept_share=0)
            nothing = UsageError("There is nothing to summarise in this conversation yet.")
            async with aclosing(compaction.events(stored[:-2], nothing)) as events:
                async for event in events:
                    yield event
            after = ports.catalog.count_text(ref, compaction.summary)
            made = compaction
            yield Compacted(made.covered, made.before, after, made.summary, made.cost)
        except AircherError as error:
            yield Failed(error, self._so_far(errand))

    async def detect(self, request: TurnRequest) -> Detection:
        """What ``turn`` would take the request for; no call, nothing kept."""
        return (await self._routing.look(request, self._stored(request.session_id))).detection

    async def preview(self, request: TurnRequest) -> Preview:
        """What ``turn`` would do, without a call: task, candidates, estimated cost.

        Raises ``NoModel`` or ``ContextTooLong`` like a turn would end with.
        """
        stored = self._stored(request.session_id)
        request, _ = kept_here(request, stored, self._ports.settings.privacy)
        look = await self._routing.look(request, stored)
        asked = user(request.text, *request.attachments)
        plan = self._routing.plan(request, stored, asked, look)
        spending = self._spending(request, stored, asked, look)
        consent = self._word(request, plan.task)
        plan = spending.adapt(plan, chosen=_chosen(request), consent=consent)
        return Preview(look.detection, plan, look.signals, request.wish.local)

    def weigh(self, signals: Signals, wish: Wish) -> tuple[Detection, Plan | AircherError]:
        """Task and plan for given signals: no call, no IO, nothing but these values is looked at.

        Where no model can take it, the error says why.
        """
        return self._routing.weigh(signals, wish)

    def budget(self) -> Sequence[CapState]:
        """Every configured day and month limit with what is spent under it now."""
        return self._ports.ledger.state(caps(self._ports.settings.limits, self._ports.clock.now()))

    def _spending(
        self,
        request: TurnRequest,
        stored: Sequence[StoredMessage],
        asked: Message,
        look: Look,
    ) -> Spending:
        def consider(ref: ModelRef) -> Candidate | None:
            wish = replace(request.wish, provider=ref.provider, model=ref.model, fallback=False)
            try:
                plan = self._routing.plan(replace(request, wish=wish), stored, asked, look)
            except (NoModel, ContextTooLong):
                return None
            return plan.first

        return Spending(self._ports, consider)

    def _word(self, request: TurnRequest, task: str) -> ConsentWord:
        """The user's word on another model taking over, for this request and this task."""
        settings = self._ports.settings.fallback
        return settings.consent_for(task) if request.wish.fallback else "never"

    def skip_wait(self) -> None:
        """Ends the present wait: before a retry, or for a call's turn."""
        self._wait.skip()
        self._ports.gate.skip()

    @property
    def guard(self) -> Guard:
        """What every request passes."""
        return self._ports.guard

    def asking(self) -> Asked:
        """What a question outside a turn is asked with; ``answer`` answers it too."""
        return self._consent.asking({})

    def answer(self, question_id: int, *, yes: bool) -> None:
        """The user's answer to the question of an ``Asking`` event."""
        self._consent.answer(question_id, yes=yes)

    def _errand(self, session_id: str, task: str) -> Errand:
        deadline = asyncio.get_running_loop().time() + self._ports.settings.retry.deadline_s
        return Errand(session_id, task, "", self._ports.clock.monotonic(), deadline)

    def _so_far(self, errand: Errand) -> TurnResult:
        """The result of a turn that ended before, or without, an answer."""
        return TurnResult(
            errand.session_id,
            errand.task,
            None,
            cost=total(errand.attempts),
            attempts=tuple(errand.attempts),
            duration_s=self._ports.clock.monotonic() - errand.started,
        )

    def _store(self, request: TurnRequest, asked: Message, errand: Errand) -> StoredMessage:
        sessions = self._ports.sessions
        session_id = request.session_id
        if not session_id:
            session_id = sessions.create(project=self._ports.workspace.root).id
        return sessions.add(session_id, asked, task=errand.task, evidence=errand.evidence)

    def _stored(self, session_id: str) -> Sequence[StoredMessage]:
        return self._ports.sessions.messages(session_id) if session_id else ()

    def _call(
        self, request: TurnRequest, candidate: Candidate, messages: tuple[Message, ...]
    ) -> ChatRequest:
        calls = self._ports.settings.calls_to(candidate.ref.provider)
        room = candidate.estimate.max_output if candidate.estimate else calls.max_output
        return ChatRequest(
            model=candidate.ref.model,
            messages=messages,
            system=self._routing.system(request),
            max_output=room,
            temperature=calls.temperature,
            tools=request.tools,
            json_schema=request.json_schema,
            thinking=request.thinking or calls.thinking,
            stream=calls.stream,
        )


def _chosen(request: TurnRequest) -> bool:
    """True where the user named the model or provider for this very request."""
    return bool(request.wish.model or request.wish.provider)


def _why(detection: Detection) -> str:
    """The chosen task's evidence in words."""
    return "; ".join(
        f"{item.source}: {item.detail}"
        for item in detection.evidence
        if item.task == detection.task
    )
