"""The git hook that writes a message before the editor opens, and where it is installed."""

from __future__ import annotations

from typing import Literal, Protocol

from aircher.domain.classes import dataclass

HookState = Literal["absent", "installed", "changed", "displaced"]
"""Not there; there as it was written; there, but edited since; there, but moved out of the way by
another tool, so that git does not run it."""

Manager = Literal["", "husky", "pre-commit", "lefthook"]
"""Who else looks after the hooks of a repository."""


@dataclass(frozen=True, slots=True)
class HookStatus:
    """How things stand.  Paths are absolute.

    ``file`` is where the hook is, or would be; ``folder`` is where git looks for hooks, and
    ``chosen_by`` says why there ("core.hooksPath", or "" for git's own place).  ``program`` is
    what the installed hook starts, ``program_found`` whether it can.  ``earlier`` is the hook that
    was there before and is run as well ("" if none).  ``tracked`` tells that the file lies among
    the files of the work tree.
    """

    state: HookState
    file: str
    folder: str
    chosen_by: str = ""
    shared: bool = False
    manager: Manager = ""
    program: str = ""
    program_found: bool = False
    earlier: str = ""
    tracked: bool = False


@dataclass(frozen=True, slots=True)
class HookSurroundings:
    """What git says where a message is to be filled in.

    ``comment`` is core.commentString or core.commentChar ("" if unset), ``cleanup`` is
    commit.cleanup, ``encoding`` i18n.commitEncoding ("" = UTF-8).
    """

    comment: str = ""
    cleanup: str = ""
    encoding: str = ""


class Hooks(Protocol):
    """The prepare-commit-msg hook of one repository.  All methods block."""

    def status(self) -> HookStatus:
        """How things stand; changes nothing."""
        ...

    def install(self, program: str, *, after: bool, shared: bool) -> HookStatus:
        """Puts the hook there.  One that is there already is kept and run first, or ``after``.

        Raises ``UsageError`` for a folder that other repositories use too, unless ``shared``,
        and ``StorageError`` where it cannot be written.
        """
        ...

    def uninstall(self, *, force: bool) -> HookStatus:
        """Takes it away; what was there before is there again, byte for byte.

        Raises ``NothingToDo`` where there is none, ``UsageError`` for one that was edited since,
        unless ``force``.
        """
        ...

    def surroundings(self) -> HookSurroundings:
        """The settings that a message file depends on."""
        ...
