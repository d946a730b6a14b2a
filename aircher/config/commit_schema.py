"""Every key of the [commit] table.  How these classes are read: see schema.py."""

# The field functions return a fresh dataclass field each time, as dataclasses.field does.

from __future__ import annotations

from typing import get_args

from aircher.config.rows import setting
from aircher.config.values import BOOL, INT, TEXT, WORD
from aircher.domain.classes import dataclass
from aircher.domain.commits import CommitSettings, Switch

_DEFAULT = CommitSettings()


@dataclass(frozen=True)
class Commit:
    """How commit messages are written; what is not set is learnt from the repository."""

    conventional: str = setting(
        WORD,
        _DEFAULT.conventional,
        "Conventional commits: as the repository does it, always, or never.",
        choices=get_args(Switch),
    )
    body: str = setting(
        WORD,
        _DEFAULT.body,
        "Whether a message has a body: where it needs one, always, or never.",
        choices=get_args(Switch),
    )
    ticket: bool = setting(
        BOOL, _DEFAULT.ticket, "Put the ticket that the branch names into the message."
    )
    subject_length: int = setting(
        INT,
        _DEFAULT.subject_length,
        "The longest first line, in characters.",
        minimum=30,
        maximum=200,
    )
    body_width: int = setting(
        INT,
        _DEFAULT.body_width,
        "Where the body's lines are wrapped, in characters.",
        minimum=30,
        maximum=500,
    )
    examples: int = setting(
        INT,
        _DEFAULT.examples,
        "How many earlier messages are sent as examples of the style.",
        minimum=0,
        maximum=20,
    )
    language: str = setting(
        TEXT,
        _DEFAULT.language,
        "The language of the messages, such as en or de.",
        unset="the one of the repository's history",
    )
    instructions: str = setting(
        TEXT,
        _DEFAULT.instructions,
        "Your own words to the model about messages.",
        example="Name the customer's view first.",
    )
    max_diff_tokens: int = setting(
        INT,
        _DEFAULT.max_diff_tokens,
        "How much of a diff is sent, in tokens; the most telling parts are.",
        minimum=500,
        project=False,
    )
    summarise_above: int = setting(
        INT,
        _DEFAULT.summarise_above,
        "A diff of more tokens is summarised in parts first; the estimate is told.",
        minimum=1_000,
        project=False,
    )
    summarise_calls: int = setting(
        INT,
        _DEFAULT.summarise_calls,
        "The most parts of such a diff, each of which is one call.",
        minimum=1,
        maximum=50,
        project=False,
    )
