"""``aircher branch``: a name for a branch, from your words or from what is staged."""

from __future__ import annotations

import argparse

from aircher.bootstrap.committing import open_past, open_repository
from aircher.cli.ask import wish_of
from aircher.cli.texts import add_arguments, write
from aircher.domain.changes import Changes
from aircher.domain.errors import NothingToDo
from aircher.domain.texts import TextAsk


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("text", nargs="*", metavar="TEXT", help="what it is for, in your words")
    add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Prints a valid name that no branch has: git switch -c "$(aircher branch TEXT)"."""
    return write(args, lambda: _ask(args))


def _ask(args: argparse.Namespace) -> TextAsk:
    repository = open_repository()
    words = " ".join([*args.text, args.hint]).strip()
    # What the words say is all that is sent of it; without words it is what is staged.
    changes = Changes(()) if words else repository.staged()
    if not words and not changes:
        raise NothingToDo("Nothing is staged.", hint="Say what it is for: aircher branch TEXT")
    taken = open_past(repository).branches()
    setting = repository.setting(history=False)
    return TextAsk("branch", changes, setting, hint=words, taken=taken,
                   wish=wish_of(args), offline=args.offline)  # fmt: skip
