"""Opens the real app over fake services, for one test at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from textual.pilot import Pilot

from aircher.tui.app import AircherApp
from tests.support import engine as fake

Chat = tuple[AircherApp, Pilot[int], Any]


@asynccontextmanager
async def chat(
    size: tuple[int, int] = (120, 36), services: Any = None, **more: Any
) -> AsyncIterator[Chat]:
    """The running app, its pilot, and the fakes behind it."""
    given = services or fake.services()
    app = AircherApp(lambda: given, **more)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await until(lambda: app.services is not None)
        await pilot.pause()
        yield app, pilot, given


async def until(condition: Callable[[], Any], seconds: float = 5.0) -> None:
    """Waits for something to become true; fails by name otherwise."""
    end = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < end, "it did not happen in time"
        await asyncio.sleep(0.01)


async def type_text(pilot: Pilot[int], text: str) -> None:
    """Types as a person would, key by key."""
    names = {"@": "at", "/": "slash", " ": "space", ".": "full_stop", "?": "question_mark"}
    await pilot.press(*(names.get(letter, letter) for letter in text))


async def say(app: AircherApp, pilot: Pilot[int], text: str) -> None:
    """Puts a text into the prompt and sends it."""
    app.prompt.put(text)
    await pilot.pause()
    await pilot.press("enter")
    await pilot.pause()


def shown(app: AircherApp) -> str:
    """The conversation's source texts, one message per paragraph."""
    texts = []
    for key in range(1, 200):
        with suppress(KeyError):
            texts.append(app.transcript.source(key))
    return "\n\n".join(texts)


def line_text(app: AircherApp, selector: str) -> str:
    """What a one-line widget shows, as plain text."""
    return str(app.screen_stack[0].query_one(selector).render())
