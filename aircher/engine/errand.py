"""What all legs of a turn share."""

from __future__ import annotations

from dataclasses import field

from aircher.domain.classes import dataclass
from aircher.domain.events import Attempt
from aircher.engine.consent import Asked


@dataclass(frozen=True, slots=True)
class Errand:
    """What all legs of a turn share.

    ``started`` is in the clock's monotonic seconds, ``deadline`` in the event loop's time.
    ``attempts`` is the turn's record: every leg that has ended, a summary's included.
    ``keep`` False: no message is made of the answers.
    ``allowed_nano``: the user said yes to a request of so many nano-dollars, over the limit.
    ``local``: it must not leave this machine.  ``asked`` puts questions to the user (None: nobody
    can be asked).
    """

    session_id: str
    task: str
    evidence: str
    started: float
    deadline: float
    attempts: list[Attempt] = field(default_factory=list)
    keep: bool = True
    allowed_nano: int = 0
    local: bool = False
    asked: Asked | None = None

    @property
    def spent_nano(self) -> int:
        """What the turn's calls have cost so far, as far as it is known."""
        return sum(attempt.cost.nano_usd or 0 for attempt in self.attempts)
