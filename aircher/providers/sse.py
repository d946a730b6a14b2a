"""A reply's body as a sequence of JSON values: server-sent events, or one plain JSON value.

Which of the two it is, is told by its first byte, not by what was asked for or by the
content type: some servers ignore ``stream``, others send errors as octets.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import field
from decimal import Decimal
from typing import Any

from aircher.domain.classes import dataclass

MAX_EVENT_BYTES = 64 * 1024 * 1024
"""More than any vendor's largest reply; a longer line is not an answer but an attack or a bug."""


class NotAnAnswer(ValueError):
    """The body is neither events nor JSON; the message says what it is."""


@dataclass(frozen=True, slots=True)
class Event:
    """One JSON object of the body.

    ``whole`` marks a body that was a single JSON value; ``done`` the "[DONE]" line, which has
    no data.  Broken numbers are kept as written: fractions come as ``Decimal``.
    """

    data: dict[str, Any] = field(default_factory=dict)
    whole: bool = False
    done: bool = False


def _decode(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8", "replace"), parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise NotAnAnswer("broken JSON") from error


def _event(raw: bytes, *, whole: bool = False) -> Event | None:
    """The event in some bytes; None for a value that is no object (a ping, a number)."""
    if raw.strip() == b"[DONE]":
        return Event(done=True)
    value = _decode(raw)
    if isinstance(value, list) and value:
        value = value[0]
    return Event(value, whole=whole) if isinstance(value, dict) else None


class _Lines:
    """Bytes in, whole lines out; a line may come in any number of pieces."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def add(self, piece: bytes) -> list[bytes]:
        """The lines that this piece completes, without their ends."""
        if b"\n" not in piece:
            self._rest += piece
            if len(self._rest) > MAX_EVENT_BYTES:
                raise NotAnAnswer("a line without end")
            return []
        *lines, rest = (bytes(self._rest) + piece).split(b"\n")
        self._rest = bytearray(rest)
        return [line.removesuffix(b"\r") for line in lines]

    def end(self) -> list[bytes]:
        """What is left when the body ends: a line without its end."""
        return [bytes(self._rest).removesuffix(b"\r")] if self._rest else []


class _Events:
    """Lines in, events out, by the rules of the event stream format; names are ignored,
    because all vendors repeat them in the data.
    """

    def __init__(self) -> None:
        self._data: list[bytes] = []

    def add(self, line: bytes) -> Event | None:
        """The event that this line completes."""
        if not line:
            return self.end()
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        return None

    def end(self) -> Event | None:
        """The event begun so far, if it has data; a body may end without the empty line."""
        if not self._data:
            return None
        raw, self._data = b"\n".join(self._data), []
        return _event(raw) if raw.strip() else None


async def _whole(head: bytes, pieces: AsyncIterator[bytes]) -> Event:
    body = bytearray(head)
    async for piece in pieces:
        body += piece
        if len(body) > MAX_EVENT_BYTES:
            raise NotAnAnswer("a body without end")
    event = _event(bytes(body), whole=True)
    if event is None:
        raise NotAnAnswer("JSON, but no object")
    return event


async def _streamed(head: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[Event]:
    lines, events = _Lines(), _Events()
    for line in lines.add(head):
        if event := events.add(line):
            yield event
    async for piece in pieces:
        for line in lines.add(piece):
            if event := events.add(line):
                yield event
    for line in (*lines.end(), b""):
        if event := events.add(line):
            yield event


async def read_events(content_type: str, pieces: AsyncIterator[bytes]) -> AsyncIterator[Event]:
    """The events of a body, as they come.

    Raises ``NotAnAnswer`` for a page of HTML, broken JSON, or no body at all.
    """
    if "html" in content_type.lower():
        raise NotAnAnswer("a web page, not an answer")
    head = b""
    async for piece in pieces:
        head = (head + piece).lstrip(b" \t\r\n\xef\xbb\xbf") if not head.strip() else head + piece
        if head:
            break
    if not head:
        raise NotAnAnswer("an empty body")
    if head[:1] == b"<":
        raise NotAnAnswer("a web page, not an answer")
    if head[:1] in b"{[":
        yield await _whole(head, pieces)
        return
    async for event in _streamed(head, pieces):
        yield event
