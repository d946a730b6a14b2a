"""The proposal of how to split a change into commits: one turn, checked, or rules alone."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from aircher.domain.commits import CommitAsk
from aircher.domain.errors import NoModel, SecretBlocked
from aircher.domain.events import Failed, Guarded, Notice
from aircher.domain.settings import Settings
from aircher.domain.splits import Grouped, GroupEvent
from aircher.domain.turns import TurnRequest
from aircher.engine.briefing import COMMAND, Briefing, Cleaner, OneTurn
from aircher.engine.totals import total
from aircher.engine.turn import Engine
from aircher.engine.written import no_result
from aircher.policy.commit.brief import Brief
from aircher.policy.commit.grouping import (
    MOST_UNITS,
    SCHEMA,
    SYSTEM,
    by_rules,
    read_groups,
    request,
)
from aircher.policy.commit.units import units_of

_CHARACTERS = 3
"""Of a token of code, at least: how many characters the allowed size of a diff makes."""


def grouped_by_rules(ask: CommitAsk) -> Grouped:
    """The proposal that needs no model."""
    return Grouped(by_rules(ask.changes, units_of(ask.changes)), "rules", total([]))


class Grouper:
    """Proposes how to split a change.  ``clean`` is the outbound guard."""

    def __init__(self, engine: Engine, settings: Settings, clean: Cleaner) -> None:
        self._engine = engine
        self._tiny = dict.fromkeys(settings.tiny, "too small to split a change")
        self._settings = settings.commit
        self._clean = clean

    async def group(self, ask: CommitAsk) -> AsyncGenerator[GroupEvent, None]:
        """The events of the turn, then ``Grouped``, or ``Failed`` where nothing may be sent.

        Where no model can be asked, or its answer is not each part exactly once, rules decide.
        """
        units = units_of(ask.changes)
        if len(units) < 2 or len(units) > MOST_UNITS:
            few = len(units) < 2
            notes = () if few else (f"{len(units):,} parts are too many to ask about; by rules",)
            yield Grouped(by_rules(ask.changes, units), "rules", total([]), notes)
            return
        briefing = Briefing(self._engine, self._settings, self._clean, self._tiny)
        try:
            async with aclosing(briefing.events(ask)) as questions:
                async for question in questions:
                    yield question
        except SecretBlocked as blocked:
            yield Failed(blocked, no_result())
            return
        brief = briefing.brief
        if brief.findings:
            yield Guarded(brief.findings)
        turn = OneTurn(self._engine, self._request(brief))
        async with aclosing(turn.events()) as events:
            async for event in events:
                yield event
        failed, result = turn.failed, turn.result
        if failed is not None and not isinstance(failed, NoModel):
            yield Failed(failed, result)
            return
        cost = total(result.attempts)
        try:
            groups = read_groups(result.text, ask.changes, units)
        except ValueError as error:
            why = (
                "no model could be asked" if failed else f"the model's answer is of no use: {error}"
            )
            yield Notice(f"{why}; split by rules")
            yield Grouped(by_rules(ask.changes, units), "rules", cost)
        else:
            yield Grouped(groups, "model", cost)

    def _request(self, brief: Brief) -> TurnRequest:
        ask = brief.ask
        room = self._settings.max_diff_tokens * _CHARACTERS
        return TurnRequest(
            text=request(brief.shown, units_of(ask.changes), ask.hint, room),
            wish=replace(ask.wish, barred={**ask.wish.barred, **self._tiny}),
            command=COMMAND,
            system=SYSTEM,
            sample=ask.hint,
            files=ask.changes.paths,
            json_schema=SCHEMA,
            keep=False,
        )
