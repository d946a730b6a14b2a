"""The writing of a commit message: one or two turns on the one road, or rules alone.

What is sent is built by policy (policy/commit); the turns are the engine's own, so routing,
limits, retries, fallback and the ledger hold for them as for any other request.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from aircher.domain.changes import Changes
from aircher.domain.commits import (
    CommitAsk,
    CommitEvent,
    Payload,
    Prepared,
)
from aircher.domain.errors import (
    AircherError,
    InvalidRequest,
    MalformedReply,
    NoModel,
    NothingToDo,
)
from aircher.domain.events import Event, Failed, Finished, Guarded, Notice
from aircher.domain.ports import Catalog, Clock
from aircher.domain.routes import Candidate
from aircher.domain.settings import Settings
from aircher.domain.turns import TurnRequest
from aircher.domain.usage import Tokens, dollars
from aircher.engine.briefing import COMMAND, Briefing, Cleaner, let_pass
from aircher.engine.turn import Engine
from aircher.engine.written import Spent, by_rules, no_result, without_model
from aircher.policy.commit.brief import Brief, Checked, better, finished, why
from aircher.policy.commit.fit import Size, batches, fit, meaningful
from aircher.policy.commit.prompt import SUMMARISE

OUTPUT_ROOM = 1_024
"""Tokens left free for the answer where the model's window is small."""

LEAST_ROOM = 300
"""Tokens of a diff below which a message would be a guess."""

SUMMARY_TOKENS = 400
"""Room for the summary of one part of a large diff."""


