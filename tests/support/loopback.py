"""A tiny HTTP server on 127.0.0.1 that answers with what a test wrote, and keeps what it got."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One answer, sent as it is; the connection is closed after it.

    ``announced`` is the Content-Length to claim (None = the truth), so that a body may be cut;
    the connection stays open for ``hold_s`` seconds after the body, or until the client leaves.
    """

    body: bytes = b""
    status: int = 200
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    announced: int | None = None
    hold_s: float = 0.0


def streamed(*events: object, done: bool = True) -> Answer:
    """Events as a text/event-stream body; strings are sent as they are."""
    lines = [e if isinstance(e, str) else json.dumps(e, ensure_ascii=False) for e in events]
    body = "".join(f"data: {line}\n\n" for line in (*lines, *(["[DONE]"] if done else [])))
    return Answer(body.encode(), content_type="text/event-stream")


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
            f"Content-Length: {length}",
            "Connection: close",
            *(f"{name}: {value}" for name, value in answer.headers),
        ]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + answer.body)
        await writer.drain()
        if answer.hold_s:
            with suppress(TimeoutError):
                async with asyncio.timeout(answer.hold_s):
                    if await reader.read(1) == b"":
                        self.left.set()
        writer.close()


@asynccontextmanager
async def serving(*answers: Answer) -> AsyncIterator[Loopback]:
    """Starts a server that gives these answers; stops it afterwards."""
    loopback = Loopback(list(answers))
    server = await asyncio.start_server(loopback.handle, "127.0.0.1", 0)
    loopback.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield loopback
