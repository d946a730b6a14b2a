"""How far a download is, on stderr."""

from __future__ import annotations

import time
from typing import TextIO

from aircher.cli.streams import drawing
from aircher.domain.inert import inert

_MB = 1_000_000
_BAR = 24
_FRAME_S = 0.1


class ProgressLine:
    """How far a download is: one line rewritten in place, or a single line where that is
    not possible (a pipe, a log file).  ``title`` says what is fetched, in plain words.
    """

    def __init__(self, out: TextIO, title: str) -> None:
        self._live = out.isatty()
        self._out = drawing(out) if self._live else out
        self._title = inert(title)
        self._shown_at = 0.0
        self._begun = False

    def __call__(self, done: int, total: int | None) -> None:
        """Shows that ``done`` of ``total`` bytes have come (total None = not known)."""
        if not self._live:
            if not self._begun:
                size = f" ({total / _MB:.0f} MB)" if total else ""
                print(f"{self._title}{size} ...", file=self._out, flush=True)
            self._begun = True
            return
        now = time.monotonic()
        if now - self._shown_at < _FRAME_S and done != total:
            return
        self._shown_at, self._begun = now, True
        self._out.write(f"\r{progress_text(self._title, done, total)}\x1b[K")
        self._out.flush()

    def close(self) -> None:
        """Ends the line."""
        if self._live and self._begun:
            self._out.write("\n")


def progress_text(title: str, done: int, total: int | None) -> str:
    """One line of progress, in plain ASCII; under 80 columns for a short title."""
    if not total:
        return f"{title}  {done / _MB:.0f} MB"
    filled = min(_BAR, _BAR * done // total)
    bar = "#" * filled + "-" * (_BAR - filled)
    return f"{title}  [{bar}]  {done / _MB:.0f}/{total / _MB:.0f} MB"
