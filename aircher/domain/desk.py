"""The port through which a screen writes and makes a commit."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from aircher.domain.changes import Changes
from aircher.domain.commits import CommitAsk, CommitEvent, CommitMessage, Setting, Written


class CommitDesk(Protocol):
    """What is staged, the messages for it, and the commit."""

    async def look(self) -> tuple[Changes, Setting]:
        """What is staged, and where.

        Raises ``NothingToDo`` where nothing is, ``UsageError`` without a repository,
        ``GitRefused`` where git says no.
        """
        ...

    def write(self, ask: CommitAsk) -> AsyncGenerator[CommitEvent, None]:
        """The events of the writing, then ``Written`` or ``Failed``."""
        ...

    def answer(self, question_id: int, *, yes: bool) -> None:
        """Answers what the writing asks."""
        ...

    def keep(self, message: CommitMessage, written: Written, changes: Changes) -> None:
        """Keeps the message for `aircher commit --retry`."""
        ...

    async def commit(self, message: CommitMessage, written: Written, changes: Changes) -> str:
        """Commits what was described, and returns the new commit's id.

        Where that is refused the message is kept; raises ``GitRefused`` with what git or a hook
        said, or with that something else is staged by now.
        """
        ...
