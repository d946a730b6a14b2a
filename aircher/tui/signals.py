"""Being ended from outside: the terminal is put back, and what came of an answer is kept."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress

ENDING = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGINT")
"""By name, since not every system has them.  Their default is to end the process at once,
which leaves the terminal in its raw mode, on the other screen, reporting the mouse.  Ctrl+C in
the app is a key: a SIGINT comes from outside, too."""


def leave_on_signals(leave: Callable[[int], object]) -> None:
    """Calls ``leave`` with a shell's exit code (128 + the signal's number) at any of them.

    Must be called on the running event loop's thread.
    """
    loop = asyncio.get_running_loop()
    for name in ENDING:
        number = getattr(signal, name, None)
        # Windows' loop has no such handlers, and only the main thread may set them.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            if number is not None:
                loop.add_signal_handler(number, leave, 128 + number)
