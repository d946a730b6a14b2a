"""``aircher route``: what would be chosen, and why.  No call is made."""

from __future__ import annotations

import argparse
import asyncio
import sys

from aircher.cli.ask import add_wish_arguments, openers, wish_flags, wish_of
from aircher.cli.naming import checked_model, checked_task
from aircher.cli.printing import print_json
from aircher.cli.reading import stdin_text
from aircher.domain.errors import EXIT_OK, UsageError
from aircher.domain.inert import inert
from aircher.domain.turns import Preview, TurnRequest


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    add_wish_arguments(parser)
    parser.add_argument("words", nargs="*", metavar="TEXT", help="the question; stdin is added")
    parser.add_argument("-s", "--strategy", metavar="NAME",
                        help="compare by this strategy (docs/routing.md)")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--batch", metavar="FILE",
                        help='one JSON request a line in, one answer a line out; "-" is stdin')  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Shows the choice; returns the exit code."""
    from aircher.bootstrap.compose import open_services
    from aircher.bootstrap.configuring import Flag

    if args.batch and (args.words or args.file):
        raise UsageError("--batch takes its requests from the file alone.")
    text = "" if args.batch else _text(args)
    flags = [Flag("--strategy", "routing.strategy", args.strategy)] if args.strategy else []
    services = open_services((*flags, *wish_flags(args)))

    async def look() -> Preview | int:
        try:
            checked_task(args.task, services.settings.rules)
            checked_model(args.model, services.settings.rules)
            if args.batch:
                from aircher.cli.batch import run_batch

                return run_batch(services.engine, args.batch, wish_of(args))
            request = TurnRequest(
                text=text,
                attachments=tuple(services.workspace.attach(path) for path in args.file),
                files=tuple(args.file),
                wish=wish_of(args),
            )
            return await services.engine.preview(request)
        finally:
            await services.aclose()

    if not args.batch:
        for line in openers(services):
            print(line, file=sys.stderr)
    found = asyncio.run(look())
    if isinstance(found, int):
        return found
    from aircher.cli import explaining

    rules = services.settings.rules
    if args.json:
        print_json(explaining.explanation_json(found, rules))
    else:
        print(inert("\n".join(explaining.lines(found, rules))))
    return EXIT_OK


def _text(args: argparse.Namespace) -> str:
    text = "\n\n".join(part for part in (" ".join(args.words), stdin_text()) if part)
    if not text.strip():
        raise UsageError("There is nothing to route.", hint='Try: aircher route "fix this test"')
    return text
