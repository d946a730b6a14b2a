"""What a turn that failed ends with: the most useful error, and what was done about it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from datetime import datetime, timedelta

from aircher.domain.errors import AircherError, Paused, ProviderError, StorageError
from aircher.domain.models import ModelRef
from aircher.engine.errand import Errand
from aircher.policy.fallback import most_useful


def told(
    errors: Sequence[tuple[ModelRef, AircherError]], errand: Errand, text: str, now: datetime
) -> AircherError:
    """The error for the user; ``text`` is what stands of the answer."""
    calls = sum(one.outcome != Paused.kind for one in errand.attempts)
    kept = "the question and the part that came" if text else "the question"
    return _with_moment(most_useful(errors, calls, kept if errand.keep else ""), now)


def not_kept(error: StorageError, file: str, text: str) -> StorageError:
    """The error of an answer that was not kept whole; ``file`` is where its text is ("" = nowhere)."""
    if not text:
        return error
    where = (
        f"All of the answer that came is in {file}."
        if file
        else "It could not be saved elsewhere either: what you see of it is all there is."
    )
    return StorageError(
        f"{error.message} The answer is not kept whole in the session.",
        hint=f"{where} {error.hint}".strip(),
    )


_LONG_S = 60.0
"""From here on a wait is told with the time at which it is over."""


def _with_moment(error: AircherError, now: datetime) -> AircherError:
    """A long wait is told with its end, by the user's clock."""
    wait = error.retry_after if isinstance(error, ProviderError) else None
    if wait is None or wait < _LONG_S:
        return error
    over = now + timedelta(seconds=wait)
    day = "" if over.date() == now.date() else f" on {over.day} {over:%B}"
    dated = copy(error)
    dated.hint = f"{error.hint} The wait is over at {over:%H:%M}{day}."
    return dated
