"""What `aircher pr`, `changelog` and `branch` share: arguments, the writing, the output."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from aircher.cli import contract
from aircher.cli.ask import wish_flags, wish_of
from aircher.cli.commit_writing import Writing
from aircher.cli.narration import complaint, money
from aircher.cli.printing import print_json
from aircher.domain.errors import EXIT_OK, AircherError, Cancelled
from aircher.domain.texts import TextAsk, WrittenText


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that all three take."""
    parser.add_argument("--hint", default="", metavar="TEXT", help="why, in your words")
    parser.add_argument(
        "-m", "--model", default="", metavar="MODEL", help="a model, or provider/model"
    )
    parser.add_argument("--provider", default="", help="the provider to use")
    parser.add_argument("--task", default="", help="the task, instead of commit_messages")
    parser.add_argument("--local", action="store_true",
                        help="only models on this machine; nothing leaves it")  # fmt: skip
    parser.add_argument("--offline", action="store_true", help="by rules alone, no model is asked")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("-q", "--quiet", action="store_true", help="tell only errors on stderr")


def write(args: argparse.Namespace, ask: Callable[[], TextAsk]) -> int:
    """Writes the text and prints it; returns the exit code."""
    try:
        wanted = ask()
        with Writing(wish_of(args), flags=wish_flags(args), quiet=args.quiet) as writing:
            written = writing.text(wanted)
            _print(written, as_json=args.json)
            if written.ref is not None:
                writing.tell(f"{written.ref}  {money(written.cost)}")
    except AircherError as error:
        return _refused(error, as_json=args.json)
    except KeyboardInterrupt:
        return _refused(Cancelled("You stopped it."), as_json=args.json)
    return EXIT_OK


def _print(written: WrittenText, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "title": written.title,
                "body": written.body,
                "source": written.source,
                "provider": written.ref.provider if written.ref else None,
                "model": written.ref.model if written.ref else None,
                "cost": contract.cost_json(written.cost),
                "notes": list(written.notes),
                "error": None,
            }
        )
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(str(written).encode("utf-8", "replace"))
    sys.stdout.buffer.flush()


def _refused(error: AircherError, *, as_json: bool) -> int:
    if as_json:
        print_json({"title": "", "body": "", "error": contract.error_json(error)})
    print(complaint(error), file=sys.stderr)
    return error.exit_code
