"""What routing looks at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aircher.domain.models import ModelFacts, ModelRef
from aircher.domain.routes import Estimate, Wish


@dataclass(frozen=True, slots=True)
class Situation:
    """What routing looks at besides the rules.

    ``estimate`` prices a model for this very prompt; ``blocked`` maps models whose breaker
    is open to the reason; ``needs`` are the features the request itself requires.
    """

    task: str
    wish: Wish
    facts: Callable[[ModelRef], ModelFacts]
    estimate: Callable[[ModelRef], Estimate]
    blocked: Mapping[ModelRef, str] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()