class CommitWriter:
    """Writes commit messages with an engine.  ``clean`` is the outbound guard."""

    def __init__(
        self, engine: Engine, settings: Settings, catalog: Catalog, clock: Clock, clean: Cleaner
    ) -> None:
        self._engine = engine
        self._tiny = dict.fromkeys(settings.tiny, "too small to write commit messages")
        self._settings = settings.commit
        self._catalog = catalog
        self._clock = clock
        self._clean = clean

    async def write(self, ask: CommitAsk) -> AsyncGenerator[CommitEvent, None]:
        """The events of the turns it takes, then ``Written``, or ``Failed``.

        A merge, revert or cherry-pick keeps the message that git has prepared.  Where no model
        can write one, or none may be asked, rules do, and a note says so.
        """
        spent = Spent()
        if (given := without_model(ask)) is not None:
            yield given
            return
        briefing = Briefing(self._engine, self._settings, self._clean, self._tiny)
        if ask.offline:
            yield by_rules(await briefing.look(ask))
            return
        try:
            async with aclosing(briefing.events(ask)) as questions:
                async for question in questions:
                    yield question
            brief = briefing.brief
            candidate = await self._candidate(brief)
        except NoModel as error:
            note = f"no model that can write was asked ({error.message.rstrip('.')})"
            yield spent.written(
                briefing.brief.by_rules(ask.count), "rules", [f"{note}; written by rules"]
            )
            return
        except AircherError as error:
            yield Failed(error, no_result())
            return
        async with aclosing(self._ask(brief, candidate, spent)) as events:
            async for event in events:
                yield event

    async def prepare(self, ask: CommitAsk) -> Prepared:
        """What ``write`` would send, to whom, and its cost; nothing is sent.

        Raises ``NoModel`` where nobody could be asked, ``NothingToDo`` for no changes.
        """
        if not ask.changes:
            raise NothingToDo("There is nothing to describe.")
        brief = await Briefing(self._engine, self._settings, self._clean, self._tiny).look(ask)
        let_pass(brief)
        candidate = await self._candidate(brief)
        room, parts = self._plan(brief, candidate)
        payload = brief.payload(room, self._size(candidate))
        preview = await self._engine.preview(self._request(brief, payload))
        calls = len(parts) + 1 if parts else 1
        return Prepared(payload, preview.detection.task, preview.plan.first, calls)

    # -- in parts

    async def _ask(
        self, brief: Brief, candidate: Candidate, spent: Spent
    ) -> AsyncGenerator[CommitEvent, None]:
        room, parts = self._plan(brief, candidate)
        size = self._size(candidate)
        payload = brief.payload(room, size)
        if parts:
            yield Notice(self._told(brief, candidate, len(parts), room))
            summaries: list[str] = []
            for part in parts:
                text = fit(part, room, size).text
                request = self._request(brief, Payload(SUMMARISE, text), shaped=False)
                async with aclosing(
                    self._turn(replace(request, max_output=SUMMARY_TOKENS), spent)
                ) as turn:
                    async for event in turn:
                        yield event
                        if isinstance(event, Failed):
                            return
                summaries.append(spent.results[-1].text.strip())
            payload = brief.from_summaries(summaries, payload.cuts)
        for cut in payload.cuts:
            yield Notice(f"not sent: {cut}")
        if brief.findings:
            yield Guarded(brief.findings)
        async with aclosing(self._answered(brief, payload, spent)) as answered:
            async for told in answered:
                yield told

    async def _answered(
        self, brief: Brief, payload: Payload, spent: Spent
    ) -> AsyncGenerator[CommitEvent, None]:
        """The request, one more where its answer is not acceptable, and the messages made of both."""
        found: list[Checked] = []
        for attempt in (1, 2):
            request = payload if attempt == 1 else brief.repair(payload, found)
            failed: Failed | None = None
            async with aclosing(self._turn(self._request(brief, request), spent)) as turn:
                async for event in turn:
                    if isinstance(event, Failed):
                        failed = event
                    else:
                        yield event
            if failed is not None:
                if found:
                    break  # what came first is still better than nothing
                yield failed
                return
            found = better(found, brief.read(spent.results[-1].text))
            if any(one.fine for one in found):
                break
            if attempt == 1:
                yield Notice(f"asked again: {why(brief, found)}")
        if not found:
            hint = "Try again, choose another model with -m, or use --offline."
            error = MalformedReply("The model's answer holds no commit message.", hint=hint)
            yield Failed(error, spent.results[-1])
            return
        messages, notes = finished(brief, found)
        yield spent.written(messages[: brief.ask.count], "model", notes)

    async def _turn(self, request: TurnRequest, spent: Spent) -> AsyncGenerator[Event, None]:
        """One turn without its ``Finished``; a model that takes no schema is asked without one."""
        refused: Failed | None = None
        async with aclosing(self._engine.turn(request)) as events:
            async for event in events:
                match event:
                    case Finished(result):
                        spent.results.append(result)
                    case Failed(InvalidRequest(), result) if request.json_schema is not None:
                        spent.results.append(result)
                        refused = event
                    case Failed(_, result):
                        spent.results.append(result)
                        yield event
                    case _:
                        yield event
        if refused is not None:
            yield Notice(f"asked again without a schema: {refused.error.message}")
            async with aclosing(self._turn(replace(request, json_schema=None), spent)) as events:
                async for event in events:
                    yield event

    def _request(self, brief: Brief, payload: Payload, *, shaped: bool = True) -> TurnRequest:
        ask = brief.ask
        wish = replace(ask.wish, barred={**ask.wish.barred, **self._tiny})
        return TurnRequest(
            text=payload.text,
            wish=wish,
            command=COMMAND,
            system=payload.system,
            sample=ask.hint,
            files=ask.changes.paths,
            json_schema=brief.schema if shaped else None,
            keep=False,
        )

    async def _candidate(self, brief: Brief) -> Candidate:
        """The model that would be asked first; what is asked of it is not known yet."""
        look = Payload(brief.system, "\n".join(file.name for file in brief.shown.files[:20]))
        preview = await self._engine.preview(self._request(brief, look))
        return preview.plan.first

    def _plan(self, brief: Brief, candidate: Candidate) -> tuple[int, list[Changes]]:
        """Tokens for the diff in one request, and its parts where it is summarised first."""
        settings = self._settings
        size = self._size(candidate)
        window = self._catalog.facts(candidate.ref).context_window
        room = settings.max_diff_tokens
        if window is not None:
            around = size(brief.around)
            room = min(room, max(LEAST_ROOM, int((window - OUTPUT_ROOM - around) * 0.9)))
        whole = sum(meaningful(brief.shown, size).values())
        if whole <= settings.summarise_above or whole <= room:
            return room, []
        return room, batches(brief.shown, room, size, settings.summarise_calls)

    def _told(self, brief: Brief, candidate: Candidate, parts: int, room: int) -> str:
        """The estimate for a large diff, in words."""
        used = Tokens(input=room * parts, output=SUMMARY_TOKENS * parts)
        cost = self._catalog.cost(candidate.ref, used, self._clock.now()).nano_usd
        about = "price unknown" if cost is None else f"at most about {dollars(cost)}"
        whole = sum(meaningful(brief.shown, self._size(candidate)).values())
        return (
            f"large diff of about {whole:,} tokens: {candidate.ref} first summarises it in {parts} "
            f"parts ({about}; commit.summarise_calls = {self._settings.summarise_calls})"
        )

    def _size(self, candidate: Candidate) -> Size:
        return partial(self._catalog.count_text, candidate.ref)
