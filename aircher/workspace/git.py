"""The state of a work tree, asked of git in a way that runs nothing of the repository's own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path

from aircher.domain.errors import GitRefused
from aircher.domain.inert import inert
from aircher.domain.tasks import GitState
from aircher.workspace.drivers import without_filters

STATUS_TIMEOUT_S = 0.5

HARMLESS = (
    "git",
    "--no-pager",
    "-c",
    "core.fsmonitor=false",
    "-c",
    f"core.hooksPath={os.devnull}",
)
"""How every git call here begins: a repository's settings may name programs to run."""

MOST_CHANGED = 50
"""Changed paths that are kept: enough to see what kind of change it is."""

_STATUS = (
    "status",
    "--porcelain=v2",
    "--branch",
    "-z",
    "--untracked-files=normal",
    "--ignore-submodules=dirty",
)

_OPERATIONS = (
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
)
"""Files in the git folder -> what is under way; a rebase also leaves some of the later ones."""


_PASSED_ON = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TERM", "TMPDIR", "TEMP", "TMP"),
        *("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
        *("SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE", "HOMEDRIVE", "HOMEPATH"),
        *("APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES"),
    }
)
"""What git needs to run and to find the user's own settings; no key is among them."""


def harmless_environment(root: Path) -> Mapping[str, str]:
    """What a call that reads is given: nothing that points git elsewhere, no key, no filter of
    the repository's own, its locks off.  Raises ``GitRefused`` as ``without_filters`` does.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED_ON or name.startswith("GIT_CONFIG")
    }
    quiet = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    return without_filters(root, kept | quiet)


def git_folder(root: Path) -> Path | None:
    """The repository's own folder: ``.git``, or where a ``.git`` file points (work trees)."""
    dot_git = root / ".git"
    if dot_git.is_dir():
        return dot_git
    try:
        text = dot_git.read_bytes()[:4096]
    except OSError:
        return None
    if not text.startswith(b"gitdir:"):
        return None
    return root / os.fsdecode(text.removeprefix(b"gitdir:").strip())


def find_root(start: Path) -> Path | None:
    """The nearest folder upwards that holds a ``.git``."""
    return next((folder for folder in (start, *start.parents) if (folder / ".git").exists()), None)


def operation(folder: Path) -> str:
    """What is under way in the repository of that git folder; "" if nothing."""
    return next((name for file, name in _OPERATIONS if (folder / file).exists()), "")


def parse_status(output: bytes, root: str = "", under_way: str = "") -> GitState:
    """Counts in the output of ``git status --porcelain=v2 --branch -z`` (git-status(1)).

    A path changed on both sides counts on both; an unmerged one counts as unstaged.
    """
    branch = ""
    staged = unstaged = untracked = 0
    changed: list[str] = []
    entries = iter(output.split(b"\0"))
    for entry in entries:
        kind, _, rest = entry.partition(b" ")
        if kind in {b"1", b"2"}:
            staged += rest[:1] != b"."
            unstaged += rest[1:2] != b"."
            # Six fields, or seven with a rename's score, stand between the letters and the path.
            changed.append(os.fsdecode(rest.split(b" ", 7 if kind == b"1" else 8)[-1]))
            if kind == b"2":
                next(entries, None)  # a rename's old path is an entry of its own
        elif kind == b"u":
            unstaged += 1
        elif kind == b"?":
            untracked += 1
        elif entry.startswith(b"# branch.head ") and not entry.endswith(b" (detached)"):
            branch = inert(entry.removeprefix(b"# branch.head ").decode(errors="replace"))
    return GitState(
        root,
        branch,
        staged,
        unstaged,
        untracked,
        under_way,
        tuple(map(inert, changed[:MOST_CHANGED])),
    )


def note_trouble(command: str, why: str) -> None:
    """Says in the log that git did not answer: what is shown then is less than there is."""
    facts = {"event": "git trouble", "command": command, "outcome": why}
    logging.getLogger("aircher").warning("git trouble", extra={"facts": facts})


async def read_state(root: Path, timeout_s: float = STATUS_TIMEOUT_S) -> GitState | None:
    """The state of the work tree at ``root``; None if git fails or is too slow, which is logged."""
    folder = git_folder(root)
    if folder is None:
        return None
    try:
        async with asyncio.timeout(timeout_s):
            env = await asyncio.to_thread(harmless_environment, root)
            output = await _asked(root, env)
    except GitRefused as error:
        note_trouble("git status", error.message)
    except TimeoutError:
        note_trouble("git status", f"no answer within {timeout_s:g} s")
    except OSError as error:
        note_trouble("git status", error.strerror or "it cannot be run")
    else:
        if output is not None:
            return parse_status(output, os.fspath(root), operation(folder))
        note_trouble("git status", "git refused")
    return None


async def _asked(root: Path, env: Mapping[str, str]) -> bytes | None:
    """What ``git status`` prints; None if it fails.  Ends the program when it is cancelled."""
    process = await asyncio.create_subprocess_exec(
        *HARMLESS,
        *_STATUS,
        cwd=root,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return output if process.returncode == 0 else None
