"""The latest commits, with the paths they touched."""

from __future__ import annotations

import os

from aircher.domain.commits import PastCommit
from aircher.domain.regexes import regex

LOG = (
    "log",
    "-z",
    "--no-merges",
    "--no-color",
    "--no-show-signature",
    "--no-notes",
    "--no-mailmap",
    "--no-decorate",
    "--no-renames",
    "--no-ext-diff",
    "--no-relative",
    "--encoding=UTF-8",
    "--name-only",
    "--format=%x02%H%x00%B%x00",
    f"-O{os.devnull}",
)
"""Words for git; a count, a revision and "--" follow."""

MOST_PATHS = 60
"""Paths kept per commit: the first commit, or the edge of a shallow clone, names every file."""

_BEGIN = regex(rb"\x02[0-9a-f]{40,64}")


def parse_log(output: bytes) -> tuple[PastCommit, ...]:
    """The commits of ``git log`` with those words, newest first."""
    commits: list[PastCommit] = []
    tokens = iter(output.split(b"\0"))
    token = next(tokens, b"")
    while _BEGIN.fullmatch(token):
        message = next(tokens, b"").decode("utf-8", "replace")
        paths: list[str] = []
        commit = token[1:].decode()
        for token in tokens:
            if _BEGIN.fullmatch(token):
                break
            if (name := token.removeprefix(b"\n")) and len(paths) < MOST_PATHS:
                paths.append(os.fsdecode(name))
        else:
            token = b""
        commits.append(PastCommit(commit, message, tuple(paths)))
    return tuple(commits)
