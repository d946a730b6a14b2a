"""``aircher pr``: title and description of a pull request, from the branch's commits and diff."""

from __future__ import annotations

import argparse

from aircher.bootstrap.committing import open_past, open_repository
from aircher.cli.ask import wish_of
from aircher.cli.texts import add_arguments, write
from aircher.domain.errors import NothingToDo
from aircher.domain.texts import TextAsk


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("--base", default="", metavar="BRANCH",
                        help="what it goes to; the default branch if not given")  # fmt: skip
    add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the title, a blank line and the description."""
    return write(args, lambda: _ask(args))


def _ask(args: argparse.Namespace) -> TextAsk:
    repository = open_repository()
    past = open_past(repository)
    base = args.base or past.base()
    changes = repository.between(f"{base}...HEAD")
    if not changes:
        raise NothingToDo(f"This branch changes nothing against {base}.")
    commits = tuple(past.commits(f"{base}..HEAD"))
    setting = repository.setting()
    return TextAsk("pr", changes, setting, commits, args.hint,
                   wish=wish_of(args), offline=args.offline)  # fmt: skip
