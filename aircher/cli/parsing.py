"""An argument parser whose complaints are errors of ours."""

from __future__ import annotations

import argparse
from typing import NoReturn

from aircher.domain.errors import UsageError


class Parser(argparse.ArgumentParser):
    """Raises ``UsageError`` instead of ending the program; subparsers are of this class too."""

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
