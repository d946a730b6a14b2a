"""What the writing of commits stands on: the repository, the writer, the kept messages."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from aircher.bootstrap.configuring import data_dir, key_variables, load_config, require_sound
from aircher.bootstrap.guarding import guard_policy, load_guard_rules
from aircher.bootstrap.services import Services
from aircher.config.atomic import write_private
from aircher.domain.children import child_environment
from aircher.domain.classes import dataclass
from aircher.domain.commits import CommitAsk, CommitMessage, CommitSettings, Kept, Written
from aircher.domain.errors import StorageError
from aircher.domain.events import Failed
from aircher.domain.guarding import Finding
from aircher.domain.models import ModelRef
from aircher.domain.repository import KeptMessages, Repository
from aircher.domain.splits import Splits
from aircher.domain.texts import Past
from aircher.engine.commit import CommitWriter
from aircher.engine.grouping import Grouper
from aircher.engine.texts import TextWriter
from aircher.engine.written import by_rules, without_model
from aircher.policy.commit.brief import brief_of
from aircher.policy.guard import Cleaned, GuardPolicy, Piece, clean
from aircher.workspace.past import RepositoryPast
from aircher.workspace.repository import GitRepository
from aircher.workspace.splitting import SplitCommits


def git_environment() -> dict[str, str]:
    """The user's variables without the vendors' keys; who calls git takes out further ones."""
    return child_environment(os.environ, key_variables(), kept=("",))


def open_repository(folder: Path | None = None) -> Repository:
    """The repository around a folder (the current one by default).

    Raises ``UsageError`` where there is none with a work tree, ``GitRefused`` where git will not
    look at it.
    """
    return GitRepository(folder or Path.cwd(), git_environment())


def kept_messages() -> KeptMessages:
    """The messages kept for another try."""
    return _KeptFiles(data_dir() / "commit")


def open_writer(services: Services) -> CommitWriter:
    """The writer over running services."""
    return CommitWriter(
        services.engine, services.settings, services.catalog, services.clock, _cleaner(services)
    )


def open_grouper(services: Services) -> Grouper:
    """What proposes how to split a change, over running services."""
    return Grouper(services.engine, services.settings, _cleaner(services))


def open_splits(repository: Repository) -> Splits:
    """What makes several commits of a staged change in that repository."""
    return SplitCommits(Path(repository.top), git_environment())


def open_text_writer(services: Services) -> TextWriter:
    """What writes pull requests, changelog entries and branch names, over running services."""
    return TextWriter(services.engine, services.settings, _cleaner(services))


def open_past(repository: Repository) -> Past:
    """Branches, tags and commits of that repository."""
    return RepositoryPast(Path(repository.top), git_environment())


@dataclass(frozen=True, slots=True)
class _Cleaner:
    """See ``Cleaner``."""

    policy: GuardPolicy
    ignored: Callable[[str], bool]

    def __call__(self, pieces: Sequence[Piece]) -> Cleaned:
        marked = [replace(one, ignored=bool(one.path) and self.ignored(one.path)) for one in pieces]
        return clean(marked, load_guard_rules(), self.policy)

    def let(self, allowed: Sequence[Finding]) -> _Cleaner:
        return replace(self, policy=self.policy.let(allowed))


def _cleaner(services: Services) -> _Cleaner:
    return _Cleaner(guard_policy(load_config()), services.workspace.ignored)


def write_offline(ask: CommitAsk) -> Written:
    """Messages by rules alone; needs no services.  Raises ``NothingToDo``."""
    given = without_model(ask)
    if isinstance(given, Failed):
        raise given.error
    if given is not None:
        return given
    config = require_sound(load_config())
    settings = CommitSettings(**vars(config.commit))
    # Nothing leaves, so nothing needs to be looked for.
    return by_rules(brief_of(ask, settings, _as_it_is))


def _as_it_is(pieces: Sequence[Piece]) -> Cleaned:
    return Cleaned(tuple(piece.text for piece in pieces))


class _KeptFiles:
    """One file per work tree, readable by its owner alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, key: str, kept: Kept) -> None:
        """Writes the file."""
        text = json.dumps(asdict(kept), ensure_ascii=False, indent=1)
        try:
            write_private(self._file(key), text.encode("utf-8", "surrogatepass"))
        except OSError as error:
            raise StorageError(f"The message cannot be kept: {error.strerror}.") from error

    def get(self, key: str) -> Kept | None:
        """Reads the file; one that is damaged counts as none."""
        try:
            raw = json.loads(self._file(key).read_bytes().decode("utf-8", "surrogatepass"))
            message = raw.pop("message")
            ref = raw.pop("ref")
            return Kept(
                message=CommitMessage(
                    str(message["subject"]), str(message["body"]), tuple(message["trailers"])
                ),
                ref=ModelRef(**ref) if ref else None,
                **raw,
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def forget(self, key: str) -> None:
        """Deletes the file."""
        with contextlib.suppress(OSError):
            self._file(key).unlink()

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.json"
