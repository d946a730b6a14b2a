"""``aircher`` without a command: the flags of the chat."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Sequence

from aircher.cli.parsing import Parser
from aircher.domain.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The chat's own flags; the top of ``aircher --help`` shows them too."""
    made = parser.add_argument_group("the chat")
    made.add_argument("-c", "--continue", action="store_true", dest="go_on",
                      help="go on with the newest session")  # fmt: skip
    made.add_argument("-r", "--resume", metavar="ID", default="", help="go on with this session")
    made.add_argument("-m", "--model", default="", help="a model, or provider/model")
    made.add_argument("--provider", default="", help="the provider to use")
    made.add_argument("--local", action="store_true",
                      help="only models on this machine; nothing leaves it")  # fmt: skip
    made.add_argument("--task", default="", help="the task, instead of the detected one")


def parse(argv: Sequence[str], commands: Collection[str] = ()) -> argparse.Namespace:
    """The chat's flags; ``commands`` are those that a mistyped word may have meant.

    Raises ``UsageError`` for a word that is no command, and where there is no terminal.
    """
    parser = Parser(prog="aircher", description="Opens the chat.")
    add_arguments(parser)
    args, others = parser.parse_known_args(argv)
    if others:
        raise _unknown(others[0], commands)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "The chat needs a terminal.", hint='Without one, ask like this: aircher ask "..."'
        )
    return args


def _unknown(word: str, commands: Collection[str]) -> UsageError:
    if word.startswith("-"):
        return UsageError(f"There is no flag {word}.", hint="`aircher --help` shows them.")
    from difflib import get_close_matches

    near = get_close_matches(word, commands, 1)
    hint = f"Did you mean: aircher {near[0]}?" if near else 'To ask a question: aircher ask "..."'
    return UsageError(f"There is no command {word!r}.", hint=hint)
