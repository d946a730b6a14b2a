"""What a turn that failed ends with: the most useful error, and what was done about it."""

from __future__ import annotations

from collections.abc import Sequence

from aircher.domain.errors import AircherError, Paused
from aircher.domain.models import ModelRef
from aircher.engine.errand import Errand
from aircher.policy.fallback import most_useful


def told(
    errors: Sequence[tuple[ModelRef, AircherError]], errand: Errand, text: str
) -> AircherError:
    """The error for the user; ``text`` is what stands of the answer."""
    calls = sum(one.outcome != Paused.kind for one in errand.attempts)
    kept = "the question and the part that came" if text else "the question"
    return most_useful(errors, calls, kept if errand.keep else "")
