"""A turn's questions: a bar over the prompt, answered by one key, never by accident."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from aircher.domain import events as ev
from aircher.domain.questions import Question
from aircher.tui.app import AircherApp
from aircher.tui.widgets import question as bar
from tests.support import engine as fake
from tests.tui.app_fixture import chat, line_text, say, shown, until

SWITCH = Question(
    7, "fallback", "Ask claude instead?", "openai: no capacity now.", "Ask claude", "Stop here"
)


@pytest.fixture(autouse=True)
def _read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bar, "GRACE_S", 0.0)


def steps(gate: asyncio.Event, *questions: Question) -> list[Any]:
    rest: Sequence[Any] = fake.answer("the answer")
    return [*rest[:2], *(ev.Asking(one) for one in questions), gate, *rest[2:]]


def asked(app: AircherApp) -> str:
    return "\n".join(
        str(widget.render()) for widget in app.home.query("#question > Static").results()
    )


async def test_a_question_says_what_and_by_which_keys_and_yes_reaches_the_engine():
    async with chat() as (app, pilot, services):
        gate = asyncio.Event()
        services.engine.scripts.append(steps(gate, SWITCH))
        await say(app, pilot, "go")
        await until(lambda: "Ask claude instead?" in asked(app))
        assert "openai: no capacity now." in asked(app)
        assert "y Ask claude   n or Esc Stop here" in asked(app)
        assert line_text(app, "#keys").startswith("y yes   n no   Esc no   ^C stop the answer")
        await pilot.press("y")
        await until(lambda: services.engine.answers)
        assert services.engine.answers == [(7, True)]
        gate.set()
        await until(lambda: not app.chat.busy)
        assert not app.home.query("#question")
        assert app.focused is app.prompt
        assert "Ask claude instead? Ask claude." in shown(app)
        assert "the answer" in shown(app)


@pytest.mark.parametrize("key", ["n", "escape"])
async def test_n_and_escape_say_no_and_do_not_stop_the_turn(key: str):
    async with chat() as (app, pilot, services):
        gate = asyncio.Event()
        services.engine.scripts.append(steps(gate, SWITCH))
        await say(app, pilot, "go")
        await until(lambda: app.home.query("#question-text"))
        await pilot.press(key)
        await until(lambda: services.engine.answers == [(7, False)])
        assert services.engine.closed == 0
        gate.set()
        await until(lambda: not app.chat.busy)


async def test_several_questions_come_one_after_the_other():
    async with chat() as (app, pilot, services):
        gate = asyncio.Event()
        second = Question(8, "cost", "It may cost $2. Go on?")
        services.engine.scripts.append(steps(gate, SWITCH, second))
        await say(app, pilot, "go")
        await until(lambda: "Ask claude instead?" in asked(app))
        await pilot.press("n")
        await until(lambda: "It may cost $2. Go on?" in asked(app))
        await pilot.press("y")
        await until(lambda: services.engine.answers == [(7, False), (8, True)])
        gate.set()
        await until(lambda: not app.chat.busy)


async def test_what_was_being_typed_when_the_question_came_answers_nothing(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(bar, "GRACE_S", 3600.0)
    async with chat() as (app, pilot, services):
        gate = asyncio.Event()
        services.engine.scripts.append(steps(gate, SWITCH))
        await say(app, pilot, "go")
        await until(lambda: app.home.query("#question-text"))
        await pilot.press("y", "n")
        await until(lambda: app.prompt.text == "yn")
        assert services.engine.answers == []
        gate.set()
        await until(lambda: not app.chat.busy)


async def test_a_turn_that_ends_takes_its_question_along():
    async with chat() as (app, pilot, services):
        services.engine.scripts.append(steps(asyncio.Event(), SWITCH))
        await say(app, pilot, "go")
        await until(lambda: app.home.query("#question-text"))
        app.stop_reply()
        await until(lambda: not app.chat.busy and not app.home.query("#question"))
        assert app.focused is app.prompt
        assert services.engine.answers == []


async def test_the_keys_can_be_changed():
    services = fake.services(fake.settings(ui={"keys": {"question.yes": "j"}}))
    async with chat(services=services) as (app, pilot, _):
        gate = asyncio.Event()
        services.engine.scripts.append(steps(gate, SWITCH))
        await say(app, pilot, "go")
        await until(lambda: "j Ask claude" in asked(app))
        await pilot.press("y", "j")
        await until(lambda: services.engine.answers == [(7, True)])
        gate.set()
        await until(lambda: not app.chat.busy)


async def test_a_cheaper_model_is_asked_about_before_any_model_is_chosen():
    cheaper = Question(
        3, "downgrade", "Ask openai/mini instead of openai/big, which is near a limit?",
        "openai/big: 91% of costs.daily_limit is spent.", "Ask openai/mini", "Keep openai/big",
    )  # fmt: skip
    async with chat() as (app, pilot, services):
        gate = asyncio.Event()
        rest: Sequence[Any] = fake.answer("the answer")
        services.engine.scripts.append([rest[0], ev.Asking(cheaper), gate, *rest[1:]])
        await say(app, pilot, "go")
        await until(lambda: "near a limit?" in asked(app))
        assert "91% of costs.daily_limit is spent." in asked(app)
        assert "n or Esc Keep openai/big" in asked(app)
        await pilot.press("n")
        await until(lambda: services.engine.answers == [(3, False)])
        gate.set()
        await until(lambda: not app.chat.busy)
        assert "the answer" in shown(app)
