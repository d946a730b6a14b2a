"""A turn's questions on the command line: asked on a terminal, else answered with no and told."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

import pytest

from aircher.cli import asking
from aircher.domain.questions import Question, QuestionKind

SWITCH = Question(1, "fallback", "Ask claude instead?", "openai: no capacity now.")


@contextmanager
def sitting_there(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A terminal of which this process is the user: yields the end where keys are pressed."""
    keys, screen = pty.openpty()
    with (
        os.fdopen(screen, encoding="utf-8") as reading,
        os.fdopen(os.dup(screen), "w", encoding="utf-8") as writing,
    ):
        monkeypatch.setattr(sys, "stdin", reading)
        monkeypatch.setattr(sys, "stderr", writing)
        yield keys
    os.close(keys)


def shown(keys: int) -> str:
    """What the screen got, to the end of a line that is drawn in place."""
    text = ""
    while not text.endswith("\x1b[K"):  # a terminal gives it in pieces
        text += os.read(keys, 4096).decode()
    return text


@pytest.mark.parametrize(
    ("typed", "said"),
    [(b"y\n", True), (b"Yes\n", True), (b"\n", False), (b"no\n", False), (b"\x04", False)],
)
async def test_a_person_is_asked_and_only_a_plain_yes_is_one(
    monkeypatch: pytest.MonkeyPatch, typed: bytes, said: bool
) -> None:
    with sitting_there(monkeypatch) as keys:
        os.write(keys, typed)
        assert await asking.answer(SWITCH, always=False) == (said, "")
        shown = ""
        while "[y/N] " not in shown:  # a terminal gives it in pieces
            shown += os.read(keys, 4096).decode()
    assert "  openai: no capacity now.\r\naircher: Ask claude instead? [y/N] " in shown


async def test_a_stop_gets_through_while_the_question_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with sitting_there(monkeypatch):
        waiting = asyncio.ensure_future(asking.answer(SWITCH, always=False))
        await asyncio.sleep(0)
        waiting.cancel()
        assert isinstance((await asyncio.gather(waiting, return_exceptions=True))[0], BaseException)
        assert not asyncio.get_running_loop().remove_reader(sys.stdin.fileno())


async def test_where_nobody_is_the_answer_is_no_and_what_allows_it_is_said() -> None:
    for kind in get_args(QuestionKind):
        yes, line = await asking.answer(Question(1, kind, "Go on?"), always=False)
        assert not yes
        assert "--yes" in line


async def test_the_flag_says_yes_to_all_of_them_and_tells_it() -> None:
    assert await asking.answer(SWITCH, always=True) == (
        True,
        "asked: Ask claude instead? yes, by --yes",
    )


async def test_enter_ends_a_wait_where_somebody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    pressed = asyncio.Event()
    enter = asking.Enter(pressed.set)
    enter.listen(5.0)  # nobody is
    with sitting_there(monkeypatch) as keys:
        enter.listen(5.0)
        assert shown(keys) == "\r  5 seconds left (Enter goes on at once)\x1b[K"
        os.write(keys, b"\n")
        async with asyncio.timeout(5):
            await pressed.wait()
        enter.rest()
        assert shown(keys).endswith("\r\x1b[K")
        assert not asyncio.get_running_loop().remove_reader(sys.stdin.fileno())


async def test_a_wait_says_nothing_where_nothing_is_to_be_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    enter = asking.Enter(lambda: None, quiet=True)
    with sitting_there(monkeypatch) as keys:
        enter.listen(5.0)
        enter.rest()
        os.set_blocking(keys, False)
        with pytest.raises(BlockingIOError):
            os.read(keys, 1)
