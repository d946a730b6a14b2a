"""The writing of pull requests, changelog entries and branch names: one turn, or rules alone."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from aircher.domain.commits import CommitAsk, PastCommit
from aircher.domain.errors import MalformedReply, NoModel, SecretBlocked
from aircher.domain.events import Failed, Guarded, Notice
from aircher.domain.settings import Settings
from aircher.domain.texts import TextAsk, TextEvent, WrittenText
from aircher.domain.turns import TurnRequest
from aircher.engine.briefing import COMMAND, Briefing, Cleaner, OneTurn
from aircher.engine.totals import total
from aircher.engine.turn import Engine
from aircher.engine.written import no_result
from aircher.policy.commit import texts
from aircher.policy.commit.brief import Brief
from aircher.policy.commit.fit import fit
from aircher.policy.guard import Piece

_CHARACTERS = 3
"""Of a token of code, at least; a size within which every model's count stays."""


def text_by_rules(ask: TextAsk) -> WrittenText:
    """The text that needs no model."""
    made = texts.by_rules(ask)
    return WrittenText(ask.kind, made.title, made.body, "rules", cost=total([]))


class TextWriter:
    """Writes texts about changes.  ``clean`` is the outbound guard."""

    def __init__(self, engine: Engine, settings: Settings, clean: Cleaner) -> None:
        self._engine = engine
        self._tiny = dict.fromkeys(settings.tiny, "too small to write about changes")
        self._settings = settings.commit
        self._clean = clean

    async def write(self, ask: TextAsk) -> AsyncGenerator[TextEvent, None]:
        """The events of the turn, then ``WrittenText``, or ``Failed``.

        Where there is no model that can write, rules do, and a note says so.
        """
        as_commit = CommitAsk(ask.changes, ask.setting, ask.hint, wish=ask.wish)
        briefing = Briefing(self._engine, self._settings, self._clean, self._tiny)
        try:
            async with aclosing(briefing.events(as_commit)) as questions:
                async for question in questions:
                    yield question
        except SecretBlocked as blocked:
            yield Failed(blocked, no_result())
            return
        brief = briefing.brief
        if brief.findings:
            yield Guarded(brief.findings)
        turn = OneTurn(self._engine, self._request(ask, brief, briefing.clean))
        async with aclosing(turn.events()) as events:
            async for event in events:
                yield event
        failed, result = turn.failed, turn.result
        if isinstance(failed, NoModel):
            yield Notice(f"no model that can write was asked ({failed.message}); written by rules")
            yield text_by_rules(ask)
            return
        if failed is not None:
            yield Failed(failed, result)
            return
        evidence = "\n".join((brief.evidence, *(commit.message for commit in ask.commits)))
        try:
            made, notes = texts.read(result.text, ask, evidence)
        except ValueError as error:
            hint = "Try again, choose another model with -m, or use --offline."
            yield Failed(MalformedReply(f"The model wrote nothing: {error}.", hint=hint), result)
            return
        cost = total(result.attempts)
        yield WrittenText(ask.kind, made.title, made.body, "model", result.ref, cost, notes)

    def _request(self, ask: TextAsk, brief: Brief, clean: Cleaner) -> TurnRequest:
        fitted = fit(brief.shown, self._settings.max_diff_tokens, _size)
        shown = replace(ask, hint=brief.ask.hint, setting=brief.ask.setting)
        return TurnRequest(
            text=texts.request(shown, _cleaned(ask.commits, clean), fitted.text, fitted.cuts),
            wish=replace(ask.wish, barred={**ask.wish.barred, **self._tiny}),
            command=COMMAND,
            system=texts.system(ask.kind),
            sample=ask.hint,
            files=ask.changes.paths,
            json_schema=texts.SCHEMA,
            keep=False,
        )


def _cleaned(commits: Sequence[PastCommit], clean: Cleaner) -> list[PastCommit]:
    cleaned = clean([Piece("a commit message", commit.message) for commit in commits])
    pairs = zip(commits, cleaned.texts, strict=True)
    return [replace(commit, message=message) for commit, message in pairs]


def _size(text: str) -> int:
    return len(text) // _CHARACTERS + 1
