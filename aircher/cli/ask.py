"""``aircher ask``: one question, the answer on stdout, the routing told on stderr."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from aircher.bootstrap.configuring import Flag
from aircher.bootstrap.services import Services
from aircher.cli import asking
from aircher.cli.contract import event_json, result_json
from aircher.cli.naming import checked_model, checked_task
from aircher.cli.narration import complaint, narrate
from aircher.cli.parsing import count
from aircher.cli.printing import print_json
from aircher.cli.reading import session_to_continue, stdin_text
from aircher.cli.unfinished import Unfinished
from aircher.domain.chat import RefusalDelta, TextDelta
from aircher.domain.errors import (
    EXIT_CANCELLED,
    EXIT_FAILED,
    EXIT_OK,
    AircherError,
    Bug,
    Cancelled,
    UsageError,
)
from aircher.domain.events import (
    Asking,
    Escalating,
    Event,
    Failed,
    FallingBack,
    Finished,
    Queued,
    Retrying,
)
from aircher.domain.inert import inert
from aircher.domain.ports import SessionStore
from aircher.domain.routes import Wish
from aircher.domain.turns import TurnRequest
from aircher.engine.turn import Engine

_FORMS = ("text", "json", "stream-json")


_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl+C, ``kill``, and the terminal's window closing."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    add_wish_arguments(parser)
    parser.add_argument("words", nargs="*", metavar="TEXT", help="the question; stdin is added")
    before = parser.add_mutually_exclusive_group()
    before.add_argument("-c", "--continue", action="store_true", dest="go_on",
                        help="go on with the newest session")  # fmt: skip
    before.add_argument("-r", "--resume", metavar="ID", help="go on with this session")
    parser.add_argument("--no-fallback", action="store_true",
                        help="only the first model; no other takes over")  # fmt: skip
    parser.add_argument("-y", "--yes", action="store_true",
                        help="answer yes to whatever is asked on the way")  # fmt: skip
    parser.add_argument("--system", metavar="TEXT", help="the system prompt, instead of yours")
    parser.add_argument("--max-output", type=count, metavar="TOKENS", help="the longest reply")
    parser.add_argument("--output-format", choices=_FORMS,
                        default="text", help="what stdout gets (default: text)")  # fmt: skip
    parser.add_argument("-q", "--quiet", action="store_true", help="tell only errors on stderr")


def add_wish_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that steer routing, shared with ``route``."""
    parser.add_argument("-m", "--model", default="", metavar="MODEL",
                        help="a model, or provider/model")  # fmt: skip
    parser.add_argument("--provider", default="", help="the provider to use")
    parser.add_argument("--task", default="", help="the task, instead of the detected one")
    parser.add_argument("-f", "--file", action="append", default=[], metavar="FILE",
                        help="attach a file; may be repeated")  # fmt: skip
    parser.add_argument("--local", action="store_true",
                        help="only models on this machine; nothing leaves it")  # fmt: skip


def wish_flags(args: argparse.Namespace) -> tuple[Flag, ...]:
    """The settings that those arguments change: with --local no other provider exists at all."""
    return (Flag("--local", "privacy.local", "true"),) if args.local else ()


def wish_of(args: argparse.Namespace, *, fallback: bool = True) -> Wish:
    """The wish that those arguments make."""
    return Wish(
        provider=args.provider,
        model=args.model,
        task=args.task,
        fallback=fallback,
        local=args.local,
    )


def openers(services: Services) -> list[str]:
    """What is told before a turn: what the user should know, and what was found."""
    notes = [f"note: {notice}" for notice in services.notices]
    return [inert(line) for line in (*notes, *(f"found: {one}" for one in services.settings.found))]


def run(args: argparse.Namespace) -> int:
    """Asks, prints, returns the exit code."""
    output = Output(args.output_format, quiet=args.quiet)
    try:
        return _run(args, output)
    except AircherError as error:
        return output.refuse(error)
    except KeyboardInterrupt:
        return output.stopped()
    finally:
        output.close()


def refuse(words: Sequence[str], error: UsageError) -> int:
    """Answers a command line that cannot be read, in the form that it asks for."""
    forms = [form for form in _FORMS if form in words or f"--output-format={form}" in words]
    return Output(forms[0] if forms else "text", quiet=False).refuse(error)


def _run(args: argparse.Namespace, output: Output) -> int:
    text = "\n\n".join(part for part in (" ".join(args.words), stdin_text()) if part)
    if not text.strip():
        raise UsageError(
            "There is no question.", hint='Try: aircher ask "what does HEAD~2 mean in git?"'
        )
    from aircher.bootstrap.compose import open_services

    return asyncio.run(_ask(open_services(wish_flags(args)), args, text, output))


