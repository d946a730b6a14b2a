"""A question inside a turn waits for its answer, once, and can be answered beforehand."""

from __future__ import annotations

import asyncio

from aircher.domain.events import Asking
from aircher.engine.consent import Asked, Consent


async def _ask(asked: Asked) -> list[Asking]:
    return [event async for event in asked.events("cost", "Go on?")]


async def test_the_turn_waits_until_the_user_has_answered() -> None:
    for answer in (True, False):
        consent = Consent()
        asked = consent.asking({})
        events = asked.events("cost", "Go on?")
        event = await anext(events)
        following = asyncio.ensure_future(anext(events, None))
        await asyncio.sleep(0.01)
        assert not following.done()
        consent.answer(event.question.id + 1, yes=not answer)
        consent.answer(event.question.id, yes=answer)
        consent.answer(event.question.id, yes=not answer)
        assert await following is None
        assert asked.yes is answer


async def test_an_answer_given_as_soon_as_the_question_is_seen_counts() -> None:
    consent = Consent()
    asked = consent.asking({})
    async for event in asked.events("cost", "Go on?"):
        consent.answer(event.question.id, yes=True)
    assert asked.yes


async def test_what_was_answered_beforehand_is_not_asked() -> None:
    asked = Consent().asking({"cost": True})
    assert await _ask(asked) == []
    assert asked.yes


async def test_a_turn_that_is_stopped_leaves_no_open_question() -> None:
    consent = Consent()
    events = consent.asking({}).events("cost", "Go on?")
    event = await anext(events)
    await events.aclose()
    await asyncio.sleep(0)
    consent.answer(event.question.id, yes=True)
    assert consent._open == {}
