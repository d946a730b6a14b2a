"""Every key of the [fallback] table.  How this class is read: see schema.py."""

# The field functions return a fresh dataclass field each time, as dataclasses.field does.

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from aircher.config.rows import each, setting
from aircher.config.values import WORD
from aircher.domain.classes import dataclass
from aircher.domain.settings import REACTIONS, BrokenAnswer, Consent, FallbackSettings, Reaction

_DEFAULT = FallbackSettings()
_AS_IT_IS = "; ".join(
    f"{reaction} after {', '.join(kind for kind in REACTIONS if REACTIONS[kind] == reaction)}"
    for reaction in dict.fromkeys(REACTIONS.values())
)


@dataclass(frozen=True)
class Fallback:
    """When another model takes over, and how."""

    consent: str = setting(
        WORD,
        _DEFAULT.consent,
        "Whether another model may take over, after a failure or near a limit: unasked, after a "
        "question, or not at all.",
        choices=get_args(Consent),
        project=False,
    )
    broken_answer: str = setting(
        WORD,
        _DEFAULT.broken_answer,
        "An answer that broke off: the next model goes on from it, begins anew, or is not asked.",
        choices=get_args(BrokenAnswer),
    )
    on: Mapping[str, str] = each(
        WORD,
        "What follows an error of a kind: the next model, the next after a question, only one "
        f"with a longer window, or none. As it is: {_AS_IT_IS}.",
        choices=get_args(Reaction),
        example="ask",
        under=("content_filter",),
        project=False,
    )
