"""A TCP proxy on 127.0.0.1 that does to a connection what networks do: break, stall, drip, lie.

It stands between the program and a server that answers at once, reads the whole answer, and then
gives on of it what its ``Plan`` says.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

HEAD_END = b"\r\n\r\n"


def whole(answer: bytes) -> int:
    """All of it."""
    return len(answer)


def body(share: float) -> Callable[[bytes], int]:
    """The head and that share of the body."""

    def cut(answer: bytes) -> int:
        head = answer.index(HEAD_END) + len(HEAD_END)
        return head + int((len(answer) - head) * share)

    return cut


def head_only(answer: bytes) -> int:
    """The status line and the headers."""
    return answer.index(HEAD_END) + len(HEAD_END)


def before(mark: bytes) -> Callable[[bytes], int]:
    """Everything up to the line that holds the mark's last appearance."""

    def cut(answer: bytes) -> int:
        at = answer.rindex(mark)
        return answer.rindex(b"\n", 0, at) + 1

    return cut


@dataclass(frozen=True)
class Plan:
    """What happens to a connection.

    ``at`` "accept": ``then`` happens as soon as it is made.  Otherwise ``upto`` tells how much of
    the answer is given on (with ``drip_s`` in pieces of ``drip_bytes``, so long apart), and then it
    happens: "reset" (RST), "close" (FIN), "stall", or "go on" (the rest as well).
    """

    then: str = "go on"
    at: str = "answer"
    upto: Callable[[bytes], int] = whole
    drip_s: float = 0.0
    drip_bytes: int = 64


@dataclass
class Proxy:
    """The running proxy; ``plan`` may be changed between connections."""

    port: int
    plan: Plan
    connections: int = 0


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _until_left(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while await reader.read(65536):
            pass


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(HEAD_END)
    length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    return head + (await reader.readexactly(int(length[1])) if length else b"")


async def _answer(port: int, request: bytes) -> bytes:
    """The server's whole answer, as bytes on the wire."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    # The server is asked to close, so that the end of the answer is the end of the bytes.
    first, rest = request.split(b"\r\n", 1)
    rest = re.sub(rb"(?mi)^connection: .*\r\n", b"", rest)
    writer.write(first + b"\r\nConnection: close\r\n" + rest)
    try:
        return await reader.read(-1)
    finally:
        writer.close()


@asynccontextmanager
async def proxying(
    target: int, plan: Plan | None = None, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Proxy]:
    """Starts a proxy before the server at port ``target``; with ``tls`` it speaks TLS outside."""
    proxy = Proxy(0, plan or Plan())

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        proxy.connections += 1
        plan = proxy.plan
        with contextlib.suppress(
            ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.LimitOverrunError
        ):
            if plan.at != "accept":
                answer = await _answer(target, await _request(reader))
                await _give(answer, plan, writer)
            if plan.then == "reset":
                _reset(writer)
            elif plan.then == "stall":
                await _until_left(reader)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls, limit=2**26)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()


async def _give(answer: bytes, plan: Plan, writer: asyncio.StreamWriter) -> None:
    given = answer[: plan.upto(answer)]
    step = plan.drip_bytes if plan.drip_s else max(1, len(given))
    for start in range(0, len(given), step):
        writer.write(given[start : start + step])
        await writer.drain()
        await asyncio.sleep(plan.drip_s)
    if plan.then == "go on":
        writer.write(answer[len(given) :])
        await writer.drain()
    elif given and plan.then == "reset":
        # A reset throws away what the other side has not read yet.
        await asyncio.sleep(0.15)


@contextlib.contextmanager
def full_backlog() -> Iterator[int]:
    """A port where a connection is never made: its queue is full, and nobody accepts."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(("127.0.0.1", port))
        yield port


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
