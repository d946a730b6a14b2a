"""A repository's own filter programs, turned off for every call that reads.

``git status`` runs ``filter.NAME.clean`` on changed files where .gitattributes asks for it.  A
filter in the user's own configuration (git-lfs) is the user's wish; one in the repository's is
whoever's made it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

_TIMEOUT_S = 5.0
_SETTINGS = ("clean", "smudge", "process", "required")
_LARGEST = 1024 * 1024


def without_filters(folder: Path, env: Mapping[str, str]) -> dict[str, str]:
    """``env`` with the filters of the repository at ``folder`` emptied.

    Costs two reads of files; a call of git, which only reads settings, where they name filters.
    """
    if not any(map(_may_filter, _settings_of(folder, env))):
        return dict(env)
    count = int(env["GIT_CONFIG_COUNT"]) if env.get("GIT_CONFIG_COUNT", "").isdigit() else 0
    made = dict(env)
    for name in _filters(folder, env):
        for setting in _SETTINGS:
            made[f"GIT_CONFIG_KEY_{count}"] = f"filter.{name}.{setting}"
            made[f"GIT_CONFIG_VALUE_{count}"] = "false" if setting == "required" else ""
            count += 1
    return made | {"GIT_CONFIG_COUNT": str(count)}


def _settings_of(folder: Path, env: Mapping[str, str]) -> Iterator[Path]:
    """The files of the repository's own settings: of the repository and of this work tree."""
    named = env.get("GIT_COMMON_DIR") or env.get("GIT_DIR")
    places = [Path(named)] if named else []
    for parent in (folder, *folder.parents):
        dot_git = parent / ".git"
        if dot_git.is_dir():
            places.append(dot_git)
        elif dot_git.is_file():
            text = _start(dot_git).removeprefix(b"gitdir:").strip()
            places.append(parent / os.fsdecode(text))
        else:
            continue
        break
    for place in places:
        common = _start(place / "commondir").strip()
        for git_dir in (place, place / os.fsdecode(common)) if common else (place,):
            yield from (git_dir / "config", git_dir / "config.worktree")


def _start(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(_LARGEST)
    except OSError:
        return b""


def _may_filter(file: Path) -> bool:
    text = _start(file).lower()
    return b"filter" in text or b"include" in text or len(text) == _LARGEST


def _filters(folder: Path, env: Mapping[str, str]) -> list[str]:
    """The names of filters in the repository's own settings, what they include as well."""
    found: dict[str, None] = {}
    for scope in ("--local", "--worktree"):
        try:
            done = subprocess.run(
                ["git", "-C", os.fspath(folder), "config", scope, "--includes", "-z",
                 "--name-only", "--get-regexp", r"^filter\."],
                env=dict(env),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError):
            continue
        for key in done.stdout.split(b"\0"):
            name = os.fsdecode(key).removeprefix("filter.").rpartition(".")[0]
            if name:
                found[name] = None
    return list(found)
