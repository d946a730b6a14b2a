"""``aircher ask``: one question, the answer on stdout, the routing told on stderr."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing

from aircher.bootstrap.services import Services
from aircher.cli.contract import event_json, result_json
from aircher.cli.narration import complaint, narrate
from aircher.cli.reading import session_to_continue, stdin_text
from aircher.domain.chat import (
    RefusalDelta,
    ReplyBuilder,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
)
from aircher.domain.errors import EXIT_CANCELLED, EXIT_FAILED, EXIT_OK, Cancelled, UsageError
from aircher.domain.events import Event, Failed, FallingBack, Finished, Started, TurnResult
from aircher.domain.routes import Wish
from aircher.domain.turns import TurnRequest


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    add_wish_arguments(parser)
    parser.add_argument("words", nargs="*", metavar="TEXT", help="the question; stdin is added")
    parser.add_argument("-c", "--continue", action="store_true", dest="go_on",
                        help="go on with the newest session")  # fmt: skip
    parser.add_argument("-r", "--resume", metavar="ID", help="go on with this session")
    parser.add_argument("--no-fallback", action="store_true",
                        help="only the first model; no other takes over")  # fmt: skip
    parser.add_argument("--system", metavar="TEXT", help="the system prompt, instead of yours")
    parser.add_argument("--max-output", type=int, metavar="TOKENS", help="the longest reply")
    parser.add_argument("--output-format", choices=("text", "json", "stream-json"),
                        default="text", help="what stdout gets (default: text)")  # fmt: skip
    parser.add_argument("-q", "--quiet", action="store_true", help="tell nothing on stderr")


def add_wish_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that steer routing, shared with ``route``."""
    parser.add_argument("-m", "--model", default="", metavar="MODEL",
                        help="a model, or provider/model")  # fmt: skip
    parser.add_argument("--provider", default="", help="the provider to use")
    parser.add_argument("--task", default="", help="the task, instead of the detected one")
    parser.add_argument("-f", "--file", action="append", default=[], metavar="FILE",
                        help="attach a file; may be repeated")  # fmt: skip


def wish_of(args: argparse.Namespace, *, fallback: bool = True) -> Wish:
    """The wish that those arguments make."""
    return Wish(provider=args.provider, model=args.model, task=args.task, fallback=fallback)


def run(args: argparse.Namespace) -> int:
    """Asks, prints, returns the exit code."""
    text = "\n\n".join(part for part in (" ".join(args.words), stdin_text()) if part)
    if not text.strip():
        raise UsageError(
            "There is no question.", hint='Try: aircher ask "what does HEAD~2 mean in git?"'
        )
    from aircher.bootstrap.compose import open_services

    return asyncio.run(_ask(open_services(), args, text))


async def _ask(services: Services, args: argparse.Namespace, text: str) -> int:
    try:
        request = TurnRequest(
            text=text,
            session_id=session_to_continue(services.sessions, args.resume, newest=args.go_on),
            attachments=tuple(services.workspace.attach(path) for path in args.file),
            files=tuple(args.file),
            wish=wish_of(args, fallback=not args.no_fallback),
            system=args.system,
            max_output=args.max_output,
        )
        output = Output(args.output_format, quiet=args.quiet)
        for notice in services.notices:
            output.tell(f"note: {notice}")
        for found in services.settings.found:
            output.tell(f"found: {found}")
        reading = asyncio.ensure_future(_read(services.engine.turn(request), output))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, reading.cancel)
        try:
            return await reading
        except asyncio.CancelledError:
            return output.stopped()
    finally:
        await services.aclose()


async def _read(turn: AsyncGenerator[Event, None], output: Output) -> int:
    async with aclosing(turn) as events:
        async for event in events:
            output.show(event)
    return output.code


class Output:
    """Writes a turn's events: answers to stdout, narration to stderr."""

    def __init__(self, form: str, *, quiet: bool) -> None:
        self._form = form
        self._quiet = quiet
        self._line_open = False
        self._came = ReplyBuilder()
        self._started: Started | None = None
        self.code = EXIT_FAILED

    def tell(self, line: str) -> None:
        """A line of narration."""
        if line and not self._quiet:
            print(line, file=sys.stderr, flush=True)

    def show(self, event: Event) -> None:
        """One event, in the chosen form."""
        if self._form == "stream-json" or (
            self._form == "json" and isinstance(event, Finished | Failed)
        ):
            print(json.dumps(event_json(event), ensure_ascii=False), flush=True)
        elif self._form == "text":
            self._text(event)
        match event:
            case TextDelta() | ThinkingDelta() | RefusalDelta() | ToolCallDelta():
                self._came.add(event)
            case Started():
                self._started, self._came = event, ReplyBuilder()
            case Failed(error):
                self.code = error.exit_code
                print(complaint(error), file=sys.stderr, flush=True)
            case Finished():
                self.code = EXIT_OK
        self.tell(narrate(event))

    def _text(self, event: Event) -> None:
        match event:
            case TextDelta(text) | RefusalDelta(text):
                sys.stdout.write(text)
                sys.stdout.flush()
                self._line_open = not text.endswith("\n") if text else self._line_open
            case FallingBack() | Finished() | Failed():
                if self._line_open:
                    sys.stdout.write("\n")
                    sys.stdout.flush()
                self._line_open = False

    def stopped(self) -> int:
        """The user interrupted: what came is kept in the session."""
        if self._form != "text":
            error = Cancelled("You stopped the answer; what came is kept in the session.")
            came, at = self._came.reply(), self._started
            result = TurnResult(
                at.session_id if at else "",
                "",
                at.ref if at else None,
                text=came.text,
                thinking=came.thinking,
                tool_calls=came.tool_calls,
            )
            print(json.dumps(result_json(result, error), ensure_ascii=False), flush=True)
        elif self._line_open:
            sys.stdout.write("\n")
        self.tell("stopped; what came is kept: go on with `aircher ask -c`")
        return EXIT_CANCELLED
