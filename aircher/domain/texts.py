"""Texts about changes besides commit messages: pull requests, changelog entries, branch names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Literal, Protocol

from aircher.domain.changes import Changes
from aircher.domain.classes import dataclass
from aircher.domain.commits import PastCommit, Setting
from aircher.domain.events import Event
from aircher.domain.models import ModelRef
from aircher.domain.routes import Wish
from aircher.domain.usage import UNKNOWN_COST, Cost

TextKind = Literal["pr", "changelog", "branch"]


@dataclass(frozen=True, slots=True)
class TextAsk:
    """What is wanted: a text of that kind about these changes.

    ``commits`` are those that made them, oldest first.  ``example`` is the beginning of a
    changelog that is there, ``taken`` the names of branches.  ``offline`` asks no model.
    """

    kind: TextKind
    changes: Changes
    setting: Setting
    commits: tuple[PastCommit, ...] = ()
    hint: str = ""
    example: str = ""
    taken: frozenset[str] = frozenset()
    wish: Wish = field(default_factory=Wish)
    offline: bool = False


@dataclass(frozen=True, slots=True)
class WrittenText:
    """The text.  ``title`` is a pull request's title or a branch's name; ``body`` is Markdown."""

    kind: TextKind
    title: str
    body: str = ""
    source: Literal["model", "rules"] = "model"
    ref: ModelRef | None = None
    cost: Cost = UNKNOWN_COST
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n\n".join(part for part in (self.title, self.body) if part) + "\n"


TextEvent = Event | WrittenText
"""What the writing yields: the events of its turn, then ``WrittenText`` or ``Failed``."""


class Past(Protocol):
    """What a repository knows of its branches, tags and commits.  All methods block."""

    def base(self) -> str:
        """What a pull request would go to: the default branch of the remote, or of this repository.

        Raises ``UsageError`` where there is none.
        """
        ...

    def last_tag(self) -> str:
        """The newest tag that HEAD stands on, or ""."""
        ...

    def commits(self, wanted: str) -> Sequence[PastCommit]:
        """The commits of a range, merges left out, oldest first; at most 200."""
        ...

    def branches(self) -> frozenset[str]:
        """The names of branches, those of remotes too, without the remote's name."""
        ...

    def changelog(self) -> str:
        """The beginning of a changelog at the top level, or ""."""
        ...
