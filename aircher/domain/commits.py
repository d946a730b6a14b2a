"""Commit messages, and what surrounds the writing of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from aircher.domain.changes import Changes
from aircher.domain.classes import dataclass
from aircher.domain.events import Event
from aircher.domain.models import ModelRef
from aircher.domain.routes import Candidate, Wish
from aircher.domain.usage import UNKNOWN_COST, Cost, Tokens

Source = Literal["model", "rules", "git", "kept", "user"]
"""Who wrote a message: a model; rules, without any; git itself (a merge, a revert); kept from a
commit that did not come to be; the user's editor."""


@dataclass(frozen=True, slots=True)
class CommitMessage:
    """A commit message.  ``str`` of it is exactly what goes to ``git commit -F -``.

    ``body`` is wrapped already and has no blank lines at its ends; ``trailers`` are whole
    lines ("Refs: ABC-12").
    """

    subject: str
    body: str = ""
    trailers: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = (self.subject, self.body, "\n".join(self.trailers))
        return "\n\n".join(part for part in parts if part) + "\n"


@dataclass(frozen=True, slots=True)
class PastCommit:
    """A commit of the repository's history, with the paths it touched (at most some)."""

    id: str
    message: str
    paths: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """The first line."""
        return self.message.strip().partition("\n")[0].strip()

    @property
    def body(self) -> str:
        """What follows the first line."""
        return self.message.strip().partition("\n")[2].strip()


Switch = Literal["auto", "always", "never"]


@dataclass(frozen=True, slots=True)
class CommitSettings:
    """[commit].  Sizes of prompts are in tokens, of lines in characters."""

    conventional: Switch = "auto"
    body: Switch = "auto"
    ticket: bool = True
    subject_length: int = 72
    body_width: int = 72
    examples: int = 3
    language: str = ""
    instructions: str = ""
    max_diff_tokens: int = 12_000
    summarise_above: int = 150_000
    summarise_calls: int = 8


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A file in which a repository sets rules for its messages, as it stands there.

    ``kind`` is "commitlint", "gitlint" or "commitizen"; ``values`` is its content as plain data.
    """

    kind: str
    path: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a commit is to be made, besides what is in it.

    ``operation`` is what git is in the middle of ("merge", "rebase" ...), ``prepared`` the
    message that it has ready for that, comments left out.  ``head`` is the commit now checked
    out ("" before the first), ``amended`` its message where it is to be amended.
    ``unreadable`` names rule files that were there but cannot be read as data.
    """

    top: str
    branch: str = ""
    head: str = ""
    operation: str = ""
    prepared: str = ""
    squashed: str = ""
    amended: str = ""
    history: tuple[PastCommit, ...] = ()
    rules: tuple[RuleFile, ...] = ()
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CommitAsk:
    """What is wanted: a message for these changes, or several to choose among.

    ``hint`` is the user's word on why; ``earlier`` a message that did not please, with ``change``
    saying in words what should be different ("" = simply another one).  ``offline`` asks no model.
    """

    changes: Changes
    setting: Setting
    hint: str = ""
    count: int = 1
    earlier: tuple[CommitMessage, ...] = ()
    change: str = ""
    offline: bool = False
    wish: Wish = field(default_factory=Wish)


@dataclass(frozen=True, slots=True)
class Payload:
    """What is sent: the system prompt and the text.  ``cuts`` say what was left out of the diff.

    ``secrets`` say what was blacked out.
    """

    system: str
    text: str
    cuts: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """What would be sent, to whom, and what it would cost; nothing has been sent."""

    payload: Payload
    task: str
    candidate: Candidate | None
    calls: int = 1


@dataclass(frozen=True, slots=True)
class Written:
    """The messages, best first; never empty.  The last event of a generation that worked.

    ``notes`` are sentences for the user: rules that a message still breaks, names taken out.
    ``cost`` sums all calls that were made for it.
    """

    messages: tuple[CommitMessage, ...]
    source: Source
    task: str = "commit_messages"
    ref: ModelRef | None = None
    cost: Cost = UNKNOWN_COST
    tokens: Tokens = field(default_factory=Tokens)
    duration_s: float = 0.0
    notes: tuple[str, ...] = ()


CommitEvent = Event | Written
"""What the writing of a message yields: the events of its turns (of the last one, no
``Finished``), then ``Written`` or ``Failed``."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A message that was not committed, kept for another try."""

    message: CommitMessage
    fingerprint: str
    source: Source = "model"
    task: str = "commit_messages"
    ref: ModelRef | None = None


@dataclass(frozen=True, slots=True)
class Committing:
    """How the commit is to be made; the flags are git's own."""

    amend: bool = False
    all: bool = False
    signoff: bool = False
    quiet_stdout: bool = False
    """Git's own report goes to stderr, because stdout is ours."""
    captured: bool = False
    """Nobody sees the terminal: what git and its hooks say becomes the error's hint."""
