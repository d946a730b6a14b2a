"""Why, for a message that rules write: what the change and the branch say themselves, nothing else."""

from __future__ import annotations

import pytest

from aircher.domain.changes import Changes, FileChange, Hunk
from aircher.policy.commit.plain import by_rules
from aircher.policy.commit.reasons import reasons


def file(path: str, *lines: str, status: str = "modified") -> FileChange:
    old = sum(line[:1] in " -" for line in lines)
    new = sum(line[:1] in " +" for line in lines)
    header = f"@@ -1,{old} +1,{new} @@".encode()
    hunk = Hunk(header, tuple(line.encode() for line in lines), 1, old, 1, new)
    return FileChange(path, status, added=new, removed=old, hunks=(hunk,))  # type: ignore[arg-type]


CODE = file("src/parser.py", "-    head(tokens)", "+    tokens.pop()")


@pytest.mark.parametrize(
    ("branch", "said"),
    [
        ("fix/ABC-12-parser-loop", "parser loop (ABC-12)"),
        ("user/fix-abc-12_parser_loop", "parser loop (ABC-12)"),
        ("123-end-the-loop", "end the loop (123)"),
        ("feature/decode-utf-8-names", "decode utf 8 names"),
        ("main", ""),
        ("release/2.0", ""),
        ("ABC-12", ""),
        ("fix/parser", ""),
        ("wip-new-branch", ""),
        ("dependabot/2026-11-21", ""),
        ("", ""),
    ],
)
def test_a_branch_gives_a_reason_only_where_its_name_says_one(branch: str, said: str) -> None:
    expected = [f"By the branch's name: {said}."] if said else []
    assert reasons(Changes((CODE,)), branch) == expected


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("+# Taken off first, since the loop", "+# never ends otherwise", "+x = 1"),
         "Taken off first, since the loop never ends otherwise."),
        (("+    // to avoid a second look-up.", "+x()"), "to avoid a second look-up."),
        (("+# the parser", "+x = 1"), ""),  # says what, not why
        (("-# kept, because it is slow", "+# kept, because it is slow"), ""),  # was there before
        ((" # kept, because it is slow", "+x = 1"), ""),
        (('+text = "because I say so"',), ""),  # no comment
        (("+#!/bin/sh because",), ""),
    ],
)  # fmt: skip
def test_a_new_comment_counts_where_it_gives_a_reason(lines: tuple[str, ...], said: str) -> None:
    expected = [f"By a comment in parser.py: {said}"] if said else []
    assert reasons(Changes((file("src/parser.py", *lines),))) == expected


def test_a_changelog_s_first_new_entry_counts_and_at_most_two_reasons_are_given() -> None:
    log = file(
        "CHANGELOG.md",
        " # Changes",
        "+- Lists of more than one token",
        "+  end the loop",
        "+- More",
    )
    code = file("a.py", "+# so that it ends", "+# or not", "+x = 1")
    assert reasons(Changes((code, log)), "fix/parser-loop") == [
        "By CHANGELOG.md: Lists of more than one token end the loop.",
        "By a comment in a.py: so that it ends or not.",
    ]


def test_a_message_of_rules_has_a_body_only_where_something_says_why() -> None:
    assert by_rules(Changes((CODE,)), branch="main").body == ""
    assert by_rules(Changes((CODE,)), branch="fix/ABC-12-parser-loop").body == (
        "By the branch's name: parser loop (ABC-12)."
    )
    assert by_rules(Changes((CODE,)), hint="End it", branch="fix/parser-loop").body == ""
