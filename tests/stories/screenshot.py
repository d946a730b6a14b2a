"""Makes docs/screenshot.svg from the running program: ``python -m tests.stories.screenshot``.

The app, the engine, the routing, the prices and the database are the real ones; only what the
three providers answer, the spending of the weeks before, and the clock are prepared, so that the
picture is the same each time.  Nothing outside this machine is asked.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from textual.pilot import Pilot

from aircher.bootstrap import compose
from aircher.domain.models import ModelRef
from aircher.domain.usage import Tokens, UsageRow
from aircher.tui.app import AircherApp
from aircher.tui.messages import FileChosen
from aircher.tui.panels import TYPING_PAUSE_S
from tests.stories.vendor import chunk
from tests.support.loopback import Answer, Loopback, serving
from tests.support.program import write_config

SIZE = (120, 36)
TARGET = Path(__file__).parents[2] / "docs" / "screenshot.svg"
FONTS = "'Cascadia Code','JetBrains Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace"

LUNA = ModelRef("openai", "gpt-6-luna")
SOL = ModelRef("openai", "gpt-6.1-sol")
SONNET = ModelRef("claude", "claude-sonnet-5-5")
FLASH = ModelRef("gemini", "gemini-3.8-flash")

QUICK = "What does HEAD~2 mean in git?"
QUICK_ANSWER = """\
`HEAD~2` is the commit **two steps back** along first parents: the parent of your current \
commit's parent. Try `git show HEAD~2`.
"""
BUG = "Fix this bug: fetch() in @retry.py sleeps even after its last attempt"
BUG_ANSWER = """\
The sleep runs even when no attempt is left. Raise **before** sleeping:

```python
def fetch(url: str, attempts: int = 3, delay: float = 0.5) -> bytes:
    for attempt in range(1, attempts + 1):
        try:
            return urlopen(url, timeout=10).read()
        except OSError:
            if attempt == attempts:
                raise
            sleep(delay * 2 ** attempt)
```

A failing call now returns **4 seconds** sooner.
"""
NEXT = "Write the documentation for fetch(): when it retries, and what it raises"

SOURCE = '''\
from time import sleep
from urllib.request import urlopen


def fetch(url, attempts=3, delay=0.5):
    """Fetch a URL, trying again when the network fails."""
    for attempt in range(1, attempts + 1):
        try:
            return urlopen(url, timeout=10).read()
        except OSError as error:
            last = error
        sleep(delay * 2**attempt)
    raise last
'''

CONFIG = """
[providers]
default = "openai"
fallback_order = ["openai", "claude", "gemini"]
health_check_interval = "0s"
[providers.openai]
base_url = "{0}/v1"
api_key_env = "OPENAI_API_KEY"
api = "chat"
[providers.claude]
base_url = "{1}"
api_key_env = "ANTHROPIC_API_KEY"
[providers.gemini]
base_url = "{2}"
api_key_env = "GEMINI_API_KEY"
[models.tasks]
quick_questions = "openai/gpt-6-luna"
debugging = "claude/claude-sonnet-5-5"
documentation = "gemini/gemini-3.8-flash"
default = "openai/gpt-6.1-terra"
[costs]
daily_limit = 5.0
monthly_budget = 60.0
baseline_model = "openai/gpt-6.1-sol"
"""


class Clock:
    """A Saturday afternoon; time passes when the script says so."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 21, 15, 4, tzinfo=ZoneInfo("Europe/Berlin"))
        self._monotonic = 100.0

    def now(self) -> datetime:
        """The wall clock."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Lets time pass."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    async def sleep(self, seconds: float) -> None:
        """Waits a moment of real time."""
        await asyncio.sleep(min(seconds, 0.05))


def openai_events(text: str, prompt: int, output: int) -> list[dict[str, Any]]:
    """A text in OpenAI's words: one event with text, the others around it."""
    usage = {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}
    return [chunk(text), chunk(finish="stop"), {**chunk(), "choices": [], "usage": usage}]


def claude_events(text: str, prompt: int, output: int) -> list[dict[str, Any]]:
    """The same in Claude's."""
    usage = {"input_tokens": prompt, "output_tokens": 1}
    message = {"id": "x", "type": "message", "role": "assistant", "model": "m", "content": [],
               "stop_reason": None, "stop_sequence": None, "usage": usage}  # fmt: skip
    empty = {"type": "text", "text": ""}
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": empty},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": text},
        },
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": ended, "usage": {"output_tokens": output}},
        {"type": "message_stop"},
    ]


def answer(events: list[dict[str, Any]], begin: asyncio.Event, end: asyncio.Event) -> Answer:
    """All events but the last once ``begin`` is set, that one once ``end`` is."""
    lines = [
        (f"event: {event['type']}\n" if "type" in event else "") + f"data: {json.dumps(event)}\n\n"
        for event in events
    ]
    steps = (begin, "".join(lines[:-1]).encode(), end, lines[-1].encode())
    return Answer(content_type="text/event-stream", steps=steps)


