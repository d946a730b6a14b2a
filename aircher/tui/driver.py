"""Textual's driver for Unix terminals, made patient: bad bytes and a lost terminal end no chat."""

from __future__ import annotations

import os
import selectors
import threading
from codecs import getincrementaldecoder
from contextlib import suppress
from typing import IO, Any, cast

from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from aircher.domain.inert import inert

_READ_BYTES = 4096
_TICK_S = 0.1
_CLOSING_S = 5.0


_PASTE, _PASTED = "\x1b[200~", "\x1b[201~"


class Pastes:
    """Takes controls out of what is pasted, before it can be read as keys.

    Textual's parser gives an escape sequence inside a paste that it does not know on as keys, so
    a text copied from somewhere could press Ctrl+G.  A terminal marks where a paste begins and
    ends; between the marks only text, tabs and line ends pass.
    """

    def __init__(self) -> None:
        self._inside = False
        self._rest = ""

    def harmless(self, text: str) -> str:
        """The input so far; the beginning of a mark is held back until the rest of it comes."""
        made, left = [], self._rest + text
        self._rest = ""
        while left:
            mark = _PASTED if self._inside else _PASTE
            before, found, left = left.partition(mark)
            if not found:
                # A lone Escape or Alt+[ outside a paste is a key, and keys do not wait.
                held = _beginning(mark, before, least=1 if self._inside else 3)
                before, self._rest = before[: len(before) - held], before[len(before) - held :]
            made.append(self._passed(before) + found)
            self._inside ^= bool(found)
        return "".join(made)

    def _passed(self, text: str) -> str:
        if not self._inside:
            return text
        return "\r".join(inert(line) for line in text.split("\r"))


def _beginning(mark: str, text: str, least: int) -> int:
    """How many characters at the end of ``text`` begin the mark, of at least so many."""
    longest = min(len(mark) - 1, len(text))
    return next((n for n in range(longest, least - 1, -1) if text.endswith(mark[:n])), 0)


class LastingScreen:
    """The terminal's file, which takes what is written even where the terminal is gone.

    A failing write would end Textual's output thread; thirty pictures later its queue is full,
    and the whole app waits for ever for a place in it, deaf to signals.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Writes it, or lets it go."""
        with suppress(OSError, ValueError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        """Sends what was written, or lets it go."""
        with suppress(OSError, ValueError):
            self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class PatientDriver(LinuxDriver):
    """Reads the keyboard as ``LinuxDriver`` does, with four differences.

    Bytes that are no UTF-8 (a Latin-1 terminal, a binary paste) arrive as U+FFFD; the original
    decodes strictly, and a single one ends the program.  Where the terminal is gone, reading
    stops and the app leaves; the original would read the same nothing again and again, and wait
    at its writer (``LastingScreen``).  A paste presses no keys (``Pastes``).
    """

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._file: Any = LastingScreen(cast("IO[str]", self._file))

    def close(self) -> None:
        """Ends the driver; where the terminal is gone its writer may wait for ever, and we do not.

        Everything is on disk by then: the answer is written while it comes.
        """
        late = threading.Timer(_CLOSING_S, os._exit, (129,))
        late.daemon = True
        late.start()
        try:
            super().close()
        finally:
            late.cancel()

    def run_input_thread(self) -> None:
        """Waits for input and passes it on until the app leaves."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        pastes = Pastes()
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_TICK_S):
                    data = self._read()
                    if not data:
                        self._app.call_later(self._app.exit, 0)
                        break
                    for event in parser.feed(pastes.harmless(decode(data))):
                        self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)
        try:
            for event in parser.feed(""):
                self.process_message(event)
        except (EOFError, ParseError):  # an unfinished sequence at the very end
            pass

    def _read(self) -> bytes:
        """What is there; nothing where the terminal is gone."""
        try:
            return os.read(self.fileno, _READ_BYTES)
        except OSError:
            return b""
