"""Every key of the [tasks] tables: what the user's requests look like.  How it is read: schema.py."""

# The field functions return a fresh dataclass field each time, as dataclasses.field does.

from __future__ import annotations

from aircher.config.regexes import PHRASES, REGEXES
from aircher.config.rows import setting
from aircher.config.values import GIT_SIGNS, MODEL, WORDS
from aircher.domain.classes import dataclass


@dataclass(frozen=True)
class TaskSigns:
    """Signs of a task, added to the built-in ones; any other name makes a new task."""

    model: str | None = setting(
        MODEL,
        None,
        "The task's model, as in models.tasks.",
        unset="models.tasks",
        env=False,
        example="claude-opus-5-5",
    )
    keywords: tuple[str, ...] = setting(
        PHRASES,
        (),
        "Words or phrases that speak for it.",
        unset="the built-in ones",
        env=False,
        example=["terraform", "helm chart"],
    )
    message_patterns: tuple[str, ...] = setting(
        REGEXES,
        (),
        "Regular expressions (Python's), searched in the first and last lines; case does not matter.",
        unset="the built-in ones",
        env=False,
        example=["(?:plan|apply) failed"],
    )
    file_patterns: tuple[str, ...] = setting(
        WORDS,
        (),
        "Globs for files that are attached, open, or were saved just now.",
        unset="the built-in ones",
        env=False,
        example=["*.tf", "charts/*"],
    )
    git_patterns: tuple[str, ...] = setting(
        GIT_SIGNS,
        (),
        "What git shows: staged, modified, untracked, clean, merge, rebase, cherry-pick, revert,"
        " bisect, diff:docs, diff:tests, diff:code, diff:large, branch:GLOB.",
        unset="the built-in ones",
        env=False,
        example=["branch:infra/*"],
    )
    commands: tuple[str, ...] = setting(
        WORDS,
        (),
        "Commands of Aircher that settle it.",
        unset="the built-in ones",
        env=False,
        example=["commit"],
    )
