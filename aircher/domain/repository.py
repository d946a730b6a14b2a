"""The port to the git repository that commits are made in."""

from __future__ import annotations

from typing import Protocol

from aircher.domain.changes import Changes
from aircher.domain.commits import Committing, Kept, Setting


class Repository(Protocol):
    """The git repository the user works in, as the writing of commits sees it.

    All methods block (git is run); all raise ``GitRefused`` with git's own words where it says
    no.  Nothing but ``commit`` changes anything.
    """

    @property
    def top(self) -> str:
        """The work tree's root."""
        ...

    @property
    def key(self) -> str:
        """A name for this work tree that no other has."""
        ...

    def staged(self, *, amend: bool = False, everything: bool = False) -> Changes:
        """What the next commit would hold, against what it would stand on.

        ``amend``: against the parent of HEAD.  ``everything``: as after ``git add -u``.
        """
        ...

    def between(self, wanted: str) -> Changes:
        """The changes of "A..B", "A...B" (from where they parted) or one commit.

        Raises ``UsageError`` for a revision that is not there.
        """
        ...

    def setting(self, *, amend: bool = False, history: bool = True) -> Setting:
        """Branch, history, rules, and what git is in the middle of."""
        ...

    def fingerprint(self, *, everything: bool = False) -> str:
        """Names the index's exact content, and HEAD: equal twice means that nothing moved."""
        ...

    def unstaged(self) -> bool:
        """True when there is something that could be staged."""
        ...

    def editor(self) -> str:
        """The user's editor, a shell command, by git's own rules."""
        ...

    def commit(self, message: str, how: Committing) -> str:
        """Commits what is staged and returns the new commit's id; no time limit.

        Raises ``Cancelled`` where the user interrupted git or a hook.
        """
        ...


class KeptMessages(Protocol):
    """Messages that were written but not committed; one per work tree."""

    def keep(self, key: str, kept: Kept) -> None:
        """Keeps it in place of an earlier one.  Raises ``StorageError``."""
        ...

    def get(self, key: str) -> Kept | None:
        """The one that is kept, if any."""
        ...

    def forget(self, key: str) -> None:
        """There is none from now on."""
        ...
