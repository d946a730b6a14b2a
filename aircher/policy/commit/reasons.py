"""Why a change was made, as far as it says so itself: for a message that no model writes.

Taken is what somebody wrote: the branch's name, a comment that gives a reason, a line of the
changelog.  Where none of them says why, nothing does: a reason is never made up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from aircher.domain.changes import Changes, FileChange
from aircher.domain.inert import inert
from aircher.domain.regexes import regex
from aircher.policy.commit.kinds import area_of, kind_of, only_form
from aircher.policy.commit.style import TYPES
from aircher.policy.commit.ticket import NOT_TICKETS

MOST = 2
"""Reasons that a message gives; more is a list of changes."""

_LONGEST = 300
"""Characters of a comment that is a reason; a longer one explains something larger."""

_WHY = regex(
    r"\b(?:because|since|so that|otherwise|or else|in order to|to avoid|to prevent|to keep|prevents"
    r"|avoids|work(?:s)? ?around|needed (?:for|by|so)|must not|would (?:fail|break|hang|leak|crash)"
    r"|(?:fixes|closes|resolves) #\d+)\b",
    re.IGNORECASE,
)
"""Words by which a comment gives a reason."""

_COMMENT = regex(
    r"^\s*(?:#+(?!!)|//+|--|;+|\*(?!/)|/\*+|<!--|%|\"\"\")\s?(?P<said>.*?)\s*(?:\*/|-->|\"\"\")?\s*$"
)
_BULLET = regex(r"^\s*[-*+]\s+(?P<said>\S.*)$")
_CHANGELOG = regex(r"^(?:changelog|changes|history|news|release[-_]?notes)\b", re.IGNORECASE)

_NO_REASON = frozenset(
    """
    main master trunk develop development dev head release releases staging production stable next
    topic wip tmp temp test testing work patch branch my new update updates changes change misc
    """.split()
)
"""Names of branches, or parts of them, that say nothing about why."""

_KINDS = frozenset(
    {*TYPES, "feature", "bugfix", "bug", "hotfix", "doc", "tests", "issue", "issues"}
)
_KEY = regex(r"(?<![A-Za-z0-9])([A-Za-z][A-Za-z0-9]{1,9})[-_](\d{1,6})(?![A-Za-z0-9])")
_NUMBER = regex(r"()(?:[a-z]+[-_])?#?(\d{1,6})(?=[-_][A-Za-z])")


def reasons(changes: Changes, branch: str = "") -> list[str]:
    """Sentences that say why, each with its source; at most ``MOST``, none where nothing does."""
    found = [*_by_changelog(changes), *_by_comments(changes), *_by_branch(branch)]
    return list(dict.fromkeys(found))[:MOST]


def _by_branch(branch: str) -> Iterator[str]:
    """What the branch is called for: "fix/ABC-12-parser-loop" -> "parser loop (ABC-12)"."""
    last = branch.rpartition("/")[2]
    found = next((one for one in _KEY.finditer(last) if _is_ticket(one[1])), None)
    found = found or _NUMBER.match(last)
    ticket = ""
    plain = last
    if found is not None:
        letters, number = found[1] or "", found[2]
        ticket = f" ({letters.upper()}-{number})" if letters else f" ({number})"
        plain = f"{last[: found.start()]} {last[found.end() :]}"
    words = [word for word in re.split(r"[^A-Za-z0-9]+", plain) if word]
    if words and words[0].lower() in _KINDS:
        words = words[1:]
    if sum(word.isalpha() and word.lower() not in _NO_REASON for word in words) < 2:
        return
    yield f"By the branch's name: {' '.join(words)}{ticket}."


def _is_ticket(letters: str) -> bool:
    return letters.upper() not in NOT_TICKETS and letters.lower() not in _KINDS


def _by_comments(changes: Changes) -> Iterator[str]:
    """New comments that give a reason, of code that changes with them."""
    for file in changes.files:
        if area_of(file.path) in {"docs", "data"} or kind_of(file).line or only_form(file):
            continue
        for said in _comments(file):
            if len(said) <= _LONGEST and _WHY.search(said):
                yield f"By a comment in {file.name.rpartition('/')[2]}: {_sentence(said)}"


def _comments(file: FileChange) -> Iterator[str]:
    """Runs of added lines that are comments alone, each as one text; old ones are no reason."""
    old = {line.strip() for line in file.lines(b"-")}
    for hunk in file.hunks:
        run: list[str] = []
        for raw in (*hunk.lines, b" "):
            line = raw[1:].decode("utf-8", "replace")
            found = _COMMENT.match(line) if raw[:1] == b"+" and line.strip() not in old else None
            if found and found["said"]:
                run.append(found["said"])
                continue
            if run:
                yield " ".join(" ".join(run).split())
            run = []


def _by_changelog(changes: Changes) -> Iterator[str]:
    """The first new entry of a changelog."""
    for file in changes.files:
        name = file.name.rpartition("/")[2]
        if not _CHANGELOG.match(name) or kind_of(file).line:
            continue
        lines = [line for hunk in file.hunks for line in hunk.lines]
        for at, raw in enumerate(lines):
            found = _BULLET.match(raw[1:].decode("utf-8", "replace"))
            if raw[:1] != b"+" or found is None:
                continue
            said = [found["said"]]
            for more in lines[at + 1 :]:  # an entry goes on in lines that are set in
                text = more[1:].decode("utf-8", "replace")
                if more[:1] != b"+" or not text.startswith("  ") or _BULLET.match(text):
                    break
                said.append(text.strip())
            entry = " ".join(" ".join(said).split())
            if len(entry) <= _LONGEST:
                yield f"By {name}: {_sentence(entry)}"
            break


def _sentence(text: str) -> str:
    plain = inert(text).strip()
    return plain if plain.endswith((".", "!", "?", "…")) else f"{plain}."
