"""A provider that records: the loopback server in a thread, for programs run in this process."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.loopback import Answer, Loopback, streamed

USAGE = {"prompt_tokens": 1000, "completion_tokens": 20, "total_tokens": 1020}


def said(text: str, finish: str = "stop") -> Answer:
    """A streamed answer in OpenAI's protocol."""

    def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return {"id": "x", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}

    return streamed(
        chunk({"content": text}), chunk({}, finish), {**chunk({}), "choices": [], "usage": USAGE}
    )


def message(subject: str = "Change what is staged", body: str = "", **more: str) -> dict[str, str]:
    """One message as the schema has it."""
    return {"type": "", "scope": "", "subject": subject, "body": body, "breaking": ""} | more


def messages(*made: dict[str, str]) -> Answer:
    """A structured reply."""
    return said(json.dumps({"messages": list(made)}, ensure_ascii=False))


class Recorder:
    """The server; ``answers`` may be set anew at any time; ``before`` is called with each request."""

    def __init__(self, loopback: Loopback) -> None:
        self._loopback = loopback
        self.before: Callable[[], object] = lambda: None

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one request."""
        self.before()
        await self._loopback.handle(reader, writer)

    @property
    def url(self) -> str:
        return self._loopback.url

    def answer(self, *answers: Answer) -> None:
        """What comes next; the last one again and again."""
        self._loopback.answers[:] = answers

    @property
    def bodies(self) -> list[Any]:
        """The requests so far."""
        return [received.body for received in self._loopback.received]

    @property
    def texts(self) -> list[str]:
        """The user's text of each request."""
        return [body["messages"][-1]["content"] for body in self.bodies]

    @property
    def systems(self) -> list[str]:
        """The system prompt of each request."""
        return [body["messages"][0]["content"] for body in self.bodies]


@contextmanager
def recording(*answers: Answer) -> Iterator[Recorder]:
    """Starts the server in a thread of its own; stops it afterwards."""
    loopback = Loopback(list(answers) or [messages(message())])
    recorder = Recorder(loopback)
    ready = threading.Event()
    stop: asyncio.Event | None = None
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        nonlocal stop
        stop = asyncio.Event()
        server = await asyncio.start_server(recorder.handle, "127.0.0.1", 0, limit=2**26)
        loopback.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        async with server:
            await stop.wait()

    def run() -> None:
        loop.run_until_complete(serve())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait(10)
    try:
        yield recorder
    finally:
        assert stop is not None
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
