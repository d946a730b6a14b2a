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


@dataclass(frozen=True, slots=True)
class HalfSplit:
    """A split that was killed: the commits that stand, oldest first, of so many that were planned.

    ``head`` is what HEAD was before it ("" = no commit yet).
    """

    head: str
    commits: tuple[str, ...]
    planned: int


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

    def half(self) -> HalfSplit | None:
        """The split that was killed between its commits, as long as nothing was done on top of it.

        None where there is none.
        """
        ...

    def take_back(self, half: HalfSplit) -> None:
        """Moves HEAD back to where it was; index and work tree stay, and so does what is staged.

        Raises ``GitRefused``.
        """
        ...
