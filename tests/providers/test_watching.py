"""Where a connection leads and whether anything left by it, through every SDK over HTTP."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from aircher.domain.chat import ChatRequest
from aircher.domain.errors import ProviderError, WrongAddress
from aircher.domain.messages import user
from aircher.domain.sending import Sending
from aircher.providers import watching
from aircher.providers.addresses import is_forbidden
from aircher.providers.connection import Connection
from aircher.providers.registry import DIALECTS
from tests.support.loopback import Answer, Loopback, serving
from tests.support.proxy import full_backlog

KINDS = ("openai", "anthropic", "gemini", "ollama")
BUSY = Answer(b"{}", 503)


@contextmanager
def provider(kind: str, url: str) -> Iterator[Any]:
    made = importlib.import_module(DIALECTS[kind]).connect(
        Connection(kind, url, "key-canary-1", connect_timeout_s=0.3)
    )
    yield made


async def failure(kind: str, url: str, sending: Sending) -> ProviderError:
    """What one request ends with."""
    sending.watch()
    with provider(kind, url) as made:
        try:
            async with aclosing(made.stream(ChatRequest("m", (user("hi"),)))) as chunks:
                async for _ in chunks:
                    pass
        except ProviderError as error:
            return error
        finally:
            await made.aclose()
    raise AssertionError("it did not fail")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_request_that_was_sent_has_left(kind: str) -> None:
    async with serving(BUSY) as server:
        sending = Sending()
        await failure(kind, server.url, sending)
    assert sending.left
    assert server.received


@pytest.mark.parametrize("kind", KINDS)
async def test_a_request_whose_connection_is_never_made_has_not_left(kind: str) -> None:
    sending = Sending()
    with full_backlog() as port:
        error = await failure(kind, f"http://127.0.0.1:{port}", sending)
    assert error.kind == "timeout"
    assert not sending.left


@dataclass
class Listener:
    """Takes what comes and says nothing; ``got`` is all of it, once ``over`` is set."""

    port: int = 0
    got: bytes = b""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            self.got = await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        self.over.set()


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    """To one connection, until the other side has left."""
    listener = Listener()
    server = await asyncio.start_server(listener.take, "127.0.0.1", 0)
    listener.port = server.sockets[0].getsockname()[1]
    async with server:
        yield listener
        async with asyncio.timeout(5):
            await listener.over.wait()


@pytest.mark.parametrize("kind", KINDS)
async def test_the_handshake_of_tls_is_not_the_request(kind: str) -> None:
    sending = Sending()
    async with listening() as listener:
        error = await failure(kind, f"https://127.0.0.1:{listener.port}", sending)
    assert listener.got
    assert error.kind == "timeout"
    assert not sending.left


@pytest.mark.security
@pytest.mark.parametrize("kind", KINDS)
async def test_the_address_that_is_connected_to_is_judged_before_anything_is_sent(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a name whose look-up said something else a moment ago."""
    monkeypatch.setattr(watching, "is_forbidden", lambda address: address == "127.0.0.1")
    sending = Sending()
    async with listening() as listener:
        error = await failure(kind, f"http://127.0.0.1:{listener.port}", sending)
    assert isinstance(error, WrongAddress)
    assert "a name for an address of this link or a cloud's metadata" in error.message
    assert not error.retryable
    assert not sending.left
    assert listener.got == b""


@pytest.mark.security
def test_addresses_of_no_model_server_are_known_as_the_system_writes_them() -> None:
    for text in ("169.254.169.254", "fe80::1%eth0", "fd00:ec2::254", "::ffff:169.254.169.254"):
        assert is_forbidden(text)
    for text in ("127.0.0.1", "::1", "10.0.0.1", "1.1.1.1", "/run/socket", ""):
        assert not is_forbidden(text)


async def test_a_proxy_may_be_anywhere_and_its_connect_is_not_the_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watching, "is_forbidden", lambda _: True)
    refusing = Answer(b"", 502)
    async with serving(refusing) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        sending = Sending()
        error = await failure("openai", "https://models.invalid/v1", sending)
    assert error.kind == "network"
    assert _methods(proxy) == ["CONNECT"]
    assert not sending.left


def _methods(server: Loopback) -> list[str]:
    return [one.method for one in server.received]
