"""The command table, the parser made from it, and the one place where errors become exit codes.

A command is a module of this package with two functions: ``configure(parser)`` declares its
arguments, ``run(args)`` does the work and returns an exit code; a third, ``refuse(words, error)``, may
answer a command line that cannot be read.  The table names them, so that help imports no command
and a command imports no other.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import sys
from collections.abc import Callable, Sequence

from aircher.cli import chat
from aircher.cli.parsing import Parser
from aircher.domain.errors import (
    EXIT_CANCELLED,
    EXIT_OK,
    EXIT_STORAGE,
    AircherError,
    StorageError,
    UsageError,
)
from aircher.domain.inert import inert

COMMANDS: dict[str, str] = {
    "ask": "ask once, answer on stdout",
    "commit": "write the message for what is staged, and commit it",
    "hook": "git's own commit begins with a written message: install, uninstall, status",
    "pr": "write the title and description of a pull request",
    "changelog": "write the changelog entry for a range of commits",
    "branch": "name a branch for a change",
    "route": "show which model would be chosen and why; no call is made",
    "task": "what you corrected of task detection: history, correct, forget",
    "models": "list the models that can be used, with prices",
    "sessions": "list, show, search, export and remove conversations",
    "provider": "status, list, switch and reset of providers",
    "prices": "the prices bills are made with; fetch a newer list",
    "costs": "what was spent, by provider, model and task",
    "trust": "let a project's .aircher.toml count, as it is now",
    "keys": "store, list, try, replace and remove API keys",
    "guard": "what is kept from leaving: kinds, allowed values, a check of files",
    "config": "show, check, edit and set the configuration",
    "pull": "have a server on this machine fetch a model (Ollama)",
    "local": "fetch, show and remove the built-in model",
    "doctor": "check Python, terminal, keys, endpoints and database",
    "completions": "print a shell completion script",
}


def build_parser(only: str = "") -> argparse.ArgumentParser:
    """The whole parser; with ``only``, just that command's arguments are filled in."""
    parser = Parser(
        prog="aircher",
        description="A terminal chat client that sends each request to the right model.",
        epilog="Without a command the chat opens.  Exit codes: see docs/cli.md.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.add_argument("-p", "--print", metavar="TEXT", help="the same as: aircher ask TEXT")
    # Taken by argv.log_flags before anything is parsed; here for the help.
    log = parser.add_argument_group("the log, with every command")
    log.add_argument(
        "--log", metavar="FILE", help="write what happens there; never a prompt or key"
    )
    log.add_argument("--log-level", metavar="LEVEL", help="error, warning, info or debug")
    log.add_argument("--log-prompts", action="store_true", help="write prompts and answers too")
    chat.add_arguments(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, summary in COMMANDS.items():
        sub = commands.add_parser(
            name, help=summary, description=summary[0].upper() + summary[1:] + "."
        )
        if name == only or not only:
            module = importlib.import_module(f"aircher.cli.{name}")
            module.configure(sub)
            sub.set_defaults(run=module.run)
    return parser


def complain(error: AircherError) -> None:
    """One sentence and the next step, on stderr."""
    text = f"aircher: {error.message}"
    print(inert(f"{text}\n  {error.hint}" if error.hint else text), file=sys.stderr)


_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def guarded(work: Callable[[], int]) -> int:
    """Does the work; an error of ours becomes a sentence and its exit code."""
    try:
        code = work()
        sys.stdout.flush()  # here, and not while the interpreter ends, where it would be a fault
    except AircherError as error:
        complain(error)
        return error.exit_code
    except KeyboardInterrupt:
        print("aircher: stopped.", file=sys.stderr)
        return EXIT_CANCELLED
    except BrokenPipeError:
        # The reader of our output went away (`aircher models | head`); that is its right.
        _drop_output()
        return EXIT_OK
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        _drop_output()
        complain(
            StorageError(
                f"The output cannot be written: {error.strerror}.",
                hint="Free some space, or send it elsewhere; what a conversation got is kept.",
            )
        )
        return EXIT_STORAGE
    return code


def _drop_output() -> None:
    """Lets what is still to be written go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(argv: Sequence[str]) -> int:
    """Runs one command, which comes first in ``argv``; returns its exit code."""
    only = argv[0] if argv and argv[0] in COMMANDS else ""
    try:
        args, unknown = build_parser(only or "none").parse_known_args(argv)
        if unknown:
            hint = f"`{' '.join(filter(None, ('aircher', only)))} --help` shows what it takes."
            raise UsageError(f"Unrecognized arguments: {' '.join(unknown)}.", hint=hint)
    except UsageError as error:
        if only:
            command = importlib.import_module(f"aircher.cli.{only}")
            if hasattr(command, "refuse"):
                return int(command.refuse(argv, error))
        complain(error)
        return error.exit_code
    return guarded(lambda: int(args.run(args)))
