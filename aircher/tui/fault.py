"""What is told of a fault of ours that ended the app."""

from __future__ import annotations

import os
import sys
from io import StringIO

from rich.console import Console
from rich.text import Text
from rich.traceback import Traceback

from aircher.domain.inert import inert
from aircher.domain.masking import masked_for

_KEPT = "A fault in Aircher ended it. The chat is kept: `aircher -c` goes on with it."


def told(width: int) -> Text:
    """Where the exception that is being handled happened, and that the chat is kept.

    Without variables and with keys masked.  Without colours: stderr lets no escape sequence
    through, so that "[31m" would be left of one.
    """
    kind, error, where = sys.exc_info()
    assert kind is not None
    assert error is not None
    trace = Traceback.extract(kind, error, where, show_locals=False)
    for stack in trace.stacks:
        stack.exc_value = inert(masked_for(os.environ, stack.exc_value))
    plain = Console(file=StringIO(), color_system=None, width=width)
    with plain.capture() as said:
        plain.print(Traceback(trace), _KEPT, highlight=False)
    return Text(said.get().rstrip())
