"""What the program asks its user in the middle of a turn: a plain yes or no."""

from __future__ import annotations

from typing import Literal

from aircher.domain.classes import dataclass

QuestionKind = Literal["fallback", "downgrade", "cost", "unusual", "secret", "fresh_start"]
"""Why it is asked: another model would take over; a cheaper one would, because of a limit; one
request above its limit; spending unlike the user's own past; a secret would leave the machine; a
broken-off answer would begin anew."""


@dataclass(frozen=True, slots=True)
class Question:
    """One yes-or-no question.  ``text`` is one sentence that ends with a question mark.

    ``detail`` says more for those who look (may be several lines); ``yes`` and ``no`` name what
    either answer does ("Ask claude instead", "Stop here").
    """

    id: int
    kind: QuestionKind
    text: str
    detail: str = ""
    yes: str = "Yes"
    no: str = "No"
