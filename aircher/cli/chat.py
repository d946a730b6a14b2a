"""``aircher`` without a command: the flags of the chat."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from aircher.domain.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The chat's own flags; the top of ``aircher --help`` shows them too."""
    made = parser.add_argument_group("the chat")
    made.add_argument("-c", "--continue", action="store_true", dest="go_on",
                      help="go on with the newest session")  # fmt: skip
    made.add_argument("-r", "--resume", metavar="ID", default="", help="go on with this session")
    made.add_argument("-m", "--model", default="", help="a model, or provider/model")
    made.add_argument("--provider", default="", help="the provider to use")
    made.add_argument("--task", default="", help="the task, instead of the detected one")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The chat's flags.  Raises ``UsageError`` where there is no terminal to chat in."""
    parser = argparse.ArgumentParser(prog="aircher", description="Opens the chat.")
    add_arguments(parser)
    args = parser.parse_args(argv)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "The chat needs a terminal.", hint='Without one, ask like this: aircher ask "..."'
        )
    return args
