"""The user's own rules: when each applies.  The time is a value; so is all else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from fnmatch import fnmatch

from aircher.domain.preferences import Condition, Hours, SpecialRule
from aircher.domain.routes import Rules
from aircher.policy.route.situation import Situation


def applying(rules: Rules, situation: Situation, prompt: Callable[[], int]) -> list[SpecialRule]:
    """The rules whose conditions all hold, in the order of the file.

    ``prompt`` gives the prompt's size in tokens; it is asked for only by rules about size.
    """
    return [rule for rule in rules.special if holds(rule.when, situation, prompt)]


def holds(when: Condition, situation: Situation, prompt: Callable[[], int]) -> bool:
    """True if nothing that the condition says is untrue."""
    return all(_answers(when, situation, prompt))


def _answers(when: Condition, situation: Situation, prompt: Callable[[], int]) -> Iterator[bool]:
    """One answer for each thing that is asked, the cheapest first."""
    if when.tasks:
        yield situation.task in when.tasks
    if when.needs:
        yield when.needs <= situation.needs | situation.asks
    if when.days or when.hours:
        yield situation.now is not None and in_time(when, situation.now)
    if when.branches:
        yield any(fnmatch(situation.branch, glob) for glob in when.branches)
    if when.files:
        yield any(fnmatch(path, glob) for path in situation.files for glob in when.files)
    if when.min_complexity is not None:
        yield situation.complexity.score >= when.min_complexity
    if when.max_complexity is not None:
        yield situation.complexity.score <= when.max_complexity
    if when.min_tokens is not None:
        yield prompt() >= when.min_tokens
    if when.max_tokens is not None:
        yield prompt() <= when.max_tokens


def in_time(when: Condition, now: datetime) -> bool:
    """True within the days and hours.  Past midnight the day is that on which the hours began."""
    minute = now.hour * 60 + now.minute
    day = now.weekday()
    if when.hours is not None:
        if not _within(when.hours, minute):
            return False
        if when.hours.until <= when.hours.since and minute < when.hours.until:
            day = (day - 1) % 7
    return not when.days or day in when.days


def _within(hours: Hours, minute: int) -> bool:
    if hours.since < hours.until:
        return hours.since <= minute < hours.until
    return minute >= hours.since or minute < hours.until
