"""The google-genai SDK's client, asked for raw JSON.

The SDK knows the addresses of Gemini and Vertex, their versions, keys and sign-in.  Its own
reading of answers is not used: it takes a stream without an end for a whole reply, cannot
read the array that the API streams without ``alt=sse``, prints a warning for each finish
reason that is newer than itself, and follows redirects with the prompt.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2
from google import genai
from google.genai import types

from aircher.providers.connection import Connection
from aircher.providers.sse import MAX_EVENT_BYTES, NotAnAnswer, read_events
from aircher.providers.transport import http_client, lower

VERSION = "v1beta"
"""Gemini's API version: the one with everything, and the one that gateways imitate."""


class Told(Exception):
    """An answer that is an error: its status, lower-case headers and body."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.body = body


def is_vertex(connection: Connection) -> bool:
    """True where the options lead to Vertex: ``cloud`` "vertex", a project or a location."""
    options = connection.options
    return options.get("cloud") == "vertex" or bool(
        options.get("project") or options.get("location")
    )


def _is_google(base: str) -> bool:
    return (httpx2.URL(base).host or "").endswith(".googleapis.com")


# The SDK warns of variables that it does not use here (both GOOGLE_API_KEY and GEMINI_API_KEY);
# with no handler anywhere Python would print that over the chat.
logging.getLogger("google_genai").addHandler(logging.NullHandler())


class Wire:
    """Sends requests through the SDK's client; kept as long as the provider."""

    def __init__(self, connection: Connection) -> None:
        """Raises google-auth's errors where Vertex has no project, ``ValueError`` for options
        that contradict each other.
        """
        self._http = http_client(connection)
        limits = self._http.timeout.as_dict()

        async def limited(request: httpx2.Request) -> None:
            # The SDK passes "no timeout" with each request unless it is given one number for
            # connecting and reading alike, which it would also tell the server.
            request.extensions["timeout"] = limits
            if not connection.key:
                # A key that the SDK found in the environment is not meant for this address.
                request.headers.pop("x-goog-api-key", None)

        async def answered(response: httpx2.Response) -> None:
            if response.status_code != 200:
                body = await response.aread()
                raise Told(response.status_code, lower(response.headers), body)

        ours = self._http.event_hooks["request"]
        self._http.event_hooks = {"request": [*ours, limited], "response": [answered]}
        self.vertex = is_vertex(connection)
        options = connection.options
        place = {"project": options.get("project"), "location": options.get("location")}
        base = connection.base_url.rstrip("/").removesuffix(f"/{VERSION}")
        # Whoever runs a server of their own is sent no token of the user's Google account.
        anonymous = not connection.key and base and not _is_google(base)
        if not self.vertex:
            base = base or "https://generativelanguage.googleapis.com"
        self._client = genai.Client(
            vertexai=self.vertex,
            api_key="none" if anonymous else connection.key or None,
            http_options=types.HttpOptions(
                base_url=base or None,
                api_version=None if self.vertex else VERSION,
                httpx_async_client=self._http,
                # Never used; the SDK's own would read the certificates a second time.
                httpx_client=httpx2.Client(transport=httpx2.BaseTransport(), trust_env=False),
                retry_options=types.HttpRetryOptions(attempts=1),
            ),
            **(place if self.vertex else {}),
        )

    async def send(self, method: str, path: str, body: Mapping[str, Any]) -> httpx2.Response:
        """The answer, its body not yet read: close it.

        Raises ``Told`` for an error by status, google-auth's errors, and httpx2's.
        """
        api = self._client._api_client  # noqa: SLF001 - the public methods read answers themselves
        request = api._build_request(method, path, dict(body))  # noqa: SLF001 - as above
        answer = await api._async_request(request, stream=True)  # noqa: SLF001 - as above
        response = answer.response_stream
        assert isinstance(response, httpx2.Response)
        return response

    async def ask(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A whole answer as one JSON object.  Raises as ``send``, and ``NotAnAnswer``."""
        response = await self.send(method, path, body)
        try:
            async for data in objects(response):
                return data
        finally:
            await response.aclose()
        raise NotAnAnswer("an empty body")

    async def aclose(self) -> None:
        """Closes connections."""
        await self._http.aclose()
        self._client.close()


async def objects(response: httpx2.Response) -> AsyncIterator[dict[str, Any]]:
    """The JSON objects of a body as they come: events, an array, or one object alone.

    Raises ``NotAnAnswer`` for anything else, and httpx2's errors.
    """
    kind = response.headers.get("content-type", "")
    pieces = response.aiter_bytes()
    head = b""
    async for piece in pieces:
        head = (head + piece).lstrip(b" \t\r\n\xef\xbb\xbf")
        if head:
            break
    body = _rejoined(head, pieces)
    if "html" in kind.lower() or not head or head[:1] in b"<{":
        async for event in read_events(kind, body):
            yield event.data
        return
    async for raw in _array(body) if head[:1] == b"[" else _events(body):
        try:
            value = json.loads(raw.decode("utf-8", "replace"))
        except (ValueError, RecursionError) as error:
            raise NotAnAnswer("broken JSON") from error
        if isinstance(value, dict):
            yield value


async def _rejoined(head: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if head:
        yield head
    async for piece in pieces:
        yield piece


async def _events(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The data of server-sent events; an error may follow them as plain JSON, unmarked."""
    data: list[bytes] = []
    unmarked: list[bytes] = []
    async for line in _lines(pieces):
        if line.startswith(b"data:"):
            data.append(line[5:].strip())
        elif not line and data:
            whole, data = b"\n".join(data), []
            if whole != b"[DONE]":
                yield whole
        elif line and (unmarked or not line.startswith((b":", b"event:", b"id:", b"retry:"))):
            unmarked.append(line)
    for rest in (data, unmarked):
        if rest and rest != [b"[DONE]"]:
            yield b"\n".join(rest)


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Whole lines without their ends, however the body is cut; the last may lack its end."""
    kept = bytearray()
    async for piece in pieces:
        kept += piece
        if len(kept) > MAX_EVENT_BYTES:
            raise NotAnAnswer("a line without end")
        if b"\n" in piece:
            *lines, kept = kept.split(b"\n")
            for line in lines:
                yield bytes(line).removesuffix(b"\r")
    if kept:
        yield bytes(kept).removesuffix(b"\r")


async def _array(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The elements of a JSON array, each as soon as it is whole."""
    splitter = _Elements()
    async for piece in pieces:
        for raw in splitter.add(piece):
            yield raw
    if not splitter.closed:
        raise NotAnAnswer("an array without an end")


class _Elements:
    """Bytes of an array in, its objects out; they may be cut anywhere.

    Brackets, quotes and backslashes are single bytes in UTF-8 and never part of another
    character, so the bytes need no decoding to be told apart.
    """

    def __init__(self) -> None:
        self.closed = False
        self._depth = 0
        self._quoted = False
        self._escaped = False
        self._element = bytearray()

    def add(self, piece: bytes) -> list[bytes]:
        """The objects that this piece completes."""
        done: list[bytes] = []
        for byte in piece:
            if self.closed and byte not in b" \t\r\n":
                raise NotAnAnswer("something after the end of the array")
            if self._depth >= 2:
                self._element.append(byte)
            if self._quoted:
                self._in_string(byte)
            elif byte == 0x22:
                self._quoted = True
            elif byte in b"{[":
                self._open(byte)
            elif byte in b"}]" and self._close():
                done.append(bytes(self._element))
                self._element.clear()
        if len(self._element) > MAX_EVENT_BYTES:
            raise NotAnAnswer("an element without end")
        return done

    def _in_string(self, byte: int) -> None:
        if self._escaped:
            self._escaped = False
        elif byte == 0x5C:
            self._escaped = True
        elif byte == 0x22:
            self._quoted = False

    def _open(self, byte: int) -> None:
        self._depth += 1
        if self._depth == 2:
            self._element.append(byte)

    def _close(self) -> bool:
        """True if this bracket ended an element."""
        self._depth -= 1
        self.closed = self._depth == 0
        return self._depth == 1
