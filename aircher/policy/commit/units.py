"""A change in units: what they are, a part of a change, and which cannot be parted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from aircher.domain.changes import EXECUTABLE, FILE, Changes, FileChange
from aircher.domain.splits import WHOLE, Group, Unit

_PLAIN = frozenset({FILE, EXECUTABLE})


def units_of(changes: Changes) -> tuple[Unit, ...]:
    """All units, in git's order."""
    found: list[Unit] = []
    for at, file in enumerate(changes.files):
        if divisible(file):
            found += [Unit(at, hunk) for hunk in range(len(file.hunks))]
        else:
            found.append(Unit(at))
    return tuple(found)


def divisible(file: FileChange) -> bool:
    """True for a file whose hunks can be committed one by one."""
    return (
        file.status == "modified"
        and not file.binary
        and file.old_mode == file.new_mode
        and file.new_mode in _PLAIN
        and len(file.hunks) > 1
    )


def part_of(changes: Changes, units: Iterable[Unit]) -> Changes:
    """The change with these units alone."""
    wanted: dict[int, list[int]] = {}
    for unit in sorted(units):
        wanted.setdefault(unit.file, []).append(unit.hunk)
    files = tuple(_part(changes.files[at], hunks) for at, hunks in wanted.items())
    return replace(changes, files=files)


def _part(file: FileChange, wanted: Sequence[int]) -> FileChange:
    if WHOLE in wanted or len(wanted) == len(file.hunks):
        return file
    hunks = tuple(file.hunks[at] for at in wanted)
    added, removed = sum(h.added for h in hunks), sum(h.removed for h in hunks)
    return replace(file, hunks=hunks, split=len(hunks), added=added, removed=removed)


def tied(changes: Changes, groups: Sequence[Sequence[Unit]]) -> tuple[Group, ...]:
    """The groups, joined where one without the other could not be a tree.

    That is where a path is a file before and a folder after, or the other way round.
    """
    paths = {path: at for at, file in enumerate(changes.files) for path in _both(file)}
    made = [list(group) for group in groups]
    for path, at in paths.items():
        for folder in _folders(path):
            if folder in paths and paths[folder] != at:
                _join(made, at, paths[folder])
    return tuple(tuple(sorted(group)) for group in made if group)


def _both(file: FileChange) -> tuple[str, ...]:
    return (file.path, file.old_path) if file.old_path else (file.path,)


def _folders(path: str) -> Iterator[str]:
    while path := os.path.dirname(path):
        yield path


def _join(groups: list[list[Unit]], one: int, other: int) -> None:
    holding = [group for group in groups if any(unit.file in {one, other} for unit in group)]
    for group in holding[1:]:
        holding[0] += group
        group.clear()
