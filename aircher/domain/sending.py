"""How far a request got on its way out: told by who carries it, read by who pays for it.

A call that never left costs nothing, and one that went silent afterwards may be billed.  Between
the two are an SDK and an HTTP library that pass no object of ours through, so that the word goes by
a context variable: the transport runs in the task that asks.
"""

from __future__ import annotations

from contextvars import ContextVar


class Sending:
    """One request.  ``left`` is False only where it is known that nothing of it was sent yet."""

    def __init__(self) -> None:
        self.left = True

    def watch(self) -> None:
        """From here on what is told in this task is about this request."""
        _PRESENT.set(self)


_PRESENT: ContextVar[Sending | None] = ContextVar("sending", default=None)


def is_connecting() -> None:
    """A connection for the present request is looked for; nothing of it has left."""
    _tell(left=False)


def has_left() -> None:
    """The first bytes of the present request are on their way."""
    _tell(left=True)


def _tell(*, left: bool) -> None:
    present = _PRESENT.get()
    if present is not None:
        present.left = left
