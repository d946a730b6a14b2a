"""Corrections through the engine."""

from __future__ import annotations

import pytest

from aircher.domain.errors import UsageError
from aircher.domain.events import Detected
from tests.engine.conftest import Build
from tests.support.chat import ScriptedProvider, answer


async def test_a_corrected_request_keeps_its_task_in_what_follows(build: Build) -> None:
    bench = build(ScriptedProvider("a", [answer("ok")]))
    events = await bench.turn("the garden in spring")
    session = events[-1].result.session_id  # type: ignore[union-attr] - a finished turn
    made = bench.engine.learning.correct(session, "documentation")
    assert made.task == "documentation"
    assert [one.text for one in bench.database.corrections.all()] == ["the garden in spring"]
    events = await bench.turn("the second one", session_id=session)
    detected = next(event for event in events if isinstance(event, Detected))
    assert detected.detection.task == "documentation"


def test_nothing_to_correct_and_no_such_task_are_said(build: Build) -> None:
    bench = build(ScriptedProvider("a", [answer("ok")]))
    session = bench.database.sessions.create().id
    with pytest.raises(UsageError, match="no request"):
        bench.engine.learning.correct(session, "debugging")
    with pytest.raises(UsageError, match="no task"):
        bench.engine.learning.correct(session, "debuging")
