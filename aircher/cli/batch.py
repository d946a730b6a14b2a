"""``aircher route --batch``: many requests, one JSON line each, in one process.

A line in holds "id" and "text", and may hold "files" (paths as given; nothing is read), "git"
(what the work tree would say) and "previous" (what was said before).  A line out holds "id",
"task", "confidence", "provider", "model" and "reasons".  No call is made, no file and no
repository is looked at.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from io import TextIOWrapper
from typing import Any

from aircher.cli.printing import json_text
from aircher.domain.errors import EXIT_OK, EXIT_USAGE, AircherError, UsageError
from aircher.domain.inert import inert
from aircher.domain.routes import Wish
from aircher.domain.tasks import GitState, Signals
from aircher.engine.turn import Engine

_STRAY = "surrogateescape"
"""A byte that is no UTF-8 spoils its own line, not the reading."""

_SHAPE = '  Each line is an object, such as {"id": 1, "text": "fix this test"} (docs/routing.md).'

_OPERATIONS = ("merge", "rebase", "cherry-pick", "revert", "bisect")


def run_batch(engine: Engine, name: str, wish: Wish) -> int:
    """Answers every line of the file ("-" = stdin); 2 if one of them could not be read.

    Raises ``UsageError`` for a file that cannot be opened.
    """
    code = EXIT_OK
    with _opened(name) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                answer = _answer(engine, line, wish)
            except UsageError as error:
                print(inert(f"line {number}: {error.message}"), file=sys.stderr)
                code = EXIT_USAGE
            else:
                sys.stdout.write(answer + "\n")
    if code != EXIT_OK:
        print(_SHAPE, file=sys.stderr)
    return code


@contextmanager
def _opened(name: str) -> Iterator[Iterable[str]]:
    if name == "-":
        if isinstance(sys.stdin, TextIOWrapper):
            sys.stdin.reconfigure(encoding="utf-8", errors=_STRAY)
        yield sys.stdin
        return
    try:
        file = open(name, encoding="utf-8", errors=_STRAY)  # noqa: SIM115 - closed below, whatever happens
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}.") from error
    with file:
        yield file


def _answer(engine: Engine, line: str, wish: Wish) -> str:
    given = _object(line)
    signals = _signals(given, engine)
    detection, plan = engine.weigh(signals, wish)
    reasons = [
        f"{item.source}: {item.detail}"
        for item in detection.evidence
        if item.task == detection.task
    ]
    ref = None
    if isinstance(plan, AircherError):
        reasons.append(plan.message)
    else:
        ref = plan.first.ref
        reasons.append(f"{ref}: {plan.first.reason}")
    return json_text(
        {
            "id": given["id"],
            "task": detection.task,
            "confidence": round(detection.confidence, 4),
            "provider": ref.provider if ref else None,
            "model": ref.model if ref else None,
            "reasons": [inert(reason) for reason in reasons],
        }
    )


def _object(line: str) -> Mapping[str, Any]:
    try:
        line.encode()
    except UnicodeEncodeError:
        raise UsageError("this is not UTF-8.") from None
    try:
        given = json.loads(line.removeprefix("\ufeff"))  # a byte order mark, as Windows writes it
    except (ValueError, RecursionError):
        raise UsageError("this is not JSON.") from None
    if not isinstance(given, dict):
        raise UsageError("this is no JSON object.")
    if "id" not in given or not isinstance(given["id"], str | int):
        raise UsageError('"id" is missing, or is neither text nor a number.')
    if not isinstance(given.get("text"), str):
        raise UsageError('"text" is missing, or is no text.')
    return given


def _signals(given: Mapping[str, Any], engine: Engine) -> Signals:
    """The line's values as detection takes them.  Raises ``UsageError``."""
    history, task = _previous(given.get("previous"), engine)
    return Signals(
        text=given["text"],
        history=history,
        previous_task=task,
        files=_texts("files", given.get("files")),
        git=_git(given.get("git")),
    )


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise UsageError(f'"{name}" is no list of texts.')


def _previous(value: Any, engine: Engine) -> tuple[tuple[str, ...], str]:
    """Earlier messages and the task before: a task's name, a text, texts, or {"task", "text"}."""
    if isinstance(value, Mapping):
        task = value.get("task")
        texts = _texts("previous.text", value.get("text"))
        return texts, task if isinstance(task, str) else _task_of(texts, engine)
    if isinstance(value, str) and value in engine.learning.tasks:
        return (), value
    texts = _texts("previous", value)
    return texts, _task_of(texts, engine)


def _task_of(texts: tuple[str, ...], engine: Engine) -> str:
    """The task that the last of some earlier messages was."""
    if not texts:
        return ""
    earlier = Signals(texts[-1], history=texts[:-1])
    task = engine.weigh(earlier, Wish())[0].task
    return "" if task == "default" else task


def _git(value: Any) -> GitState | None:
    """A work tree's state from an object with the names of ``GitState``; counts may be true."""
    if value is None:
        return None
    if isinstance(value, str):
        return GitState(operation=value) if value in _OPERATIONS else GitState(branch=value)
    if not isinstance(value, Mapping):
        raise UsageError('"git" is no object.')
    given: dict[str, Any] = {}
    for field in fields(GitState):
        if field.name not in value:
            continue
        read = _READERS.get(str(field.type).partition("[")[0])
        if read is None:
            continue
        given[field.name] = read(field.name, value[field.name])
    for name in _OPERATIONS:
        if value.get(name) is True and not given.get("operation"):
            given["operation"] = name
    return GitState(**given)


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool | int) and value >= 0:
        return int(value)
    if isinstance(value, list):
        return len(value)
    raise UsageError(f'"git.{name}" is no number.')


def _word(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    raise UsageError(f'"git.{name}" is no text.')


_READERS: Mapping[str, Callable[[str, Any], Any]] = {"int": _count, "str": _word}
