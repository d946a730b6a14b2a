"""Signs of tasks that people wrote down: keywords, patterns, files, git state, commands.

Two tables of the same form: the built-in tasks.toml, whose finds are features of the model, and
the user's own [tasks.*], whose word counts more than the model's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from functools import cached_property
from typing import Any

from aircher.domain.classes import dataclass
from aircher.domain.tasks import Evidence, GitState, Signals
from aircher.policy.detect.needs import needed

LARGE = 10
"""A change of so many files or more is a large one."""

_OLDER = {"staged_changes": "staged", "git_status": "modified", "changes": "modified",
          "diff": "modified"}  # fmt: skip
_DOCS = ("*.md", "*.rst", "*.txt", "*.adoc", "docs/*")
_TESTS = ("test*", "*/test*", "*_test.*", "*.test.*", "*.spec.*")


@dataclass(frozen=True)
class Rule:
    """A message pattern, compiled when it is first needed.

    ``needs``: one of these texts must stand in a message that it matches; empty: unknown.
    """

    pattern: str
    needs: tuple[str, ...]

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The expression; compiling all of them takes longer than many a program's start."""
        return re.compile(self.pattern, re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TaskPatterns:
    """One task's signs, compiled."""

    task: str
    patterns: tuple[Rule, ...]
    files: tuple[str, ...]
    git: tuple[str, ...]
    commands: frozenset[str]


@dataclass(frozen=True)
class Patterns:
    """All tasks' signs and what each kind of sign weighs (0..1).

    ``words`` finds every task's keywords in one pass; ``keywords`` says whose each is.
    """

    tasks: tuple[TaskPatterns, ...]
    words: re.Pattern[str]
    keywords: Mapping[str, tuple[str, ...]]
    keyword: float
    pattern: float
    context: float

    @cached_property
    def rules(self) -> tuple[tuple[str, int, Rule], ...]:
        """Every message pattern with its task and its number there."""
        return tuple(
            (one.task, number, rule)
            for one in self.tasks
            for number, rule in enumerate(one.patterns)
        )

    @cached_property
    def by_need(self) -> Mapping[str, tuple[int, ...]]:
        """By each text that a pattern needs, the rules' places; "" leads to those without any."""
        found: dict[str, list[int]] = {}
        for place, (_, _, rule) in enumerate(self.rules):
            for text in rule.needs or ("",):
                found.setdefault(text, []).append(place)
        return {text: tuple(places) for text, places in found.items()}

    @cached_property
    def has_context(self) -> bool:
        """Whether any sign is of files or git."""
        return any(one.files or one.git for one in self.tasks)


def compile_patterns(
    *tables: Mapping[str, Mapping[str, Any]], needs: Mapping[str, Sequence[str]] | None = None
) -> Patterns:
    """Compiles tables like tasks.toml; later tables add to earlier ones of the same task.

    ``needs`` is what ``needed`` finds for the patterns, if that was done before.  Raises ``re.error`` for a pattern that is no regular expression.
    """
    merged: dict[str, dict[str, list[str]]] = {}
    weights = {"keyword": 0.35, "pattern": 0.62, "context": 0.25}
    for table in tables:
        for task, signs in table.items():
            if task == "weights":
                weights.update(signs)
                continue
            into = merged.setdefault(task, {})
            for name, values in signs.items():
                if isinstance(values, list | tuple):
                    into.setdefault(name, []).extend(values)
    keywords: dict[str, tuple[str, ...]] = {}
    for task, signs in merged.items():
        for word in signs.get("keywords", ()):
            keywords[word.lower()] = (*keywords.get(word.lower(), ()), task)
    longest_first = sorted(keywords, key=len, reverse=True)
    joined = "|".join(re.escape(word) for word in longest_first)
    return Patterns(
        tuple(_compile(task, signs, needs or {}) for task, signs in merged.items()),
        re.compile(rf"(?<!\w)(?:{joined})(?!\w)" if joined else r"(?!)"),
        keywords,
        **weights,
    )


def _compile(
    task: str, signs: Mapping[str, Sequence[str]], needs: Mapping[str, Sequence[str]]
) -> TaskPatterns:
    return TaskPatterns(
        task,
        tuple(
            Rule(pattern, tuple(needs[pattern] if pattern in needs else needed(pattern)))
            for pattern in signs.get("message_patterns", ())
        ),
        tuple(signs.get("file_patterns", ())),
        tuple(_OLDER.get(sign, sign) for sign in signs.get("git_patterns", ())),
        frozenset(signs.get("commands", ())),
    )


def said(ask: str, known: Patterns) -> Iterator[tuple[str, Evidence]]:
    """What the words show: a name for each find, and the find as evidence."""
    if any([word in ask for word in known.keywords]):  # noqa: C419 - half the time
        for word in dict.fromkeys(known.words.findall(ask)):
            for task in known.keywords[word]:
                yield f"word {task}", Evidence("keyword", word, known.keyword, task)
    likely: set[int] = set()
    for text, places in known.by_need.items():
        if text in ask:
            likely.update(places)
    for place in sorted(likely):
        task, number, rule = known.rules[place]
        if found := rule.compiled.search(ask):
            excerpt = " ".join(found.group().split())[:60]
            yield f"rule {task} {number}", Evidence("pattern", excerpt, known.pattern, task)


def features(finds: Iterable[tuple[str, Evidence]]) -> list[str]:
    """The finds as names of features: each rule, each task, the best and the next of them."""
    names: list[str] = []
    found: list[Evidence] = []
    for name, one in finds:
        if one.source == "pattern":
            names.append("!" + name)
        found.append(one)
    if not found:
        return ["!none"]
    ranked = sorted(noisy_or(found).items(), key=lambda item: -item[1])
    names += [f"!any {task}" for task, _ in ranked]
    task, score = ranked[0]
    names += [f"!best {task}", f"!best {task} {int(score * 4)}/4"]
    if len(ranked) > 1:
        names.append(f"!next {ranked[1][0]}")
    return names


def noisy_or(found: Iterable[Evidence]) -> dict[str, float]:
    """A score per task: two weak signs make a strong one, and nothing exceeds 1."""
    missing: dict[str, float] = {}
    for item in found:
        missing[item.task] = missing.get(item.task, 1.0) * (1.0 - item.weight)
    return {task: round(1.0 - miss, 4) for task, miss in missing.items()}


def around(signals: Signals, known: Patterns) -> Iterator[Evidence]:
    """What files and git state show; each kind of sign once a task."""
    if not known.has_context:
        return
    for one in known.tasks:
        for path in (*signals.files, *signals.open_files):
            if any(fnmatch(path, glob) for glob in one.files):
                yield Evidence("file", path, known.context, one.task)
                break
        if signals.git is not None:
            for sign in one.git:
                if detail := git_sign(sign, signals.git):
                    yield Evidence("git", detail, known.context, one.task)
                    break


def git_sign(sign: str, git: GitState) -> str:
    """The sign in words, or "" where the git state does not show it."""
    if sign.startswith("branch:"):
        return f"branch {git.branch}" if fnmatch(git.branch, sign.removeprefix("branch:")) else ""
    if sign.startswith("diff:"):
        return _diff(sign.removeprefix("diff:"), git)
    counts = {"staged": git.staged, "modified": git.unstaged, "untracked": git.untracked}
    if count := counts.get(sign, 0):
        return f"{count} {sign} file{'s' if count != 1 else ''}"
    if sign == "clean" and not any(counts.values()):
        return "nothing changed"
    return f"{sign} in progress" if sign == git.operation else ""


def _diff(kind: str, git: GitState) -> str:
    changed = git.changed
    if kind == "large":
        return (
            f"{git.staged + git.unstaged} changed files"
            if git.staged + git.unstaged >= LARGE
            else ""
        )
    kinds = {_kind(path) for path in changed}
    return f"only {kind} changed" if kinds == {kind} else ""


def _kind(path: str) -> str:
    if any(fnmatch(path, glob) for glob in _TESTS):
        return "tests"
    return "docs" if any(fnmatch(path, glob) for glob in _DOCS) else "code"
