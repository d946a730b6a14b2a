"""What the git hook runs: a message into git's file, in time or not at all.

Git waits for it with the user in front of it.  So there are three ends: the message; a comment
line that says why there is none; and, where the process itself hangs, a signal from the kernel,
after which the hook's script goes on alone.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence

from aircher.bootstrap.committing import open_repository
from aircher.bootstrap.hooking import open_hooks
from aircher.cli.commit_writing import Writing
from aircher.cli.narration import money
from aircher.domain.commits import CommitAsk, Written
from aircher.domain.errors import AircherError, Cancelled
from aircher.domain.hooks import HookSurroundings
from aircher.domain.inert import inert
from aircher.domain.routes import Wish
from aircher.policy.commit.hook import (
    comment_string,
    has_message,
    reason_to_skip,
    with_message,
    with_note,
)

DEADLINE_S = 8.0
"""How long a commit waits for its message at most."""

_CLOSING_S = 0.7
"""What is left of it for settling a call that is stopped."""

_KILLED_S = DEADLINE_S + 0.8


def fill_in(path: str, source: str) -> None:
    """Writes a message into git's message file where there is none; never raises ``AircherError``.

    ``source`` is the hook's second argument.
    """
    began = time.monotonic()
    if reason_to_skip(source, os.environ):
        return
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, _KILLED_S)
    file = _MessageFile(path, source)
    watch = threading.Timer(DEADLINE_S, file.give_up)
    watch.daemon = True
    watch.start()
    try:
        file.fill(began)
    except Cancelled:
        file.say("you stopped it")
    except TimeoutError:
        file.say(f"there was none within {DEADLINE_S:.0f} s")
    except AircherError as error:
        file.say(error.message)
    except (OSError, ValueError, LookupError) as error:
        file.say(str(error) or type(error).__name__)
    finally:
        watch.cancel()


class _MessageFile:
    """The file in which git keeps the message while it is being written.

    It is written once, by whoever is first: the message, or the watch that gives up.
    """

    def __init__(self, path: str, source: str) -> None:
        self._path = os.path.abspath(path)
        self._source = source
        self._first = threading.Lock()
        self._around = HookSurroundings()

    def fill(self, began: float) -> None:
        """Writes the message, if there is something to describe.  Raises what writing it raises."""
        self._around = open_hooks().surroundings()
        text = self._read()
        comment = comment_string(self._around, text)
        if has_message(text, comment, self._source):
            return
        repository = open_repository()
        setting = repository.setting()
        if reason_to_skip(self._source, os.environ, setting.operation):
            return
        changes = repository.staged()
        if not changes:
            return
        if sys.stderr.isatty():
            _tell("writing a message ...")
        left = DEADLINE_S - _CLOSING_S - (time.monotonic() - began)
        limit = max(left, 0.1)
        with Writing(Wish(), flags=(), quiet=False, limit_s=limit, alone=True) as writing:
            written = writing.write(CommitAsk(changes, setting))
        text = with_message(text, written.messages[0], comment)
        self._write_once(text, comment, _signed(written))

    def say(self, why: str) -> None:
        """Tells that there is no message, on stderr and in a comment line of the file."""
        line = f"aircher: no message was written: {why.rstrip('.')}."
        print(inert(line), file=sys.stderr, flush=True)
        try:
            text = self._read()
            self._write_once(text, comment_string(self._around, text), [line])
        except OSError:
            return  # told it is, and more cannot be done

    def give_up(self) -> None:
        """The time is over, and whatever hangs may hang on: git goes on."""
        self.say(f"there was none within {DEADLINE_S:.0f} s")
        os._exit(0)

    def _write_once(self, text: str, comment: str, notes: Sequence[str]) -> None:
        if self._first.acquire(blocking=False):
            noted = with_note(text, notes, comment, self._around.cleanup)
            with open(self._path, "wb") as file:
                file.write(noted.encode(*self._encoding()))

    def _read(self) -> str:
        with open(self._path, "rb") as file:
            return file.read().decode(*self._encoding())

    def _encoding(self) -> tuple[str, str]:
        """Git and the editor take the file for text in i18n.commitEncoding."""
        name = self._around.encoding or "utf-8"
        is_utf8 = name.lower().replace("-", "") == "utf8"
        return name, "surrogateescape" if is_utf8 else "replace"


def _signed(written: Written) -> list[str]:
    """Who wrote it, what it cost, and how to say no to it."""
    who = f"{written.ref}, {money(written.cost)}" if written.ref else "rules, without a model"
    line = f"aircher wrote this ({who}). Delete the message to stop the commit."
    return [line, *(f"aircher: {note}" for note in written.notes if written.ref)]


def _tell(line: str) -> None:
    print(f"aircher: {line}", file=sys.stderr, flush=True)
