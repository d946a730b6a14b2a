"""Which task a request is: weighted patterns over text, files and git state, with evidence.

The rules are data (tasks.toml and the user's own [tasks.*] tables).  Every find adds to a
task's score by noisy-or, so two weak signs make a strong one and nothing exceeds 1; the
confidence is the best score's lead over the rest.  Below the threshold the answer is
``default``, which is what an unsure detector should say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from aircher.domain.tasks import Detection, Evidence, GitState, Signals

HEAD, TAIL = 1_500, 1_500
"""Characters read of a long message: people put the request first or last, the paste between."""

THRESHOLD = 0.3
"""A best score below this is a guess, and guesses go to ``default``."""

STEER_LENGTH = 60
"""A message shorter than this that matches nothing goes on with the previous task."""


@dataclass(frozen=True, slots=True)
class TaskPatterns:
    """One task's signs, compiled."""

    task: str
    patterns: tuple[re.Pattern[str], ...]
    files: tuple[str, ...]
    git: tuple[str, ...]
    commands: frozenset[str]


@dataclass(frozen=True, slots=True)
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


def compile_patterns(*tables: Mapping[str, Mapping[str, Any]]) -> Patterns:
    """Compiles tables like tasks.toml; later tables add to earlier ones of the same task.

    Raises ``re.error`` for a pattern that is no regular expression.
    """
    merged: dict[str, dict[str, list[str]]] = {}
    weights: dict[str, float] = {}
    for table in tables:
        for task, signs in table.items():
            if task == "weights":
                weights.update(signs)
                continue
            into = merged.setdefault(task, {})
            for name, values in signs.items():
                if isinstance(values, list):
                    into.setdefault(name, []).extend(values)
    keywords: dict[str, tuple[str, ...]] = {}
    for task, signs in merged.items():
        for word in signs.get("keywords", ()):
            keywords[word.casefold()] = (*keywords.get(word.casefold(), ()), task)
    longest_first = sorted(keywords, key=len, reverse=True)
    joined = "|".join(re.escape(word) for word in longest_first)
    return Patterns(
        tuple(_compile(task, signs) for task, signs in merged.items()),
        re.compile(rf"(?<!\w)(?:{joined})(?!\w)" if joined else r"(?!)"),
        keywords,
        keyword=weights["keyword"],
        pattern=weights["pattern"],
        context=weights["context"],
    )


def _compile(task: str, signs: Mapping[str, Sequence[str]]) -> TaskPatterns:
    return TaskPatterns(
        task,
        tuple(re.compile(pattern) for pattern in signs.get("message_patterns", ())),
        tuple(signs.get("file_patterns", ())),
        tuple(signs.get("git_patterns", ())),
        frozenset(signs.get("commands", ())),
    )


def detect(signals: Signals, patterns: Patterns) -> Detection:
    """The task, how sure, and why."""
    evidence = tuple(_evidence(signals, patterns))
    scores = _scores(evidence)
    if not scores:
        return _unsure(signals, evidence)
    # Ascending and stable: of two equal scores the later table's stands last and wins.
    ranked = sorted(scores.items(), key=lambda item: item[1])
    task, best = ranked[-1]
    second = ranked[-2][1] if len(ranked) > 1 else 0.0
    if best < THRESHOLD:
        return _unsure(signals, evidence)
    confidence = round(best * (0.5 + 0.5 * (best - second) / best), 3)
    return Detection(task, confidence, evidence, scores)


def _unsure(signals: Signals, evidence: tuple[Evidence, ...]) -> Detection:
    if signals.previous_task and len(signals.text) < STEER_LENGTH:
        task = signals.previous_task
        why = Evidence("conversation", "a short follow-up keeps its task", 0.5, task)
        return Detection(task, 0.5, (*evidence, why), {task: 0.5})
    why = Evidence("text", "no clear sign of any task", 0.0, "default")
    return Detection("default", 0.0, (*evidence, why), {})


def _scores(evidence: Iterable[Evidence]) -> dict[str, float]:
    missing: dict[str, float] = {}
    for item in evidence:
        missing[item.task] = missing.get(item.task, 1.0) * (1.0 - item.weight)
    return {task: round(1.0 - miss, 4) for task, miss in missing.items()}


def _evidence(signals: Signals, patterns: Patterns) -> Iterator[Evidence]:
    text = signals.text
    if len(text) > HEAD + TAIL:
        text = f"{text[:HEAD]}\n{text[-TAIL:]}"
    text = text.casefold()
    said = _words(text, patterns)
    for task in patterns.tasks:
        if signals.command and signals.command in task.commands:
            yield Evidence("command", signals.command, 0.99, task.task)
        # Saying a word twice does not make it truer: each counts once, at most three.
        for word in said.get(task.task, ())[:3]:
            yield Evidence("keyword", word, patterns.keyword, task.task)
        for pattern in task.patterns:
            if found := pattern.search(text):
                excerpt = " ".join(found.group().split())[:60]
                yield Evidence("pattern", excerpt, patterns.pattern, task.task)
        yield from _in_context(signals, task, patterns)


def _words(text: str, patterns: Patterns) -> dict[str, list[str]]:
    """The keywords said, by task, each once, in the order of the text."""
    said: dict[str, list[str]] = {}
    for word in dict.fromkeys(patterns.words.findall(text)):
        for task in patterns.keywords[word]:
            said.setdefault(task, []).append(word)
    return said


def _in_context(signals: Signals, task: TaskPatterns, patterns: Patterns) -> Iterator[Evidence]:
    for path in signals.files:
        if any(fnmatch(path, glob) for glob in task.files):
            yield Evidence("file", path, patterns.context, task.task)
    if signals.git is not None:
        for sign in task.git:
            if detail := _git_sign(sign, signals.git):
                yield Evidence("git", detail, patterns.context, task.task)


def _git_sign(sign: str, git: GitState) -> str:
    """The sign in words, or "" where the git state does not show it."""
    match sign:
        case "staged" | "staged_changes" if git.staged:
            return f"{git.staged} staged file{'s' if git.staged != 1 else ''}"
        case "modified" | "changes" | "diff" if git.unstaged:
            return f"{git.unstaged} modified file{'s' if git.unstaged != 1 else ''}"
        case "merge" | "rebase" | "cherry-pick" | "revert" if git.operation == sign:
            return f"{sign} in progress"
        case _:
            return ""
