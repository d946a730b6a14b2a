"""The commit itself: the user's own ``git commit``, given a message."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from aircher.domain.children import child_environment
from aircher.domain.commits import Committing
from aircher.domain.errors import Cancelled, GitRefused
from aircher.domain.inert import inert

_HOOKS_NEED = ("GH_", "GITHUB_", "GITLAB_", "SSH_", "GPG_", "NPM_", "DOCKER_", "AWS_A", "AWS_S")
"""How variables begin that a user's own hooks may sign in with; no model vendor's key is among
them."""


def run_commit(folder: Path, environ: Mapping[str, str], message: str, how: Committing) -> None:
    """Runs ``git commit -F -`` in ``folder``, in the user's own environment without keys, and
    waits for it.

    Hooks, signing and trailers work; they may take their time and ask on the terminal, which is
    theirs meanwhile.  Raises ``GitRefused`` where git or a hook says no, ``Cancelled`` where the
    user interrupted it.
    """
    # Our message has no comments in it: a line that begins with "#" is text.
    # It is in UTF-8, whatever encoding the repository asks its users for.
    words = ["git", "-c", "i18n.commitEncoding=UTF-8", "commit", "-F", "-", "--cleanup=whitespace"]
    words += ["--amend"] if how.amend else []
    words += ["--all"] if how.all else []
    words += ["--signoff"] if how.signoff else []
    sys.stdout.flush()
    try:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env={**child_environment(environ, kept=_HOOKS_NEED), **_signing_terminal(environ)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if how.captured else _own_stderr(how),
            stderr=subprocess.STDOUT if how.captured else None,
            # A hook or a passphrase prompt would write into the midst of the screen.
            start_new_session=how.captured,
        )
    except OSError as error:
        raise GitRefused(f"git cannot be run: {error.strerror}.") from error
    with process, _interrupts_are_gits():
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it may refuse before it reads
            process.stdin.write(message.encode("utf-8", "surrogateescape"))
            process.stdin.flush()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        said = process.stdout.read() if process.stdout is not None else b""
        code = process.wait()
    if code in {-signal.SIGINT, 128 + signal.SIGINT}:
        raise Cancelled("The commit was interrupted; nothing was committed.")
    if code and how.captured:
        hint = inert(said.decode("utf-8", "replace")).strip()
        raise GitRefused("git did not make the commit.", hint=hint)
    if code:
        raise GitRefused("git did not make the commit; what it said stands above.")


def _own_stderr(how: Committing) -> int | None:
    return sys.stderr.fileno() if how.quiet_stdout else None


@contextlib.contextmanager
def _interrupts_are_gits() -> Iterator[None]:
    """Leaves Ctrl+C to git and its hooks; we wait for what they make of it.

    Set after they were started, so that they do not inherit it.
    """
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # not the main thread: nobody interrupts it here
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _signing_terminal(environ: Mapping[str, str]) -> dict[str, str]:
    """GPG_TTY where it is missing: pinentry cannot find the terminal behind our pipe."""
    if environ.get("GPG_TTY"):
        return {}
    for number in (2, 1, 0):
        with contextlib.suppress(OSError):
            return {"GPG_TTY": os.ttyname(number)}
    return {}
