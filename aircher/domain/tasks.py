"""Tasks, the signals they are read from, and a detection with its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from aircher.domain.classes import dataclass

TASKS = (
    "commit_messages",
    "summaries",
    "code_review",
    "documentation",
    "refactoring",
    "debugging",
    "quick_questions",
    "code_generation",
    "default",
)
"""The built-in tasks; a user may add others, so a task is a plain string elsewhere."""


def task_name(task: str) -> str:
    """A task's name in words: "code_review" -> "code review"; "default" -> "general"."""
    return "general" if task == "default" else task.replace("_", " ")


GIT_SIGNS = (
    "staged", "modified", "untracked", "clean", "merge", "rebase", "cherry-pick", "revert",
    "bisect", "diff:docs", "diff:tests", "diff:code", "diff:large",
)  # fmt: skip
"""What a task's git_patterns may name, besides ``branch:GLOB``."""


@dataclass(frozen=True, slots=True)
class GitState:
    """The work tree's state, as far as detection cares."""

    root: str = ""
    branch: str = ""
    staged: int = 0
    unstaged: int = 0
    untracked: int = 0
    operation: str = ""
    """"merge", "rebase", "cherry-pick", "revert", "bisect", or "" when none is under way."""
    changed: tuple[str, ...] = ()
    """Changed paths, staged or not, from the root; the first 50."""


@dataclass(frozen=True, slots=True)
class Signals:
    """All that detection may look at.  Values only: no IO happens after this is built.

    ``history`` holds earlier user texts, newest last; ``files`` the paths attached, ``open_files`` those open in an editor or just saved;
    ``command`` the slash or CLI command used ("" for plain chat).
    """

    text: str
    history: tuple[str, ...] = ()
    previous_task: str = ""
    command: str = ""
    files: tuple[str, ...] = ()
    git: GitState | None = None
    open_files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for a task: where it was seen, what, and how much it weighs."""

    source: str
    detail: str
    weight: float
    task: str

    @property
    def words(self) -> str:
        """The reason in words that need no knowledge of where it was seen."""
        what = {"file": "the file ", "command": "the command ", "yours": "your own sign: "}
        return f"{what.get(self.source, '')}{self.detail}"


@dataclass(frozen=True, slots=True)
class Detection:
    """The task a request is taken for; ``confidence`` is 0..1; 1 with source "user" if set by hand."""

    task: str
    confidence: float
    evidence: tuple[Evidence, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Correction:
    """The user's word that a request was another task than it was taken for.

    ``text`` is the request as detection read it, a long one shortened to its head and tail.
    """

    id: int
    at: datetime
    text: str
    wrong: str
    task: str
