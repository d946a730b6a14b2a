"""The standard streams made fit, and safe, for any text, and the words for a fault of ours."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable

from aircher.domain.inert import inert

TYPE_CHECKING = False  # type checkers take it for True; importing typing would cost 4 ms
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, TextIO


class Inert:
    """A text stream through which no control character passes, whoever writes.

    What is foreign is made inert where it comes in; this is the second wall, at the last edge:
    a name in a usage error, a library's warning, a print that somebody forgot.
    """

    def __init__(self, stream: TextIO) -> None:
        self.plain = stream

    def write(self, text: str) -> int:
        """Writes the text made inert; the number of characters given."""
        self.plain.write(inert(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Writes each made inert."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)


def drawing(stream: TextIO) -> TextIO:
    """The stream under the wall, for the few who draw on the terminal themselves.

    Who takes it must make inert what is not their own.
    """
    return stream.plain if isinstance(stream, Inert) else stream


def prepare() -> None:
    """Call once, before anything is printed.

    A closed stream (``2>&-``) is one that nobody reads: Python would let narration for a missing
    stderr go to stdout.  A character that the terminal's encoding lacks becomes "?".
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # Open until the program ends.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
        setattr(sys, name, Inert(getattr(sys, name)))
    sys.excepthook = last_words


def last_words(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """What is told of an exception that nothing caught: where it was, for the report.

    The whole traceback is shown in Python's development mode.
    """
    if sys.flags.dev_mode:
        sys.__excepthook__(kind, error, trace)
        return
    where = []
    while trace is not None:
        code = trace.tb_frame.f_code
        where.append(f"{os.path.basename(code.co_filename)}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    from aircher.domain.masking import masked_for

    # A library's words may quote the header that held a key.
    said = inert(
        masked_for(os.environ, f"{kind.__name__}: {error}" if str(error) else kind.__name__)
    )
    print(f"aircher: something went wrong inside ({said}).", file=sys.stderr)
    print(f"  This is a mistake in Aircher; please report it: {' < '.join(where[:-5:-1])}",
          file=sys.stderr)  # fmt: skip
