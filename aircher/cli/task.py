"""``aircher task``: correct what a request was taken for, see the corrections, forget them."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence

from aircher.bootstrap.clock import LOCAL
from aircher.bootstrap.opening import records
from aircher.cli.parsing import count
from aircher.cli.printing import print_json
from aircher.cli.reading import stdin_text
from aircher.cli.table import table
from aircher.domain.errors import EXIT_OK, UsageError
from aircher.domain.inert import inert
from aircher.domain.tasks import Correction
from aircher.domain.turns import TurnRequest


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    told = actions.add_parser("correct", help="say which task a request is; like ones follow")
    told.add_argument("task", metavar="TASK")
    told.add_argument("words", nargs="*", default=[], metavar="TEXT",
                      help="the request's text; stdin is added (default: the latest request)")  # fmt: skip
    told.add_argument("-r", "--resume", metavar="ID", default="",
                      help="the latest request of this session")  # fmt: skip
    past = actions.add_parser("history", help="every correction, the latest last")
    past.add_argument("--json", action="store_true", help="a JSON array")
    gone = actions.add_parser("forget", help="undo a correction, or all of them")
    which = gone.add_mutually_exclusive_group(required=True)
    which.add_argument("id", metavar="ID", nargs="?", type=count, help="as in the history")
    which.add_argument("--all", action="store_true", help="all of them")


def run(args: argparse.Namespace) -> int:
    """Does one of the actions; returns the exit code."""
    return _ACTIONS[args.action](args)


def _correct(args: argparse.Namespace) -> int:
    from aircher.bootstrap.compose import open_services

    text = "\n\n".join(part for part in (" ".join(args.words), stdin_text()) if part)
    services = open_services()
    learning = services.engine.learning

    async def taught() -> Correction:
        try:
            if text:
                found = await services.engine.detect(TurnRequest(text, keep=False))
                return learning.learn(text, wrong=found.task, task=args.task)
            session = args.resume
            if not session:
                latest = services.sessions.list(limit=1)
                session = latest[0].id if latest else ""
            if not session:
                raise UsageError("There is no request to correct.", hint="Name its text.")
            return learning.correct(session, args.task)
        finally:
            await services.aclose()

    made = asyncio.run(taught())
    print(
        inert(
            f"{_excerpt(made)!r} is {made.task}"
            + (f", not {made.wrong}" if made.wrong and made.wrong != made.task else "")
            + f"; undo with: aircher task forget {made.id}"
        ),
        file=sys.stderr,
    )
    return EXIT_OK


def _history(args: argparse.Namespace) -> int:
    with records() as opened:
        made = opened.corrections.all()
    if args.json:
        print_json(
            [
                {
                    "id": one.id,
                    "at": one.at.isoformat(timespec="seconds"),
                    "wrong": one.wrong,
                    "task": one.task,
                    "text": inert(one.text),
                }
                for one in made
            ]
        )
    elif made:
        print(table(_HEAD, [_row(one) for one in made], right=frozenset({0})))
    else:
        print("Nothing was corrected yet.", file=sys.stderr)
    return EXIT_OK


_HEAD = ("ID", "CORRECTED", "WAS", "IS", "TEXT")


def _row(one: Correction) -> Sequence[str]:
    at = one.at.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M")
    return (str(one.id), at, inert(one.wrong) or "-", inert(one.task), _excerpt(one))


def _excerpt(one: Correction) -> str:
    text = " ".join(inert(one.text).split())
    return text if len(text) <= 60 else text[:59] + "…"


def _forget(args: argparse.Namespace) -> int:
    with records() as opened:
        gone = opened.corrections.forget(None if args.all else args.id)
    if not gone and not args.all:
        raise UsageError(
            f"There is no correction {args.id}.", hint="`aircher task history` shows them all."
        )
    print(f"Forgot {gone} correction{'' if gone == 1 else 's'}.", file=sys.stderr)
    return EXIT_OK


_ACTIONS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "correct": _correct,
    "history": _history,
    "forget": _forget,
}
