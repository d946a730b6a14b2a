"""The three standard streams made fit for any text, and the words for a fault of ours."""

from __future__ import annotations

import io
import os
import sys
from types import TracebackType


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
    from aircher.domain.inert import inert

    said = inert(f"{kind.__name__}: {error}" if str(error) else kind.__name__)
    print(f"aircher: something went wrong inside ({said}).", file=sys.stderr)
    print(f"  This is a mistake in Aircher; please report it: {' < '.join(where[:-5:-1])}",
          file=sys.stderr)  # fmt: skip
