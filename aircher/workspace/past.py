"""Branches, tags and commits of a repository."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from aircher.domain.commits import PastCommit
from aircher.domain.errors import UsageError
from aircher.domain.inert import inert
from aircher.workspace.call import answer_of, ask_git, clean_environment
from aircher.workspace.history import LOG, parse_log

MOST = 200
"""Commits of a range that are read."""

_DEFAULTS = ("main", "master", "trunk", "develop")
_CHANGELOGS = ("CHANGELOG.md", "CHANGES.md", "HISTORY.md", "NEWS.md", "CHANGELOG.rst", "CHANGELOG")
_BEGINNING = 3_000


class RepositoryPast:
    """The port ``Past`` for the work tree at ``top``; see there."""

    def __init__(self, top: Path, environ: Mapping[str, str] | None = None) -> None:
        self._top = top
        self._env = clean_environment(top, environ)

    def base(self) -> str:
        """The default branch: of the remote "origin", else the first of the usual names."""
        names = [self._answer("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")]
        names += [f"origin/{name}" for name in _DEFAULTS] + list(_DEFAULTS)
        for name in names:
            if name and self._answer("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"):
                return name
        raise UsageError(
            "There is no branch here that the change could go to.", hint="Name it with --base."
        )

    def last_tag(self) -> str:
        """The newest tag that HEAD stands on, or ""."""
        return self._answer("describe", "--tags", "--abbrev=0", "HEAD")

    def commits(self, wanted: str) -> Sequence[PastCommit]:
        """The commits of a range that was found before, oldest first."""
        words = (*LOG, "--no-merges", f"-{MOST}", "--end-of-options", wanted, "--")
        return tuple(reversed(parse_log(ask_git(self._top, *words, env=self._env))))

    def branches(self) -> frozenset[str]:
        """The names of branches."""
        words = ("for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes")
        names = ask_git(self._top, *words, env=self._env).decode("utf-8", "replace").split("\n")
        local = {name.removeprefix("refs/heads/") for name in names if "refs/heads/" in name}
        return frozenset(local | {_without_remote(name) for name in names if "remotes/" in name})

    def changelog(self) -> str:
        """The beginning of a changelog at the top level, or ""."""
        for name in _CHANGELOGS:
            path = self._top / name
            if path.is_file() and not path.is_symlink():
                with path.open("rb") as file:
                    return inert(file.read(_BEGINNING).decode("utf-8", "replace"))
        return ""

    def _answer(self, *words: str) -> str:
        done = answer_of(self._top, *words, env=self._env)
        return os.fsdecode(done.stdout).strip() if done.returncode == 0 else ""


def _without_remote(name: str) -> str:
    return name.removeprefix("refs/remotes/").partition("/")[2]
