"""Questions to the user and their answers, inside a turn.

A turn yields ``Asking`` and then waits here; the front end answers through
``Engine.answer``.  What the request answered beforehand (a flag such as --yes, or the fact that
nobody is there) is not asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from itertools import count

from aircher.domain.events import Asking
from aircher.domain.questions import Question, QuestionKind


class Consent:
    """The open questions of all turns of an engine."""

    def __init__(self) -> None:
        self._ids = count(1)
        self._open: dict[int, asyncio.Future[bool]] = {}

    def answer(self, question_id: int, *, yes: bool) -> None:
        """The user's word.  One that comes late, or twice, changes nothing."""
        waiting = self._open.get(question_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(yes)

    def asking(self, answers: Mapping[QuestionKind, bool]) -> Asked:
        """One turn's view: ``answers`` holds what was said beforehand, by kind."""
        return Asked(self, answers)

    def next_id(self) -> int:
        """A number no other question of this process has."""
        return next(self._ids)

    async def wait(self, question_id: int) -> bool:
        """The answer, whenever it comes."""
        self._open[question_id] = asyncio.get_running_loop().create_future()
        try:
            return await self._open[question_id]
        finally:
            del self._open[question_id]


class Asked:
    """Asks in one turn.  After ``events`` has ended, ``yes`` is the answer."""

    def __init__(self, consent: Consent, answers: Mapping[QuestionKind, bool]) -> None:
        self._consent = consent
        self._answers = answers
        self.yes = False

    async def events(
        self,
        kind: QuestionKind,
        text: str,
        *,
        detail: str = "",
        yes: str = "Yes",
        no: str = "No",
    ) -> AsyncGenerator[Asking, None]:
        """``Asking``, unless it was answered beforehand; then waits for the answer."""
        if kind in self._answers:
            self.yes = self._answers[kind]
            return
        number = self._consent.next_id()
        waiting = asyncio.ensure_future(self._consent.wait(number))
        await asyncio.sleep(0)  # it must be open before the front end can answer
        try:
            yield Asking(Question(number, kind, text, detail, yes, no))
            self.yes = await waiting
        finally:
            waiting.cancel()
