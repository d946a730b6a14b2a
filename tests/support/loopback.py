"""A tiny HTTP server on 127.0.0.1 that answers with what a test wrote, and keeps what it got."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

Step = bytes | float | asyncio.Event
"""A piece of a body; or seconds, or an event, to wait for before the next piece."""


@dataclass(frozen=True)
class Answer:
    """One answer, sent as it is; the connection is closed after it.

    ``announced`` is the Content-Length to claim (None = the truth), so that a body may be cut;
    the connection stays open for ``hold_s`` seconds after the body, or until the client leaves.
    With ``steps`` the body is sent in pieces instead: bytes are sent, seconds and events waited
    for; ``broken`` then ends the connection without the end of the body.
    """

    body: bytes = b""
    status: int = 200
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    announced: int | None = None
    hold_s: float = 0.0
    steps: tuple[Step, ...] = ()
    broken: bool = False


def streamed(*events: object, done: bool = True) -> Answer:
    """Events as a text/event-stream body; strings are sent as they are."""
    lines = [e if isinstance(e, str) else json.dumps(e, ensure_ascii=False) for e in events]
    body = "".join(f"data: {line}\n\n" for line in (*lines, *(["[DONE]"] if done else [])))
    return Answer(body.encode(), content_type="text/event-stream")


def paced(*steps: object, done: bool = True, broken: bool = False) -> Answer:
    """Events as ``streamed``; numbers and ``asyncio.Event``s between them are waited for."""
    made: list[Step] = []
    for step in (*steps, *(["[DONE]"] if done and not broken else [])):
        if isinstance(step, float | asyncio.Event):
            made.append(step)
        else:
            line = step if isinstance(step, str) else json.dumps(step, ensure_ascii=False)
            made.append(f"data: {line}\n\n".encode())
    return Answer(content_type="text/event-stream", steps=tuple(made), broken=broken)


def plain(value: object, status: int = 200, **headers: str) -> Answer:
    """A JSON body; header names are written with _ for -."""
    named = tuple((name.replace("_", "-"), text) for name, text in headers.items())
    return Answer(json.dumps(value).encode(), status=status, headers=named)


@dataclass(frozen=True)
class Received:
    """A request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Loopback:
    """The running server; ``answers`` are given in order, the last one again and again."""

    answers: list[Answer]
    received: list[Received] = field(default_factory=list)
    url: str = ""
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client left a connection that was held open."""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reads one request, sends one answer."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:])}
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        self.received.append(Received(method, path, headers, json.loads(raw) if raw else None))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        length = len(answer.body) if answer.announced is None else answer.announced
        lines = [
            f"HTTP/1.1 {answer.status} Status",
            f"Content-Type: {answer.content_type}",
            "Transfer-Encoding: chunked" if answer.steps else f"Content-Length: {length}",
            "Connection: close",
            *(f"{name}: {value}" for name, value in answer.headers),
        ]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + answer.body)
        await writer.drain()
        if answer.steps:
            await self._play(answer, reader, writer)
        if answer.hold_s:
            with suppress(TimeoutError):
                async with asyncio.timeout(answer.hold_s):
                    if await reader.read(1) == b"":
                        self.left.set()
        writer.close()

    async def _play(
        self, answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Sends a body step by step, as chunks, until the client leaves."""
        leaving = asyncio.ensure_future(reader.read(1))
        with suppress(ConnectionError):
            for step in answer.steps:
                if isinstance(step, bytes):
                    writer.write(b"%x\r\n%b\r\n" % (len(step), step))
                    await writer.drain()
                    continue
                waiting = asyncio.ensure_future(
                    asyncio.sleep(step) if isinstance(step, float) else step.wait()
                )
                await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
                if leaving.done():
                    self.left.set()
                    return
            if not answer.broken:
                writer.write(b"0\r\n\r\n")
                await writer.drain()
        leaving.cancel()


@asynccontextmanager
async def serving(*answers: Answer, host: str = "127.0.0.1") -> AsyncIterator[Loopback]:
    """Starts a server that gives these answers (on this address); stops it afterwards."""
    loopback = Loopback(list(answers))
    server = await asyncio.start_server(loopback.handle, host, 0)
    loopback.url = f"http://{host}:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield loopback
