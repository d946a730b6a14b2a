"""One way to ask git: by name, without a shell, deaf to what a repository's settings might run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from aircher.domain.children import child_environment
from aircher.domain.errors import GitRefused
from aircher.domain.inert import inert
from aircher.workspace.drivers import without_filters
from aircher.workspace.git import HARMLESS

TIMEOUT_S = 120.0
"""For reading; a commit itself has no limit, since a hook may run a test suite."""

_PLACES = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
)
"""Variables that say which repository and index are meant: git itself sets them for a hook
(``git commit -a`` and ``git commit FILE`` have an index of their own)."""

_MADE_ABSOLUTE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")
"""Relative to where the program runs; GIT_INDEX_FILE is relative to the top level, where we go."""


_KEPT = ("GIT_CONFIG", "GIT_TEST_")
"""The user's configuration, and what git's own tests set: neither bends a diff (see its tests)."""


def clean_environment(
    folder: Path, environ: Mapping[str, str] | None = None, *, filters: bool = False
) -> dict[str, str]:
    """The environment for a call that reads: GIT_EXTERNAL_DIFF, GIT_DIFF_OPTS, GIT_TRACE, pathspec
    and pager variables are gone, as are keys and the repository's own filters; where the
    repository is, and GIT_CONFIG*, stay.  ``filters`` keeps the repository's filters: what is
    added to an index must come out as in the user's own ``git add``.
    """
    variables = os.environ if environ is None else environ
    kept = {
        name: value
        for name, value in child_environment(variables).items()
        if not name.startswith("GIT_") or name.startswith(_KEPT) or name in _PLACES
    }
    for name in _MADE_ABSOLUTE:
        if kept.get(name):
            kept[name] = os.path.join(folder.absolute(), kept[name])
    quiet = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    return kept | quiet if filters else without_filters(folder.absolute(), kept | quiet)


def ask_git(
    folder: Path,
    *words: str | bytes,
    env: Mapping[str, str],
    stdin: bytes = b"",
    fine: tuple[int, ...] = (0,),
) -> bytes:
    """What git prints.

    Raises ``GitRefused`` with git's own words when it ends with another code than ``fine``.
    """
    done = answer_of(folder, *words, env=env, stdin=stdin)
    if done.returncode not in fine:
        raise refused(done.stderr)
    return done.stdout


def answer_of(
    folder: Path, *words: str | bytes, env: Mapping[str, str], stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Runs git in ``folder`` and waits for it, whatever it says.

    Raises ``GitRefused`` where it cannot be run or takes too long.
    """
    try:
        return subprocess.run(
            [*HARMLESS, "-C", os.fspath(folder), *words],
            input=stdin,
            capture_output=True,
            env=dict(env),
            timeout=TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError as error:
        if error.filename == "git":
            raise GitRefused("git is not installed.", hint="Install git and try again.") from None
        raise GitRefused(f"git cannot be run: {error.strerror}.") from error
    except OSError as error:
        raise GitRefused(f"git cannot be run: {error.strerror}.") from error
    except subprocess.TimeoutExpired:
        raise GitRefused(f"git did not answer within {TIMEOUT_S:.0f} s.") from None


def refused(stderr: bytes) -> GitRefused:
    """Git's own complaint as an error; what it advises is the hint."""
    said = inert(stderr.decode("utf-8", "replace")).strip()
    first, _, rest = said.partition("\n")
    what = first.removeprefix("fatal: ").removeprefix("error: ") or "no reason given"
    return GitRefused(f"git refused: {what.rstrip('.')}.", hint=rest.strip())
