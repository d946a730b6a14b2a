"""What the first frame waits for, and that everything works before and behind it."""

from __future__ import annotations

import subprocess
import sys

from aircher.tui.app import AircherApp
from tests.support import engine as fake
from tests.tui.app_fixture import type_text, until

FIRST_FRAME = """
import sys
from aircher.tui.app import AircherApp
AircherApp._open = lambda self: self.exit(0)
AircherApp(lambda: None).run(headless=True, size=(120, 36))
print(*sorted(name for name in sys.modules if not name.startswith(("textual", "rich"))))
"""

TOO_EARLY = {
    "aircher.bootstrap",
    "aircher.engine",
    "aircher.providers",
    "aircher.storage",
    "aircher.config",
    "aircher.catalog",
    "aircher.domain.chat",
    "aircher.domain.ports",
    "aircher.domain.messages",
    "aircher.tui.widgets.transcript",
    "markdown_it",
    "pygments",
    "sqlite3",
    "httpx",
    "httpx2",
}


def test_the_first_frame_needs_no_engine_and_no_markdown():
    done = subprocess.run(
        [sys.executable, "-c", FIRST_FRAME], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "aircher.tui.app" in loaded
    assert not loaded & TOO_EARLY


async def test_keys_pressed_before_the_services_are_open_are_kept():
    services = fake.services()
    app = AircherApp(lambda: services)
    opened = app._open
    app._open = lambda: None
    async with app.run_test(size=(120, 36)) as pilot:
        await type_text(pilot, "/he")
        await pilot.press("tab", "ctrl+t", "ctrl+t", "escape", "ctrl+u")
        await type_text(pilot, "hello")
        await pilot.press("enter")
        await pilot.pause()
        assert app.chat.queued == ["hello"]
        opened()
        await until(lambda: services.engine.requests and not app.chat.busy)
        assert services.engine.requests[0].text == "hello"
        assert app.home.query_one("#sidebar").display
        await type_text(pilot, "/he")
        await until(lambda: app.prompt.completion.open)
