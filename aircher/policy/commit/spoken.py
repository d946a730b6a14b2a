"""How files and names are spoken of in a message that rules make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from aircher.domain.changes import FileChange


def listed(names: Sequence[str], room: int = 44) -> str:
    """As many names as fit, at least one, and how many there are besides."""
    for shown in range(len(names), 0, -1):
        more = len(names) - shown
        if more:
            said = f"{', '.join(names[:shown])} and {more} more"
        elif shown == 1:
            said = names[0]
        else:
            said = f"{', '.join(names[:-1])} and {names[-1]}"
        if len(said) <= room and shown <= 3:
            return said
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def short(name: str) -> str:
    """The base name, with its folder where the base name alone says nothing."""
    folder, _, base = name.rpartition("/")
    return f"{folder.rpartition('/')[2]}/{base}" if folder and base in _PLAIN_NAMES else base


_PLAIN_NAMES = frozenset(
    "__init__.py __main__.py index.js index.ts index.tsx mod.rs main.py main.go README.md conftest.py".split()
)


def stem(name: str) -> str:
    """The base name without its endings."""
    return name.rpartition("/")[2].partition(".")[0]


def common_folder(files: Sequence[FileChange]) -> str:
    """The deepest folder that all are in, or ""."""
    shared: list[str] = []
    for parts in zip(*(file.name.split("/")[:-1] for file in files), strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return "/".join(shared)


def biggest(files: Sequence[FileChange]) -> list[str]:
    """Their names, the most changed first."""
    by_size = sorted(files, key=lambda file: -((file.added or 0) + (file.removed or 0)))
    names = [short(file.name) for file in by_size]
    twice = {name for name, seen in Counter(names).items() if seen > 1}
    return [
        "/".join(file.name.split("/")[-2:]) if name in twice else name
        for file, name in zip(by_size, names, strict=True)
    ]


def new_files(files: Sequence[FileChange]) -> str:
    """New files by name; a new package by its own."""
    parent, _, package = common_folder(files).rpartition("/")
    if package and any(f"{package}/{file.name.rpartition('/')[2]}" == short(file.name)
                       for file in files):  # fmt: skip
        return f"Add {package}" + (f" to {parent.rpartition('/')[2]}" if parent else "")
    return f"Add {listed(biggest(files))}" + (f" to {package}" if package else "")
