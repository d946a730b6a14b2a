"""``aircher changelog``: the entry for a range of commits, in the form of the changelog there is."""

from __future__ import annotations

import argparse

from aircher.bootstrap.committing import open_past, open_repository
from aircher.cli.ask import wish_of
from aircher.cli.texts import add_arguments, write
from aircher.domain.errors import NothingToDo, UsageError
from aircher.domain.texts import TextAsk


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("range", nargs="?", default="", metavar="A..B",
                        help="the commits; since the last tag if not given")  # fmt: skip
    add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the entry as Markdown points."""
    return write(args, lambda: _ask(args))


def _ask(args: argparse.Namespace) -> TextAsk:
    repository = open_repository()
    past = open_past(repository)
    wanted = args.range
    if not wanted:
        tag = past.last_tag()
        if not tag:
            raise UsageError("There is no tag to begin from.", hint="Name the commits: A..B")
        wanted = f"{tag}..HEAD"
    elif ".." not in wanted:
        wanted = f"{wanted}..HEAD"
    changes = repository.between(wanted)
    commits = tuple(past.commits(wanted))
    if not commits and not changes:
        raise NothingToDo(f"There is nothing in {wanted}.")
    setting = repository.setting()
    return TextAsk("changelog", changes, setting, commits, args.hint, past.changelog(),
                   wish=wish_of(args), offline=args.offline)  # fmt: skip
