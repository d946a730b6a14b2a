"""A terminal that only looks when a pressed key comes back as a character on the screen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from textual import events
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from textual.widget import Widget

SIZE = (120, 36)
KEY_EVERY = 0.05
KEYS = [chr(code) for code in range(0x100, 0x17F) if chr(code).isalpha()]
"""Letters that no document holds, so that one on the screen can only be an echo."""


class Terminal(HeadlessDriver):
    """Takes all output, as a real terminal would, and gives keys."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.written = 0
        self.delays: list[float] = []
        self._waiting: dict[str, float] = {}

    @property
    def is_headless(self) -> bool:
        """False: the app is to do all its work, escape sequences included."""
        return False

    def write(self, data: str) -> None:
        self.written += len(data)
        if self._waiting and not data.isascii():
            now = time.perf_counter()
            for key in [key for key in self._waiting if key in data]:
                self.delays.append(now - self._waiting.pop(key))

    async def press_keys(self) -> None:
        """Presses a key twenty times a second until cancelled, whether or not the loop is busy."""
        due = time.perf_counter()
        number = 0
        while True:
            due += KEY_EVERY
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if number and number % len(KEYS) == 0:  # a fresh line
                self._app.post_message(events.Key("ctrl+u", None))
            key = KEYS[number % len(KEYS)]
            number += 1
            self._waiting[key] = due
            self._app.post_message(events.Key(key, key))

    @contextmanager
    def typing(self) -> Iterator[None]:
        """Keys are pressed meanwhile."""
        typist = asyncio.create_task(self.press_keys())
        try:
            yield
        finally:
            typist.cancel()


def terminal_of(app: App[Any]) -> Terminal:
    """The terminal that a running ``app`` was given by ``driver_class``."""
    assert isinstance(app._driver, Terminal)
    return app._driver


@asynccontextmanager
async def shown(app: App[Any], focused: type[Widget]) -> AsyncIterator[Terminal]:
    """The app in such a terminal, its first widget of the class ``focused`` taking the keys."""
    app.driver_class = Terminal
    alive = asyncio.create_task(app.run_async(size=SIZE))
    while not app.is_running or not app.screen_stack or not app.screen.query(focused):
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)
    try:
        with app._context():
            app.query_one(focused).focus()
            yield terminal_of(app)
    finally:
        app.exit()
        await alive
