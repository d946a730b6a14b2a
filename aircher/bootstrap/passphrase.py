"""Asking for a secret at the terminal, without echo."""

from __future__ import annotations

import os
import sys
import warnings


def at_terminal(prompt: str) -> str | None:
    """What was typed; None where there is no terminal to ask at, or nothing was typed.

    The terminal itself is asked, so that piped input and output stay as they are.
    """
    import getpass

    if not _is_there():
        return None
    try:
        with warnings.catch_warnings():
            # Where echo cannot be turned off nothing is asked: the secret would be seen.
            warnings.simplefilter("error", getpass.GetPassWarning)
            return getpass.getpass(prompt) or None
    except (EOFError, OSError, getpass.GetPassWarning):
        return None


def nobody(_prompt: str) -> str | None:
    """For where the terminal is not ours to use."""
    return None


def _is_there() -> bool:
    if sys.platform == "win32":
        return sys.stdin.isatty()
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
