"""``aircher commit --split``: the groups with their messages, shown, confirmed, committed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from aircher.bootstrap.committing import open_splits
from aircher.cli import contract
from aircher.cli.commit_dialogue import bold, edited, faint
from aircher.cli.commit_writing import Writing
from aircher.cli.narration import complaint, money
from aircher.cli.printing import print_json
from aircher.domain.changes import Changes
from aircher.domain.classes import dataclass
from aircher.domain.commits import CommitAsk, CommitMessage, Committing, Written
from aircher.domain.errors import (
    EXIT_CANCELLED,
    EXIT_OK,
    AircherError,
    GitRefused,
    NothingToDo,
    UsageError,
)
from aircher.domain.inert import inert
from aircher.domain.repository import Repository
from aircher.domain.splits import Grouped
from aircher.domain.usage import Cost
from aircher.policy.commit.units import part_of

_ALONE = frozenset({"merge", "rebase", "cherry-pick", "revert"})


@dataclass(slots=True)
class _Part:
    """One commit to be: its part of the change, and its message."""

    changes: Changes
    message: CommitMessage
    written: Written | None = None


def split(
    args: argparse.Namespace, writing: Writing, repository: Repository, ask: CommitAsk
) -> int:
    """Proposes, shows, commits; returns the exit code."""
    if ask.setting.operation in _ALONE:
        raise UsageError(
            f"git is in the middle of a {ask.setting.operation}, which is one commit.",
            hint="Finish it first, or leave out --split.",
        )
    if args.dry_run:
        ask = replace(ask, offline=True)  # nothing is sent
    grouped = writing.group(ask)
    splits = open_splits(repository)
    plan = splits.plan(ask.changes, grouped.groups)
    for note in grouped.notes:
        writing.tell(f"note: {note}")
    parts = [_written(writing, ask, part_of(ask.changes, group)) for group in grouped.groups]
    commits: tuple[str, ...] = ()
    if not args.dry_run and (args.yes or not args.json):
        if not args.yes and not _agreed(parts, ask.changes, repository, grouped):
            _say("nothing was committed")
            return EXIT_CANCELLED
        if repository.fingerprint() != ask.changes.fingerprint:
            raise GitRefused("What is staged has changed since the messages were written.")
        how = Committing(signoff=args.signoff, quiet_stdout=args.json)
        commits = splits.commit(plan, [str(part.message) for part in parts], how)
    if args.json:
        print_json(_json(parts, commits, _cost(parts, grouped)))
    elif args.dry_run:
        print("by rules, since nothing is sent:\n" + "\n".join(_lines(parts, ask.changes, str)))
    return EXIT_OK


def tell_half(repository: Repository) -> None:
    """Says that a split was killed, and what can be done about it."""
    half = open_splits(repository).half()
    if half is None:
        return
    _say(
        f"note: `aircher commit --split` was killed after {len(half.commits)} of {half.planned} "
        f"commits, which stand ({_short(half.commits)}); the rest is still staged.\n"
        "  `aircher commit --split --undo` takes them back; or go on from here."
    )


def undo(args: argparse.Namespace, repository: Repository) -> int:
    """Takes back the commits of a split that was killed; returns the exit code."""
    splits = open_splits(repository)
    half = splits.half()
    if half is None:
        raise NothingToDo(
            "There is no split to take back.",
            hint="None was killed here, or something else was committed since.",
        )
    splits.take_back(half)
    if args.json:
        print_json({"undone": list(half.commits), "head": half.head or None, "error": None})
    count = f"{len(half.commits)} commit{'' if len(half.commits) == 1 else 's'}"
    _say(f"Took back {count} ({_short(half.commits)}); what they held is staged as before.")
    return EXIT_OK


def _short(commits: Sequence[str]) -> str:
    return ", ".join(commit[:10] for commit in commits)


def _written(writing: Writing, ask: CommitAsk, changes: Changes) -> _Part:
    written = writing.write(replace(ask, changes=changes, count=1))
    return _Part(changes, written.messages[0], written)


def _agreed(parts: list[_Part], changes: Changes, repository: Repository, grouped: Grouped) -> bool:
    """Shows the commits until the user takes them, or not."""
    while True:
        _say("\n" + "\n".join(_lines(parts, changes, bold)))
        cost = _cost(parts, grouped)
        _say("  " + faint(f"split by {grouped.source}  {money(cost)}") + "\n")
        sys.stderr.write("Enter commit all, e N edit message N, q stop: ")
        sys.stderr.flush()
        try:
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            line = ""
        word, _, rest = line.strip().lower().partition(" ")
        if not line or word in {"q", "n", "quit", "no"}:
            return False
        if word in {"", "y", "yes", "a", "accept"}:
            return True
        if word in {"e", "edit"} and rest.isdigit() and 1 <= int(rest) <= len(parts):
            _edit(parts[int(rest) - 1], repository)
        else:
            _say(f"{line.strip()!r} is none of the choices")


def _edit(part: _Part, repository: Repository) -> None:
    try:
        text = edited(str(part.message), repository.editor()).strip()
    except AircherError as error:
        _say(complaint(error))
        return
    if text:
        subject, _, rest = text.partition("\n")
        part.message = CommitMessage(subject.rstrip(), rest.strip("\n"))


def _lines(parts: Sequence[_Part], changes: Changes, strong: Callable[[str], str]) -> list[str]:
    """The commits with their files; of a file that is parted, how many of its hunks."""
    hunks = {file.path: len(file.hunks) for file in changes.files}
    lines = []
    for number, part in enumerate(parts, 1):
        lines.append(f"{number}  {strong(inert(part.message.subject))}")
        lines += [f"   {inert(line)}".rstrip() for line in part.message.body.splitlines()]
        for file in part.changes.files:
            whole = hunks[file.path]
            some = "" if len(file.hunks) == whole else f", {len(file.hunks)} of {whole} hunks"
            counts = "" if file.added is None else f" +{file.added:,} -{file.removed or 0:,}"
            lines.append(f"     {inert(file.name)}{counts}{some}")
    return lines


def _cost(parts: Sequence[_Part], grouped: Grouped) -> Cost:
    """The sum of all calls; unknown where one is."""
    costs = [grouped.cost, *(part.written.cost for part in parts if part.written)]
    known = [cost.nano_usd for cost in costs if cost.nano_usd is not None]
    tags = {cost.tag for cost in costs}
    tag = next(tag for tag in ("unknown", "estimated", "exact") if tag in tags)
    return Cost(sum(known) if len(known) == len(costs) else None, tag)


def _json(parts: Sequence[_Part], commits: Sequence[str], cost: Cost) -> dict[str, Any]:
    ids = (*commits, *[None] * (len(parts) - len(commits)))
    return {
        "commits": [
            {
                "subject": part.message.subject,
                "body": part.message.body,
                "message": str(part.message),
                "files": [
                    {"path": file.name, "hunks": len(file.hunks), "added": file.added,
                     "removed": file.removed}
                    for file in part.changes.files
                ],
                "commit": commit,
            }
            for part, commit in zip(parts, ids, strict=True)
        ],
        "committed": bool(commits),
        "cost": contract.cost_json(cost),
        "error": None,
    }  # fmt: skip


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
