"""The writing of messages from a command line: services opened when needed, events told."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self, TypeVar

from aircher.bootstrap.committing import (
    open_grouper,
    open_text_writer,
    open_writer,
    write_offline,
)
from aircher.bootstrap.configuring import Flag
from aircher.bootstrap.services import Services
from aircher.cli import asking
from aircher.cli.naming import checked_model, checked_task
from aircher.cli.narration import narrate
from aircher.domain.commits import CommitAsk, Prepared, Written
from aircher.domain.errors import AircherError, Bug, Cancelled
from aircher.domain.events import Asking, Detected, Failed, Finished
from aircher.domain.inert import inert
from aircher.domain.routes import Wish
from aircher.domain.splits import Grouped
from aircher.domain.texts import TextAsk, WrittenText
from aircher.engine.commit import CommitWriter
from aircher.engine.grouping import grouped_by_rules
from aircher.engine.texts import text_by_rules

_T = TypeVar("_T")

_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Writing:
    """Writes messages, one after the other, in one event loop.  Use it in a ``with`` statement.

    What takes longer than ``limit_s`` seconds is stopped and raises ``TimeoutError``; ``alone``
    asks nobody for anything, a passphrase least of all.
    """

    def __init__(
        self,
        wish: Wish,
        *,
        flags: Sequence[Flag],
        quiet: bool,
        limit_s: float | None = None,
        alone: bool = False,
    ) -> None:
        self._wish = wish
        self._flags = flags
        self._quiet = quiet
        self._limit_s = limit_s
        self._alone = alone
        self._runner = asyncio.Runner()
        self._services: Services | None = None
        self._writer: CommitWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._services is not None:
            self._runner.run(self._services.aclose())
        self._runner.close()

    def tell(self, line: str) -> None:
        """A line of narration."""
        if line and not self._quiet:
            print(inert(line), file=sys.stderr, flush=True)

    def write(self, ask: CommitAsk) -> Written:
        """The messages.  Raises what the writing failed with; ``Cancelled`` on Ctrl+C."""
        written = self.by_rules(ask) if ask.offline else self._asked(ask)
        for note in written.notes:
            self.tell(f"note: {note}")
        return written

    def by_rules(self, ask: CommitAsk) -> Written:
        """The messages without a model."""
        return write_offline(ask)

    def prepare(self, ask: CommitAsk) -> Prepared:
        """What would be sent.  Raises as ``CommitWriter.prepare``."""
        return self._run(self._open().prepare(ask))

    def group(self, ask: CommitAsk) -> Grouped:
        """How the change would be split.  Raises as ``write``."""
        if ask.offline:
            return grouped_by_rules(ask)
        services = self._opened()
        return self._run(self._last(open_grouper(services).group(ask), Grouped))

    def text(self, ask: TextAsk) -> WrittenText:
        """A text about changes.  Raises as ``write``."""
        if ask.offline:
            return text_by_rules(ask)
        services = self._opened()
        written = self._run(self._last(open_text_writer(services).write(ask), WrittenText))
        for note in written.notes:
            self.tell(f"note: {note}")
        return written

    def _asked(self, ask: CommitAsk) -> Written:
        return self._run(self._last(self._open().write(ask), Written))

    def _open(self) -> CommitWriter:
        if self._writer is None:
            self._writer = open_writer(self._opened())
        return self._writer

    def _opened(self) -> Services:
        if self._services is None:
            from aircher.bootstrap.compose import open_services
            from aircher.bootstrap.passphrase import at_terminal, nobody

            ask = nobody if self._alone else at_terminal
            self._services = open_services(self._flags, ask=ask)
            checked_task(self._wish.task, self._services.settings.rules)
            checked_model(self._wish.model, self._services.settings.rules)
            for notice in self._services.notices:
                self.tell(f"note: {notice}")
        return self._services

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Runs it until it ends or the user stops it; what it holds is settled either way."""

        async def watched() -> _T:
            task = asyncio.ensure_future(asyncio.wait_for(work, self._limit_s))
            loop = asyncio.get_running_loop()
            watching = [n for n in _STOPS if signal.getsignal(n) is not signal.SIG_IGN]
            stopped = Cancelled("You stopped it; nothing was committed.")
            asked_to_stop = asyncio.Event()

            def stop() -> None:
                asked_to_stop.set()
                task.cancel()

            for number in watching:
                loop.add_signal_handler(number, stop)
            try:
                done = await task
            except asyncio.CancelledError:
                raise stopped from None
            finally:
                for number in watching:
                    loop.remove_signal_handler(number)
            if asked_to_stop.is_set():  # it came together with the answer: still a stop
                raise stopped
            return done

        return self._runner.run(watched())

    async def _last(self, made: AsyncGenerator[Any, None], kind: type[_T]) -> _T:
        """The event of that kind, which is the last; those before it are told."""
        services = self._services
        assert services is not None
        async with aclosing(made) as events:
            async for event in events:
                match event:
                    case kind():
                        return event
                    case Failed(error):
                        raise _with_way_out(error)
                    case Asking(question):
                        # --yes is about the commit; it spends nothing and lets no secret out.
                        yes, line = await asking.answer(
                            question, always=False, flag=False, alone=self._alone
                        )
                        self.tell(line)
                        services.engine.answer(question.id, yes=yes)
                    case Detected() | Finished():
                        pass
                    case _:
                        self.tell(narrate(event))
        raise Bug("The writing of the message ended without a word.")


def _with_way_out(error: AircherError) -> AircherError:
    """A failed generation says that a message can be had without a model."""
    if error.exit_code == 1 and "--offline" not in error.hint:
        error.hint = f"{error.hint} --offline writes it by rules.".strip()
    return error