async def _ask(services: Services, args: argparse.Namespace, text: str, output: Output) -> int:
    try:
        checked_task(args.task, services.settings.rules)
        checked_model(args.model, services.settings.rules)
        request = TurnRequest(
            text=text,
            session_id=session_to_continue(services.sessions, args.resume, newest=args.go_on),
            attachments=tuple(services.workspace.attach(path) for path in args.file),
            files=tuple(args.file),
            wish=wish_of(args, fallback=not args.no_fallback),
            system=args.system,
            max_output=args.max_output,
        )
        for line in openers(services):
            output.tell(line)
        turn = services.engine.turn(request)
        reading = asyncio.ensure_future(_read(services.engine, turn, output, yes=args.yes))
        loop = asyncio.get_running_loop()
        for number in _STOPS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                loop.add_signal_handler(number, reading.cancel)
        try:
            return await reading
        except asyncio.CancelledError:
            return output.stopped(services.sessions)
    finally:
        await services.aclose()


async def _read(
    engine: Engine, turn: AsyncGenerator[Event, None], output: Output, *, yes: bool
) -> int:
    enter = asking.Enter(engine.skip_wait, quiet=output.quiet)
    try:
        async with aclosing(turn) as events:
            async for event in events:
                enter.rest()
                output.show(event)
                if isinstance(event, Asking):
                    said, line = await asking.answer(event.question, always=yes)
                    output.tell(line)
                    engine.answer(event.question.id, yes=said)
                elif isinstance(event, Queued | Retrying):
                    enter.listen(event.wait_s)
    finally:
        enter.rest()
    return output.code


class Output:
    """Writes a turn's events: answers to stdout, narration to stderr."""

    def __init__(self, form: str, *, quiet: bool) -> None:
        self._form = form
        self.quiet = quiet
        self._line_open = False
        self._turn = Unfinished()
        self._ended = form == "text"
        self.code = EXIT_FAILED

    def tell(self, line: str, *, end: str = "\n") -> None:
        """A line of narration."""
        if line and not self.quiet:
            print(line, file=sys.stderr, flush=True, end=end)

    def show(self, event: Event) -> None:
        """One event, in the chosen form."""
        if self._form == "stream-json" or (
            self._form == "json" and isinstance(event, Finished | Failed)
        ):
            print_json(event_json(event))
        elif self._form == "text":
            self._text(event)
        self._turn.take(event)
        match event:
            case Failed(error):
                self._ended = True
                self.code = error.exit_code
                print(complaint(error), file=sys.stderr, flush=True)
            case Finished():
                self._ended = True
                self.code = EXIT_OK
        self.tell(narrate(event))

    def _text(self, event: Event) -> None:
        match event:
            case TextDelta(text) | RefusalDelta(text):
                sys.stdout.write(text)
                sys.stdout.flush()
                self._line_open = not text.endswith("\n") if text else self._line_open
            case FallingBack(continues=True):
                # What follows belongs to this line of the answer: only a screen that shows both
                # streams gets a break.
                if self._line_open and sys.stdout.isatty() and sys.stderr.isatty():
                    self.tell("\n", end="")
            case Asking() | FallingBack() | Escalating() | Finished() | Failed():
                if self._line_open:
                    sys.stdout.write("\n")
                    sys.stdout.flush()
                self._line_open = False

    def refuse(self, error: AircherError) -> int:
        """Nothing was asked, because of this; returns the exit code."""
        self._object(error)
        print(complaint(error), file=sys.stderr, flush=True)
        return error.exit_code

    def stopped(self, sessions: SessionStore | None = None) -> int:
        """The user interrupted: what came is kept in the session."""
        if self._line_open:
            sys.stdout.write("\n")
        if self._turn.asked:
            error = Cancelled("You stopped the answer; what came is kept in the session.")
            said = "stopped; what came is kept: go on with `aircher ask -c`"
        else:
            error = Cancelled("You stopped it before a model was asked.")
            said = "stopped; no model was asked"
        self._object(error, sessions)
        self.tell(said)
        return EXIT_CANCELLED

    def close(self) -> None:
        """Keeps the promise of one object where a fault of ours is on its way out."""
        error = sys.exc_info()[1]
        if isinstance(error, Exception) and not isinstance(error, OSError):  # stdout may be gone
            self._object(Bug(f"Something went wrong inside ({type(error).__name__})."))

    def _object(self, error: AircherError, sessions: SessionStore | None = None) -> None:
        """The result as one object, unless it was printed or none is wanted."""
        if not self._ended:
            self._ended = True
            print_json(result_json(self._turn.result(sessions), error))
