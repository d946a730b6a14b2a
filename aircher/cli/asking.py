"""The turn's questions on a command line: asked where somebody sits, else answered with no."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable

from aircher.cli.streams import drawing
from aircher.domain.inert import inert
from aircher.domain.questions import Question, QuestionKind
from aircher.domain.spans import lasting

ALLOWED_BY: dict[QuestionKind, str] = {
    "fallback": 'fallback.consent = "auto"',
    "downgrade": 'fallback.consent = "auto"',
    "fresh_start": 'fallback.consent = "auto"',
    "cost": "a higher costs.per_request_limit",
    "unusual": "a higher costs.unusual_score",
    "secret": "`aircher guard allow`, or [guard.rules]",
}
"""What a user who was not asked can do the next time, besides --yes."""

_YES = frozenset({"y", "yes"})


def somebody_there() -> bool:
    """True where a question can be shown and answered: stdin and stderr are terminals.

    A job in the background may not read from its terminal: it would be stopped.
    """
    if sys.stdin is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:  # a terminal, but not the one that controls this process
        return True


async def answer(
    question: Question, *, always: bool, flag: bool = True, alone: bool = False
) -> tuple[bool, str]:
    """The answer to a question, and a line that tells of it ("" where the user typed it).

    ``always`` says yes to everything (--yes); ``flag`` tells that there is such a flag.  ``alone``
    says that nobody is asked, whatever the terminal.  Anything but y or yes is a no, the end of
    the input too.
    """
    asked = inert(question.text)
    if always:
        return True, f"asked: {asked} yes, by --yes"
    if alone or not somebody_there():
        others = ALLOWED_BY[question.kind]
        hint = f"--yes allows it, or {others}" if flag else f"{others} allows it"
        return False, f"asked: {asked} no, since nobody is here to ask ({hint})"
    detail = inert(question.detail)
    lines = "".join(f"  {line}\n" for line in detail.splitlines())
    sys.stderr.write(f"{lines}aircher: {asked} [y/N] ")
    sys.stderr.flush()
    return (await _line()).strip().lower() in _YES, ""


class Enter:
    """The Enter key while the turn waits, where somebody is there to press it.

    The seconds that are left are counted down below what was told of the wait.
    """

    def __init__(self, pressed: Callable[[], None], *, quiet: bool = False) -> None:
        self._pressed = pressed
        self._quiet = quiet
        self._number: int | None = None
        self._tick: asyncio.TimerHandle | None = None

    def listen(self, wait_s: float) -> None:
        """From now on Enter ends the wait, which is one of so many seconds."""
        if not somebody_there():
            return
        self.rest()
        self._number = sys.stdin.fileno()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._number, self._read)
        self._show(loop.time() + wait_s)

    def rest(self) -> None:
        """What is typed is nobody's business again."""
        if self._number is None:
            return
        asyncio.get_running_loop().remove_reader(self._number)
        self._number = None
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
            self._draw("")

    def _show(self, end: float) -> None:
        """Says how long it still takes, once a second."""
        loop = asyncio.get_running_loop()
        left = end - loop.time()
        if self._quiet or left <= 0:
            return
        self._draw(f"  {lasting(left)} left (Enter goes on at once)")
        self._tick = loop.call_later(left % 1 or 1.0, self._show, end)

    def _draw(self, line: str) -> None:
        screen = drawing(sys.stderr)
        screen.write(f"\r{line}\x1b[K")
        screen.flush()

    def _read(self) -> None:
        if not os.read(sys.stdin.fileno(), 1024):  # the end of the input comes again and again
            self.rest()
        self._pressed()


async def _line() -> str:
    """One line of the terminal, without blocking the loop: a stop must get through meanwhile."""
    loop = asyncio.get_running_loop()
    came: asyncio.Future[bytes] = loop.create_future()
    number = sys.stdin.fileno()

    def read() -> None:
        loop.remove_reader(number)
        if not came.done():
            came.set_result(os.read(number, 1024))

    loop.add_reader(number, read)
    try:
        line = (await came).decode(errors="replace")
    finally:
        loop.remove_reader(number)
    if not line.endswith("\n"):  # the end of the input leaves the cursor behind the question
        sys.stderr.write("\n")
    return line
