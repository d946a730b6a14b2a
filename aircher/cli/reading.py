"""What commands read besides their arguments."""

from __future__ import annotations

import os
import stat
import sys

from aircher.domain.errors import UsageError
from aircher.domain.ports import SessionStore


def stdin_text() -> str:
    """Standard input when something is piped or redirected there, else "".

    Undecodable bytes are replaced: a log with one bad byte is still a question.
    """
    if sys.stdin is None:  # closed by the caller; descriptor 0 may be some other file by now
        return ""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return ""
    if not (stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)):
        return ""
    return sys.stdin.buffer.read().decode("utf-8", "replace").strip("\n")


def session_to_continue(sessions: SessionStore, wanted: str | None, *, newest: bool) -> str:
    """The id of the session to go on with, or "" for a new one.

    Raises ``UsageError`` where there is none.
    """
    if wanted is not None:
        return sessions.info(wanted).id
    if not newest:
        return ""
    latest = sessions.list(limit=1)
    if not latest:
        raise UsageError("There is no session to go on with.", hint="Leave out -c.")
    return latest[0].id
