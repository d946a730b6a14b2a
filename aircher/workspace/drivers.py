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

from aircher.domain.errors import GitRefused
from aircher.domain.inert import inert

_TIMEOUT_S = 10.0
_NONE_FOUND = 1
_OF_THE_REPOSITORY = frozenset({b"local", b"worktree"})
_SETTINGS = ("clean", "smudge", "process", "required")
_LARGEST = 1024 * 1024


def without_filters(folder: Path, env: Mapping[str, str]) -> dict[str, str]:
    """``env`` with the filters of the repository at ``folder`` emptied.

    Costs two reads of files; a call of git, which only reads settings, where they name filters.
    Raises ``GitRefused`` where git does not say which there are.
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
    """The names of filters in the repository's own settings, what they include as well.

    All settings are read, as for any other call: an ``includeIf`` may depend on another file's.
    Raises ``GitRefused`` where that fails: a filter that is not known cannot be turned off.
    """
    words = ("config", "--show-scope", "--includes", "-z", "--name-only")
    try:
        done = subprocess.run(
            ["git", "-C", os.fspath(folder), *words, "--get-regexp", r"^filter\."],
            env=dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError:
        return []  # no git, no filter: who calls it next says so
    except (OSError, subprocess.SubprocessError) as error:
        raise GitRefused(f"git did not tell this repository's filters: {_why(error)}.") from None
    if done.returncode not in (0, _NONE_FOUND):
        said = inert(done.stderr.decode("utf-8", "replace")).strip().partition("\n")[0]
        raise GitRefused(f"git did not tell this repository's filters: {said or 'no reason'}.")
    found: dict[str, None] = {}
    entries = iter(done.stdout.split(b"\0"))
    for scope, key in zip(entries, entries, strict=False):
        name, dot, _ = os.fsdecode(key).removeprefix("filter.").rpartition(".")
        if dot and scope in _OF_THE_REPOSITORY:  # a name may be empty: [filter ""]
            found[name] = None
    return list(found)


def _why(error: OSError | subprocess.SubprocessError) -> str:
    if isinstance(error, OSError):
        return error.strerror or "it cannot be run"
    return f"no answer within {_TIMEOUT_S:.0f} s"
