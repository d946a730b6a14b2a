"""Reading bodies: the same events wherever the bytes are cut."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.providers.sse import MAX_EVENT_BYTES, Event, NotAnAnswer, read_events

BODY = (
    ": comment\r\n\r\n"
    'event: x\ndata: {"a": "hé\u2028"}\n\n'
    'data:{"b":\ndata: 1.10}\r\n\r\n'
    "id: 7\nretry: 5\n\ndata: 3\n\ndata:\n\n"
    'data: [{"c": 2}]\n\n'
    "data: [DONE]\n\n"
).encode()


async def _pieces(body: bytes, cuts: list[int]) -> AsyncIterator[bytes]:
    places = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    for begin, end in itertools.pairwise(places):
        yield body[begin:end]


def events(body: bytes, cuts: list[int], content_type: str = "") -> list[Event]:
    async def read() -> list[Event]:
        return [event async for event in read_events(content_type, _pieces(body, cuts))]

    return asyncio.run(read())


@given(st.lists(st.integers(min_value=0, max_value=999), max_size=30))
def test_cuts_change_nothing(cuts: list[int]) -> None:
    found = events(BODY, cuts)
    assert [event.data for event in found[:3]] == [
        {"a": "hé\u2028"},
        {"b": found[1].data["b"]},
        {"c": 2},
    ]
    assert str(found[1].data["b"]) == "1.10"
    assert found[3] == Event(done=True)
    assert len(found) == 4


def test_every_single_cut() -> None:
    whole = events(BODY, [])
    assert all(events(BODY, [cut]) == whole for cut in range(len(BODY)))


def test_one_json_value_after_blank_lines() -> None:
    assert events(b"\n   \n\n" * 50 + b'{"a": 1}\n', [3, 70]) == [Event({"a": 1}, whole=True)]


def test_a_byte_order_mark_is_no_part_of_the_answer() -> None:
    assert events(b'\xef\xbb\xbfdata: {"a": 1}\n\n', []) == [Event({"a": 1})]


def test_the_last_event_may_lack_its_empty_line() -> None:
    assert events(b'data: {"a": 1}', []) == [Event({"a": 1})]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "text/event-stream"),
        (b" \n ", "application/json"),
        (b"{", "application/json"),
        (b'data: {"a": tru\n\n', "text/event-stream"),
        (b"<!doctype html>", ""),
        (b'{"a": 1}', "text/html; charset=utf-8"),
        (b"[" * 200_000, "application/json"),
        (b"data: " + b"[" * 200_000 + b"\n\n", "text/event-stream"),
    ],
)
def test_what_is_no_answer(body: bytes, content_type: str) -> None:
    with pytest.raises(NotAnAnswer):
        events(body, [], content_type)


async def test_a_line_without_end_is_given_up() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b"data: "
        while True:
            sent += 1
            yield b"x" * 8_000_000

    with pytest.raises(NotAnAnswer):
        [event async for event in read_events("text/event-stream", endless())]
    assert sent * 8_000_000 < 2 * MAX_EVENT_BYTES


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    with contextlib.suppress(NotAnAnswer):
        events(body, [])
