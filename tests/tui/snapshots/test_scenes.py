"""Some scenes as pictures.  ``pytest tests/tui/snapshots --snapshot-update`` makes them anew.

The clock stands still, the cursor does not blink and nothing turns, so a scene is the same
each time.  They are compared only with the version of Textual that they were made with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import pytest

from aircher.domain import events as ev
from aircher.domain.errors import OverBudget, Overloaded
from aircher.domain.events import TurnResult
from aircher.domain.questions import Question
from aircher.domain.routes import Wish
from aircher.tui.app import AircherApp
from aircher.tui.screens.commit import CommitScreen
from tests.support import engine as fake
from tests.support.desk import FakeDesk
from tests.tui.app_fixture import until

MADE_WITH = "8.2.8"
pytestmark = pytest.mark.skipif(
    version("textual") != MADE_WITH, reason=f"the pictures were made with Textual {MADE_WITH}"
)

ANSWER = """The loop never ends because `head` does **not** consume its token:

```python
def parse(tokens):
    while tokens:
        yield head(tokens)
        tokens = tokens[1:]
```

1. take the head
2. drop it

| before | after |
|---|---|
| endless | 4 tokens |
"""

Act = Callable[[AircherApp, Any, Any], Awaitable[None]]


async def welcome(app: AircherApp, pilot: Any, services: Any) -> None:
    await pilot.pause()


async def typed(app: AircherApp, pilot: Any, services: Any) -> None:
    app.prompt.put("why does the parser loop? there is a bug in @src/parser.py")
    await until(lambda: app.chat.preview is not None)


async def answered(app: AircherApp, pilot: Any, services: Any) -> None:
    services.engine.scripts.append(fake.answer(ANSWER, ref=fake.SONNET, task="debugging"))
    app.submit("why does the parser loop?")
    await until(lambda: not app.chat.busy)


async def streaming(app: AircherApp, pilot: Any, services: Any) -> None:
    steps = fake.answer(ANSWER[:90], ref=fake.SONNET, task="debugging")
    services.engine.scripts.append([*steps[:4], asyncio.Event()])
    app.submit("why does the parser loop?")
    await until(lambda: "waiting for" in app.status.view.activity)


async def fallback(app: AircherApp, pilot: Any, services: Any) -> None:
    services.engine.scripts.append(
        [
            *fake.answer("The loop never ends:\n\n```python\nwhile tokens:\n")[:5],
            ev.FallingBack(
                fake.MINI, fake.SONNET, Overloaded("It has no capacity now."), 46, continues=True
            ),
            *fake.answer("    yield head(tokens)\n```\n\nNothing is taken.", ref=fake.SONNET)[2:],
        ]
    )
    app.submit("why does the parser loop?")
    await until(lambda: not app.chat.busy)


async def asked(app: AircherApp, pilot: Any, services: Any) -> None:
    steps = fake.answer("The loop never ends because `head`")
    question = Question(
        1,
        "fallback",
        "Ask claude/claude-sonnet-4-5 instead?",
        "openai/gpt-5-mini: It has no capacity now.\nIt costs about $0.0018, at most $0.031.",
        "Ask claude/claude-sonnet-4-5",
        "Stop here",
    )
    services.engine.scripts.append([*steps[:5], ev.Asking(question), asyncio.Event()])
    app.submit("why does the parser loop?")
    await until(lambda: app.home.query("#question-keys"))


async def failed(app: AircherApp, pilot: Any, services: Any) -> None:
    error = OverBudget(
        "This could cost $2.00, and $0.40 of today's limit is left.",
        hint="Raise costs.daily_limit, or press F2 for another model.",
    )
    services.engine.scripts.append([ev.Failed(error, TurnResult("s-new", "default", None))])
    app.submit("translate the whole book")
    await until(lambda: not app.chat.busy)


async def commands(app: AircherApp, pilot: Any, services: Any) -> None:
    await answered(app, pilot, services)
    await pilot.press("slash", "c")


async def chosen(app: AircherApp, pilot: Any, services: Any) -> None:
    await pilot.press("f2")


async def explained(app: AircherApp, pilot: Any, services: Any) -> None:
    await typed(app, pilot, services)
    await pilot.press("f9")


async def committing(app: AircherApp, pilot: Any, services: Any) -> None:
    app.push_screen(CommitScreen(FakeDesk(), "", Wish()))
    await until(lambda: isinstance(app.screen, CommitScreen) and app.screen.ready)


async def choosing(app: AircherApp, pilot: Any, services: Any) -> None:
    await committing(app, pilot, services)
    await pilot.press("n")
    await until(lambda: app.screen.ready)  # type: ignore[attr-defined]
    await pilot.press("right")


def keys(*names: str) -> Act:
    async def press(app: AircherApp, pilot: Any, services: Any) -> None:
        await pilot.press(*names)

    return press


SCENES: dict[str, tuple[Act, tuple[int, int], str]] = {
    "welcome": (welcome, (120, 36), "aircher-dark"),
    "welcome_small": (welcome, (80, 24), "aircher-dark"),
    "typed": (typed, (120, 36), "aircher-dark"),
    "typed_small_light": (typed, (80, 24), "aircher-light"),
    "answered": (answered, (120, 36), "aircher-dark"),
    "answered_light": (answered, (120, 36), "sandstone"),
    "waiting": (streaming, (80, 24), "fjord"),
    "fallback": (fallback, (120, 36), "colour-blind"),
    "asked": (asked, (120, 36), "aircher-dark"),
    "asked_small": (asked, (80, 24), "aircher-light"),
    "failed": (failed, (80, 24), "high-contrast"),
    "commands": (commands, (80, 24), "aircher-dark"),
    "chosen": (chosen, (50, 18), "aircher-dark"),
    "sessions": (keys("ctrl+r"), (120, 36), "aircher-dark"),
    "providers": (keys("f4"), (80, 24), "aircher-light"),
    "costs": (keys("f5"), (80, 24), "aircher-dark"),
    "why": (explained, (80, 24), "aircher-dark"),
    "palette": (keys("ctrl+p"), (80, 24), "aircher-light"),
    "commit": (committing, (120, 36), "aircher-dark"),
    "commit_small": (committing, (80, 24), "aircher-dark"),
    "commit_several_small_light": (choosing, (80, 24), "aircher-light"),
    "help": (keys("f1"), (120, 36), "aircher-dark"),
}


async def _at_rest(app: AircherApp, pilot: Any) -> None:
    """Waits until the picture stays the same: a busy machine draws fewer frames."""
    pictures: list[str] = []
    for _ in range(60):
        await pilot.pause(0.15)
        pictures.append(app.export_screenshot())
        if len(set(pictures[-3:])) == 1 and len(pictures) >= 3:
            return


@pytest.mark.parametrize("name", SCENES)
def test_scene(name: str, snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    act, size, theme = SCENES[name]
    monkeypatch.setattr("aircher.tui.widgets.status.SPINNER", "*")
    services = fake.services(fake.settings(ui={"theme": theme}))
    services.sessions.put("s1", "Why the parser loops", timedelta(days=1, hours=2), "q", ANSWER)
    services.sessions.put("s2", "Rename the lexer", timedelta(hours=2), "rename it", "Done.")
    services.sessions.put("s3", "Notes for the release", timedelta(days=9), "write", "ok")
    app = AircherApp(lambda: services)

    async def run(pilot: Any) -> None:
        await until(lambda: app.services is not None)
        app.prompt.cursor_blink = False
        await pilot.pause()
        app.clear_notifications()
        await act(app, pilot, services)
        await _at_rest(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=run)
