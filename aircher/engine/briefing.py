"""What commit messages, splits and texts about changes share: the run-up to a turn, and the turn.

Before a turn it is settled what of the changes may leave: what the guard forbids ends it, what it
wants asked is asked once, and the rest is taken out and told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

from aircher.domain.commits import CommitAsk, CommitSettings
from aircher.domain.errors import AircherError, ContextTooLong, NoModel, SecretBlocked
from aircher.domain.events import Asking, Event, Failed, Finished
from aircher.domain.guarding import Finding, in_words
from aircher.domain.models import ModelRef
from aircher.domain.turns import TurnRequest
from aircher.engine.turn import Engine
from aircher.engine.written import no_result
from aircher.policy.commit.brief import Brief, brief_of
from aircher.policy.guard import Cleaned, Piece

COMMAND = "commit"


class Cleaner(Protocol):
    """The outbound guard with the user's rules."""

    def __call__(self, pieces: Sequence[Piece]) -> Cleaned:
        """Texts in, the same without secrets out."""
        ...

    def let(self, allowed: Sequence[Finding]) -> Cleaner:
        """The same guard, which lets these through."""
        ...


class Briefing:
    """The run-up.  After ``events`` has ended, ``brief`` holds what may be sent.

    ``barred`` models are not asked, each for its reason.
    """

    def __init__(
        self,
        engine: Engine,
        settings: CommitSettings,
        clean: Cleaner,
        barred: Mapping[ModelRef, str],
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._barred = barred
        self._clean = clean
        self._brief: Brief | None = None

    @property
    def brief(self) -> Brief:
        """The brief.  Only once ``look`` was awaited."""
        assert self._brief is not None
        return self._brief

    @property
    def clean(self) -> Cleaner:
        """The guard, with what the user let through."""
        return self._clean

    async def look(self, ask: CommitAsk) -> Brief:
        """The brief as it is before anybody was asked."""
        self._brief = await asyncio.to_thread(brief_of, ask, self._settings, self._clean)
        return self._brief

    async def events(self, ask: CommitAsk) -> AsyncGenerator[Asking, None]:
        """Looks, and asks about what the user is to decide on.

        Raises ``SecretBlocked`` where something found forbids sending at all.
        """
        brief = await self.look(ask)
        let_pass(brief)
        wanted = [one for one in brief.findings if one.action == "ask"]
        if not wanted or not await self._leaves(ask):
            return
        guard = self._engine.guard
        async with aclosing(guard.ask(wanted, "the model", self._engine.asking())) as asking:
            async for question in asking:
                yield question
        if allowed := guard.allowed(wanted):
            self._clean = self._clean.let(allowed)
            await self.look(ask)

    async def _leaves(self, ask: CommitAsk) -> bool:
        """False where no model would get it, or one on this machine."""
        wish = replace(ask.wish, barred={**ask.wish.barred, **self._barred})
        request = TurnRequest("", wish=wish, command=COMMAND, files=ask.changes.paths)
        try:
            preview = await self._engine.preview(request)
        except (NoModel, ContextTooLong):
            return False
        return not self._engine.guard.on_this_machine(preview.plan.first.ref)


def let_pass(brief: Brief) -> None:
    """Raises ``SecretBlocked`` where something found forbids sending at all."""
    blocked = tuple(finding for finding in brief.findings if finding.action == "block")
    if blocked:
        raise SecretBlocked(
            f"Nothing was sent, because of what would leave: {in_words(blocked)}.",
            hint="Unstage it, allow it with `aircher guard allow`, or use --offline.",
        )


class OneTurn:
    """A turn of which only the end is wanted: ``result``, and ``failed``, the error if it failed."""

    def __init__(self, engine: Engine, request: TurnRequest) -> None:
        self._engine = engine
        self._request = request
        self.result = no_result()
        self.failed: AircherError | None = None

    async def events(self) -> AsyncGenerator[Event, None]:
        """All events but the last."""
        async with aclosing(self._engine.turn(self._request)) as events:
            async for event in events:
                match event:
                    case Finished(result):
                        self.result = result
                    case Failed(error, result):
                        self.failed, self.result = error, result
                    case _:
                        yield event
