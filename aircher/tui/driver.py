"""Textual's driver for Unix terminals, made patient: bad bytes and a lost terminal end no chat."""

from __future__ import annotations

import os
import selectors
from codecs import getincrementaldecoder

from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

_READ_BYTES = 4096
_TICK_S = 0.1


class PatientDriver(LinuxDriver):
    """Reads the keyboard as ``LinuxDriver`` does, with two differences.

    Bytes that are no UTF-8 (a Latin-1 terminal, a binary paste) arrive as U+FFFD; the original
    decodes strictly, and a single one ends the program.  Where the terminal is gone, reading
    stops and the app leaves; the original would read the same nothing again and again.
    """

    def run_input_thread(self) -> None:
        """Waits for input and passes it on until the app leaves."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_TICK_S):
                    data = self._read()
                    if not data:
                        self._app.call_later(self._app.exit, 0)
                        break
                    for event in parser.feed(decode(data)):
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
