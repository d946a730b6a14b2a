"""A turn, from the user's text to the recorded answer: the one road (docs/architecture.md)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from aircher.domain.budget import CapState
from aircher.domain.chat import ChatRequest
from aircher.domain.errors import AircherError, ContextTooLong, UsageError
from aircher.domain.events import Compacted, Detected, Event, Failed, Routed, TurnResult
from aircher.domain.messages import Message, Text, user
from aircher.domain.models import ModelRef
from aircher.domain.routes import Candidate, Estimate, Plan, Wish
from aircher.domain.sessions import StoredMessage
from aircher.domain.tasks import Detection, Evidence, Signals
from aircher.domain.turns import Preview, TurnRequest
from aircher.engine.chain import Chain, total
from aircher.engine.compaction import Compaction
from aircher.engine.consent import Consent
from aircher.engine.conversation import as_prompt, last_task, user_texts
from aircher.engine.leg import Errand
from aircher.engine.ports import EnginePorts
from aircher.engine.wait import Wait
from aircher.policy.detect import detect
from aircher.policy.estimate import estimate
from aircher.policy.route import Situation, plan
from aircher.policy.spend import caps


class Engine:
    """Runs turns.  One instance serves all sessions of a process."""

    def __init__(self, ports: EnginePorts) -> None:
        self._ports = ports
        self._wait = Wait(ports.clock)
        self._consent = Consent()
        self._sizes: dict[tuple[str, int, ModelRef], tuple[int, bool]] = {}

    async def turn(self, request: TurnRequest) -> AsyncGenerator[Event, None]:
        """The events of one turn, the last of them ``Finished`` or ``Failed``.

        Closing the generator, or cancelling the task that reads it, stops the turn: what came
        is kept, and its cost recorded.  No exception of ours leaves.
        """
        errand = self._errand(request.session_id, request.wish.task)
        session_id = request.session_id
        try:
            stored = self._stored(session_id)
            detection = await self._detect(request, stored)
            errand = replace(errand, task=detection.task, evidence=_why(detection))
            yield Detected(detection)
            # The question is on disk before anything is tried with it.
            if not session_id:
                session_id = self._ports.sessions.create(project=self._ports.workspace.root).id
            asked = user(request.text, *request.attachments)
            errand = replace(errand, session_id=session_id)
            row = self._ports.sessions.add(
                session_id, asked, task=errand.task, evidence=errand.evidence
            )
            async with aclosing(self._answer(request, errand, row, stored, detection)) as events:
                async for event in events:
                    yield event
        except AircherError as error:
            yield Failed(error, self._so_far(errand))

    async def _answer(
        self,
        request: TurnRequest,
        errand: Errand,
        row: StoredMessage,
        stored: Sequence[StoredMessage],
        detection: Detection,
    ) -> AsyncGenerator[Event, None]:
        ports = self._ports
        asked = row.message
        try:
            route = self._route(request, stored, asked, detection)
        except ContextTooLong as error:
            compaction = Compaction(ports, errand, ModelRef(error.provider, error.model))
            async with aclosing(compaction.events(stored, error)) as events:
                async for event in events:
                    yield event
            stored = [m for m in ports.sessions.messages(row.session_id) if m.id != row.id]
            route = self._route(request, stored, asked, detection)
            after = route.first.estimate.prompt if route.first.estimate else 0
            yield Compacted(compaction.covered, compaction.before, after, compaction.summary)
        yield Routed(route)
        chain = Chain(ports, errand, self._wait, fallback=request.wish.fallback)
        messages = (*as_prompt(stored), asked)
        async with aclosing(
            chain.events(route, lambda candidate: self._call(request, candidate, messages))
        ) as events:
            async for event in events:
                yield event

    async def compact(self, session_id: str) -> AsyncGenerator[Event, None]:
        """Summarises a conversation because the user asks: ``Compacted``, or ``Failed``.

        The newest exchange stays as it is.  Nothing is deleted.
        """
        ports = self._ports
        stored = ports.sessions.messages(session_id)
        errand = self._errand(session_id, "summaries")
        try:
            wish = TurnRequest("", wish=Wish(task="summaries"))
            detection = await self._detect(wish, ())
            ref = self._route(wish, (), user(""), detection).first.ref
            compaction = Compaction(ports, errand, ref, kept_share=0)
            nothing = UsageError("There is nothing to summarise in this conversation yet.")
            async with aclosing(compaction.events(stored[:-2], nothing)) as events:
                async for event in events:
                    yield event
            after = ports.catalog.count_text(ref, compaction.summary)
            yield Compacted(compaction.covered, compaction.before, after, compaction.summary)
        except AircherError as error:
            yield Failed(error, self._so_far(errand))

    async def preview(self, request: TurnRequest) -> Preview:
        """What ``turn`` would do, without a call: task, candidates, estimated cost.

        Raises ``NoModel`` or ``ContextTooLong`` like a turn would end with.
        """
        stored = self._stored(request.session_id)
        detection = await self._detect(request, stored)
        asked = user(request.text, *request.attachments)
        return Preview(detection, self._route(request, stored, asked, detection))

    def budget(self) -> Sequence[CapState]:
        """Every configured day and month limit with what is spent under it now."""
        return self._ports.ledger.state(caps(self._ports.settings.limits, self._ports.clock.now()))

    def skip_wait(self) -> None:
        """Ends the present wait before a retry."""
        self._wait.skip()

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

    def _stored(self, session_id: str) -> Sequence[StoredMessage]:
        return self._ports.sessions.messages(session_id) if session_id else ()

    async def _detect(self, request: TurnRequest, stored: Sequence[StoredMessage]) -> Detection:
        if request.wish.task:
            chosen = Evidence("user", "you chose this task", 1.0, request.wish.task)
            return Detection(request.wish.task, 1.0, (chosen,), {request.wish.task: 1.0})
        signals = Signals(
            text=request.text,
            history=user_texts(stored),
            previous_task=last_task(stored),
            command=request.command,
            files=request.files,
            git=await self._ports.workspace.git(),
        )
        return detect(signals, self._ports.patterns)

    def _route(
        self,
        request: TurnRequest,
        stored: Sequence[StoredMessage],
        asked: Message,
        detection: Detection,
    ) -> Plan:
        ports = self._ports
        estimates: dict[ModelRef, Estimate] = {}

        def estimated(ref: ModelRef) -> Estimate:
            if ref not in estimates:
                estimates[ref] = self._estimate(ref, request, stored, asked, detection.task)
            return estimates[ref]

        return plan(
            ports.settings.rules,
            Situation(
                task=detection.task,
                wish=request.wish,
                facts=ports.catalog.facts,
                estimate=estimated,
                blocked=ports.health.blocked(),
                needs=_needs(request),
            ),
        )

    def _estimate(
        self,
        ref: ModelRef,
        request: TurnRequest,
        stored: Sequence[StoredMessage],
        asked: Message,
        task: str,
    ) -> Estimate:
        ports = self._ports
        size, exact = self._history_size(ref, request, stored)
        added, added_exact = ports.catalog.count_tokens(ref, (asked,))
        at = ports.clock.now()
        return estimate(
            ports.catalog.facts(ref),
            size + added,
            task,
            request.max_output or ports.settings.calls_to(ref.provider).max_output,
            lambda tokens: ports.catalog.cost(ref, tokens, at),
            exact=exact and added_exact,
        )

    def _history_size(
        self, ref: ModelRef, request: TurnRequest, stored: Sequence[StoredMessage]
    ) -> tuple[int, bool]:
        """Tokens of all that came before; counted once per conversation state and model."""
        newest = max((message.id for message in stored), default=0)
        key = (request.session_id, newest, ref)
        if key not in self._sizes:
            if len(self._sizes) > 256:
                self._sizes.clear()
            counted = self._ports.catalog.count_tokens(
                ref, as_prompt(stored), self._system(request)
            )
            self._sizes[key] = counted
        return self._sizes[key]

    def _system(self, request: TurnRequest) -> str:
        return self._ports.settings.system if request.system is None else request.system

    def _call(
        self, request: TurnRequest, candidate: Candidate, messages: tuple[Message, ...]
    ) -> ChatRequest:
        calls = self._ports.settings.calls_to(candidate.ref.provider)
        room = candidate.estimate.max_output if candidate.estimate else calls.max_output
        return ChatRequest(
            model=candidate.ref.model,
            messages=messages,
            system=self._system(request),
            max_output=room,
            temperature=calls.temperature,
            tools=request.tools,
            thinking=request.thinking or calls.thinking,
            stream=calls.stream,
        )


def _needs(request: TurnRequest) -> frozenset[str]:
    """The features this very request requires of a model."""
    kinds = {type(part).__name__ for part in request.attachments if not isinstance(part, Text)}
    needs = set()
    if "Image" in kinds:
        needs.add("vision")
    if request.tools:
        needs.add("tools")
    return frozenset(needs)


def _why(detection: Detection) -> str:
    """The chosen task's evidence in words."""
    return "; ".join(
        f"{item.source}: {item.detail}"
        for item in detection.evidence
        if item.task == detection.task
    )
