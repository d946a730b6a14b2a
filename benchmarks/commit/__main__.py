"""``python -m benchmarks.commit [REPOSITORY ...] [-n 60] [--model MODEL]``

Messages by rules, and by a model where one is named, for commits whose human message is known;
beside them three baselines: the message of the nearest earlier commit, a template, and the
message of some other commit.  Without a repository it runs on the one it stands in.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from aircher.bootstrap.committing import open_writer, write_offline
from aircher.domain.changes import Changes
from aircher.domain.commits import CommitAsk, CommitMessage, PastCommit, Setting, Written
from aircher.domain.routes import Wish
from aircher.policy.commit.style import nearest
from aircher.workspace.history import LOG, parse_log
from aircher.workspace.repository import HISTORY, GitRepository
from benchmarks.commit.metrics import NAMES, Scores, score

RULES = tomllib.loads(Path(__file__).with_name("filters.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Case:
    """A commit with what was known before it was made."""

    commit: PastCommit
    changes: Changes
    setting: Setting

    @property
    def human(self) -> CommitMessage:
        return CommitMessage(self.commit.subject, self.commit.body)


def kept(commit: PastCommit) -> bool:
    """What the filter rules let through, as far as the message tells."""
    if len(commit.subject.split()) < RULES["least_words"]:
        return False
    return not any(re.search(rule["pattern"], commit.subject) for rule in RULES["subject"])


def cases(folder: Path, most: int) -> Iterator[Case]:
    """The repository's commits in the order of their ids."""
    repository = GitRepository(folder)
    ask = repository._asking()
    every = [commit for commit in parse_log(ask(*LOG, "HEAD", "--")) if kept(commit)]
    found = 0
    for commit in sorted(every, key=lambda one: one.id):
        if found == most:
            return
        before = parse_log(ask(*LOG, f"-{HISTORY}", f"{commit.id}^@", "--"))
        changes = repository.between(commit.id)
        lines = changes.added + changes.removed
        wide = len(changes.files) > RULES["most_files"] or lines > RULES["most_lines"]
        if not changes or wide or len(before) < RULES["least_before"]:
            continue
        found += 1
        yield Case(commit, changes, Setting(top=repository.top, history=before))


def baselines(case: Case, other: Case) -> dict[str, CommitMessage]:
    """Three messages that take no thought."""
    near = nearest(case.setting.history, case.changes.paths, 1)
    names = [file.name.rpartition("/")[2] for file in case.changes.files]
    template = f"Update {names[0]}" + (f" and {len(names) - 1} more files" if names[1:] else "")
    return {
        "nearest earlier commit": CommitMessage(near[0].subject, near[0].body)
        if near
        else CommitMessage(template),
        "template": CommitMessage(template),
        "another commit's": other.human,
    }


async def by_model(found: list[Case], model: str) -> list[CommitMessage | None]:
    """The configured or named model's messages; None where it failed."""
    from aircher.bootstrap.compose import open_services

    services = open_services()
    writer = open_writer(services)
    made: list[CommitMessage | None] = []
    try:
        for case in found:
            wish = Wish(model=model if model != "configured" else "")
            message = None
            async with aclosing(
                writer.write(CommitAsk(case.changes, case.setting, wish=wish))
            ) as events:
                async for event in events:
                    if isinstance(event, Written) and event.source == "model":
                        message = event.messages[0]
            made.append(message)
    finally:
        await services.aclose()
    return made


def main() -> int:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.commit", description=__doc__)
    parser.add_argument("repository", nargs="*", type=Path)
    parser.add_argument("-n", type=int, default=60, help="commits per repository (default: 60)")
    parser.add_argument("--model", default="", help="also a model's; 'configured' is your own")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    return report(args.repository, most=args.n, model=args.model, as_json=args.json)


def report(
    folders: Sequence[Path] = (), *, most: int, model: str = "", as_json: bool = False
) -> int:
    """Prints a table, or JSON."""
    folders = folders or [Path(__file__).parent]
    found = [case for folder in folders for case in cases(folder, most)]
    if len(found) < 2:
        print("too few commits are left by filters.toml", file=sys.stderr)
        return 1
    scores: dict[str, list[Scores]] = {}
    for case, other in zip(found, [*found[1:], found[0]], strict=True):
        evidence = case.changes.text()
        rules = write_offline(CommitAsk(case.changes, case.setting)).messages[0]
        rows = {"human": case.human, "rules": rules, **baselines(case, other)}
        for name, message in rows.items():
            scores.setdefault(name, []).append(score(message, case.human, evidence))
    if model:
        for case, made in zip(found, asyncio.run(by_model(found, model)), strict=True):
            if made is not None:
                figures = score(made, case.human, case.changes.text())
                scores.setdefault(model, []).append(figures)
    means = {name: _means(rows) for name, rows in scores.items()}
    print(json.dumps(means, indent=1) if as_json else _table(means, len(found)))
    return 0


def _means(rows: list[Scores]) -> dict[str, Any]:
    return {"commits": len(rows)} | {
        name: round(fmean(getattr(row, name) for row in rows), 3) for name in NAMES
    }


def _table(report: Mapping[str, Mapping[str, Any]], commits: int) -> str:
    head = f"| {commits} commits | " + " | ".join(NAMES) + " |"
    lines = [head, "|---" * (len(NAMES) + 1) + "|"]
    for name, means in report.items():
        lines.append(f"| {name} | " + " | ".join(f"{means[key]:.2f}" for key in NAMES) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
