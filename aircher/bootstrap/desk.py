"""The commit desk of a screen: repository, writer and kept messages behind one port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from aircher.bootstrap.committing import (
    kept_messages,
    open_repository,
    open_writer,
    write_offline,
)
from aircher.bootstrap.services import Services
from aircher.domain.changes import Changes
from aircher.domain.commits import (
    CommitAsk,
    CommitEvent,
    CommitMessage,
    Committing,
    Kept,
    Setting,
    Written,
)
from aircher.domain.desk import CommitDesk
from aircher.domain.errors import GitRefused, NothingToDo
from aircher.domain.repository import Repository


def open_desk(services: Services, folder: Path | None = None) -> CommitDesk:
    """The desk for the repository around a folder (the current one); nothing is read yet."""
    return _Desk(services, folder)


class _Desk:
    """See ``CommitDesk``."""

    def __init__(self, services: Services, folder: Path | None) -> None:
        self._services = services
        self._folder = folder
        self._kept = kept_messages()
        self._opened: Repository | None = None

    async def look(self) -> tuple[Changes, Setting]:
        """What is staged, and where."""
        return await asyncio.to_thread(self._look)

    def _look(self) -> tuple[Changes, Setting]:
        repository = self._repository
        changes, setting = repository.staged(), repository.setting()
        if not changes and not (setting.prepared and setting.operation):
            raise NothingToDo("Nothing is staged.", hint="Stage what belongs together: git add.")
        return changes, setting

    async def write(self, ask: CommitAsk) -> AsyncGenerator[CommitEvent, None]:
        """The events of the writing.  Rules take a hint for the subject, which talk is not."""
        async with aclosing(open_writer(self._services).write(ask)) as events:
            async for event in events:
                if isinstance(event, Written) and event.source == "rules" and ask.hint:
                    made = await asyncio.to_thread(write_offline, replace(ask, hint=""))
                    yield replace(event, messages=made.messages)
                else:
                    yield event

    def answer(self, question_id: int, *, yes: bool) -> None:
        """Answers what the writing asks."""
        self._services.engine.answer(question_id, yes=yes)

    def keep(self, message: CommitMessage, written: Written, changes: Changes) -> None:
        """Keeps the message for another try."""
        kept = Kept(message, changes.fingerprint, written.source, written.task, written.ref)
        self._kept.keep(self._repository.key, kept)

    async def commit(self, message: CommitMessage, written: Written, changes: Changes) -> str:
        """Commits, in a thread: hooks may take their time."""
        return await asyncio.to_thread(self._commit, message, written, changes)

    def _commit(self, message: CommitMessage, written: Written, changes: Changes) -> str:
        self.keep(message, written, changes)
        if self._repository.fingerprint() != changes.fingerprint:
            raise GitRefused(
                "What is staged has changed since the message was written.",
                hint="Close this and open it again.",
            )
        commit = self._repository.commit(str(message), Committing(captured=True))
        self._kept.forget(self._repository.key)
        return commit

    @property
    def _repository(self) -> Repository:
        if self._opened is None:
            self._opened = open_repository(self._folder)
        return self._opened
