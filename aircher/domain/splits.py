"""One staged change as several commits: its units, their groups, and the port that makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Literal, Protocol

from aircher.domain.changes import Changes
from aircher.domain.classes import dataclass
from aircher.domain.commits import Committing
from aircher.domain.events import Event
from aircher.domain.usage import UNKNOWN_COST, Cost

WHOLE = -1


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """The least that can be committed by itself: one hunk of a file, or all of the file.

    ``file`` counts in ``Changes.files``, ``hunk`` in its hunks; ``WHOLE`` is what has no parts
    (a new, deleted, renamed or binary file, a change of mode or type).
    """

    file: int
    hunk: int = WHOLE


Group = tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Grouped:
    """The groups in the order of committing; together they hold each unit exactly once.

    ``source`` says who proposed them; ``cost`` is that of the proposal.
    """

    groups: tuple[Group, ...]
    source: Literal["model", "rules"]
    cost: Cost = UNKNOWN_COST
    notes: tuple[str, ...] = ()


GroupEvent = Event | Grouped


@dataclass(frozen=True, slots=True)
class Step:
    """One commit to be made: the tree it will have, and what changes in the index for it.

    ``entries`` are those of ``git update-index -z --index-info``.
    """

    tree: str
    entries: tuple[bytes, ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """Commits whose trees exist already; the last tree is the one that is staged."""

    head: str
    start: tuple[bytes, ...]
    steps: tuple[Step, ...]


class Splits(Protocol):
    """Makes several commits of one staged change, all or none.  All methods block."""

    def plan(self, changes: Changes, groups: Sequence[Group]) -> SplitPlan:
        """Builds every tree, and checks that the last one is the staged tree; nothing is committed.

        Raises ``GitRefused`` where it would not be.
        """
        ...

    def commit(self, plan: SplitPlan, messages: Sequence[str], how: Committing) -> tuple[str, ...]:
        """Commits step by step and returns the ids.  Index and work tree are not touched.

        Where one is refused, interrupted, or a hook changes what it holds, HEAD, index and work
        tree are as they were.  Raises ``GitRefused`` or ``Cancelled``.
        """
        ...
