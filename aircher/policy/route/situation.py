"""What routing looks at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime
from typing import Protocol

from aircher.domain.classes import dataclass
from aircher.domain.models import ModelFacts, ModelRef, Speed
from aircher.domain.routes import Complexity, Estimate, Rules, Wish


class Known(Protocol):
    """What was worked out of the rules before (``board.Board``)."""

    rules: Rules

    def pool(self, situation: Situation) -> Mapping[ModelRef, None]:
        """Every model that may be compared, each once, in the user's order."""
        ...


def unmeasured() -> Mapping[ModelRef, Speed]:
    """No model was measured."""
    return {}


@dataclass(frozen=True, slots=True)
class Situation:
    """What routing looks at besides the rules.

    ``estimate`` prices a model for this very prompt; ``blocked`` maps models whose breaker
    is open to the reason; ``needs`` are the features the request itself requires; ``speeds`` gives
    what was measured, by model; ``confidence`` how sure the task is; ``now`` the time in the
    user's time zone (None: rules with hours or days do not apply); ``branch`` and ``files`` are
    the work tree's branch and the paths given.  ``board`` is what was worked out of the rules
    before, for whoever plans more than once.
    """

    task: str
    wish: Wish
    facts: Callable[[ModelRef], ModelFacts]
    estimate: Callable[[ModelRef], Estimate]
    blocked: Mapping[ModelRef, str] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()
    asks: frozenset[str] = frozenset()
    """What else the request is about, for the user's rules alone: "documents", "json"."""
    speeds: Callable[[], Mapping[ModelRef, Speed]] = unmeasured
    confidence: float = 1.0
    now: datetime | None = None
    branch: str = ""
    files: tuple[str, ...] = ()
    complexity: Complexity = field(default_factory=lambda: Complexity(0))
    tier: str = ""
    """A tier that a rule of the user's asks for ("" = the task's own)."""

    board: Known | None = None

    def speed(self, ref: ModelRef) -> Speed | None:
        """What was measured of the model; None if it did not answer here of late."""
        return self.speeds().get(ref)

    @property
    def local(self) -> bool:
        """True where nothing may leave this machine."""
        return self.wish.local or "local" in self.needs