async def until(pilot: Pilot[Any], done: Callable[[], bool]) -> None:
    """Lets the app work until it is so."""
    for _ in range(400):
        await pilot.pause(0.02)
        if done():
            return
    raise TimeoutError("the app did not come that far")


def spent_before(services: Any, now: datetime) -> None:
    """Three weeks of ordinary use, at the catalogue's prices."""
    calls = (
        (LUNA, "quick_questions", 1_900, 420),
        (SONNET, "debugging", 21_000, 2_300),
        (FLASH, "documentation", 9_000, 1_800),
        (SONNET, "code_review", 34_000, 1_500),
        (SOL, "code_generation", 6_000, 2_600),
        (LUNA, "commit_messages", 3_100, 90),
    )
    for days in range(20, -1, -1):
        for number in range(4 + days * 5 % 7):
            ref, task, given, written = calls[(days + number) % len(calls)]
            at = now - timedelta(days=days, hours=3, minutes=7 * number)
            tokens = Tokens(input=given, output=written)
            cost = services.catalog.cost(ref, tokens, at)
            services.ledger.settle(None, UsageRow(at, ref, task, tokens, cost))


def without_hosts(svg: str) -> str:
    """The picture with the reader's own fonts instead of fetched ones."""
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r"terminal-\d+", "aircher", svg)
    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family:\s*(Fira Code[^;]*|arial);", f"font-family: {FONTS};", svg)
    svg = "\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n"
    hosts = set(re.findall(r"https?://[^\s\"')]+", svg)) - {"http://www.w3.org/2000/svg"}
    if hosts or re.search(r"127\.0\.0\.1|localhost", svg):
        raise ValueError(f"the picture names hosts: {sorted(hosts)}")
    return svg


def sizes(app: AircherApp, said: str) -> tuple[int, int]:
    """Tokens of the prompt, as estimated, and of an answer, as counted: what a vendor would say."""
    assert app.services is not None
    assert app.chat.preview is not None
    first = app.chat.preview.plan.first
    assert first.estimate is not None
    return first.estimate.prompt, app.services.catalog.count_text(first.ref, said)


async def talk(pilot: Pilot[Any], clock: Clock, servers: dict[str, Loopback]) -> None:
    """Two questions, answered; a third one, typed."""
    app = pilot.app
    assert isinstance(app, AircherApp)
    turns = (
        (QUICK, "openai", openai_events, QUICK_ANSWER, 0.4, 0.9),
        (BUG, "claude", claude_events, BUG_ANSWER, 0.7, 2.2),
    )
    for text, name, events, said, wait, lasts in turns:
        begin, end = asyncio.Event(), asyncio.Event()
        app.prompt.put(text)
        if "@retry.py" in text:
            app.post_message(FileChosen("retry.py"))
            await until(pilot, lambda: bool(app.chat.files))
        await pilot.pause(TYPING_PAUSE_S * 2)
        await until(pilot, lambda: app.chat.preview is not None)
        server = servers[name]
        server.answers[:] = [answer(events(said, *sizes(app, said)), begin, end)]
        before = len(server.received)
        await pilot.press("enter")
        await until(pilot, lambda server=server, before=before: len(server.received) > before)
        clock.advance(wait)
        begin.set()
        await until(pilot, lambda: app._first is not None)
        clock.advance(lasts)
        end.set()
        await until(pilot, lambda: not app.chat.busy)
        clock.advance(40)
    app.prompt.put(NEXT)
    await until(pilot, lambda: app.chat.preview is not None)


async def picture(home: Path) -> str:
    """The screen at the end of the talk, as SVG."""
    project = home / "project"
    project.mkdir()
    (project / "retry.py").write_text(SOURCE, encoding="utf-8")
    os.chdir(project)
    clock = Clock()
    async with serving() as one, serving() as two, serving() as three:
        servers = {"openai": one, "claude": two, "gemini": three}
        write_config(home, CONFIG.format(one.url, two.url, three.url))
        with patch.object(compose, "SystemClock", lambda: clock):
            app = AircherApp(compose.open_services)
            async with app.run_test(size=SIZE) as pilot:
                app.prompt.cursor_blink = False
                await until(pilot, lambda: app.services is not None)
                spent_before(app.services, clock.now())
                app.refresh_panels()
                await talk(pilot, clock, servers)
                await pilot.pause(0.5)
                return app.export_screenshot(title="Aircher")


def main() -> None:
    """Writes the picture."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for name in [*os.environ]:
            if name.endswith("_API_KEY") or name.startswith(("AIRCHER_", "XDG_")):
                del os.environ[name]
        keys = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY")
        os.environ.update(dict.fromkeys(keys, "none"), HOME=folder, AIRCHER_DISCOVER="false")
        svg = without_hosts(asyncio.run(picture(home)))
        os.chdir("/")
    TARGET.write_text(svg, encoding="utf-8")
    print(f"{TARGET.name}: {len(svg) // 1024} KB", file=sys.stderr)


if __name__ == "__main__":
    main()
