"""An argument parser whose complaints are errors of ours."""

from __future__ import annotations

import argparse
import os
import sys

from aircher.domain.errors import UsageError

TYPE_CHECKING = False  # type checkers take it for True; importing typing would cost 4 ms
if TYPE_CHECKING:
    from typing import Any, NoReturn


def _width() -> int:
    """The terminal's columns: as shutil finds them, the import of which takes 2 ms."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]  # no stream: below
    except (AttributeError, ValueError, OSError):  # none, a closed one, or no terminal
        return 80


class _Formatter(argparse.HelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_width() - 2)


class Parser(argparse.ArgumentParser):
    """Raises ``UsageError`` instead of ending the program; subparsers are of this class too."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": _Formatter, **options})

    def error(self, message: str) -> NoReturn:
        """A command line that makes no sense."""
        sentence = message[:1].upper() + message[1:]
        raise UsageError(f"{sentence}.", hint=f"`{self.prog} --help` shows what it takes.")


def count(text: str) -> int:
    """A whole number of at least 1."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number
