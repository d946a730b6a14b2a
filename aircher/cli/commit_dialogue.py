"""The choice on a terminal: commit, edit, again, change in words, another of several, or stop."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from aircher.bootstrap.configuring import key_variables
from aircher.cli.commit_writing import Writing
from aircher.cli.narration import complaint, money
from aircher.cli.streams import drawing
from aircher.domain.children import child_environment
from aircher.domain.commits import CommitAsk, CommitMessage, Written
from aircher.domain.errors import EXIT_CANCELLED, AircherError, Cancelled, UsageError
from aircher.domain.inert import inert
from aircher.domain.repository import Repository

_SOURCES = {"rules": "rules, no model", "git": "git", "kept": "kept", "user": "you"}


class CommitsMessages(Protocol):
    """What makes the commit (``cli.commit.Commits``)."""

    def keep(self, message: CommitMessage, written: Written) -> None:
        """Keeps the message for --retry."""
        ...

    def make(self, message: CommitMessage, written: Written) -> int:
        """Commits; returns the exit code."""
        ...


class Dialogue:
    """One conversation about a message.  All of it is on stderr: stdout is git's own report."""

    def __init__(
        self, writing: Writing, commits: CommitsMessages, repository: Repository, ask: CommitAsk
    ) -> None:
        self._writing = writing
        self._commits = commits
        self._repository = repository
        self._ask = ask
        self._at = 0
        self._seen: list[CommitMessage] = []
        self._actions: dict[str, Callable[[str], None]] = {
            "e": self._edit,
            "edit": self._edit,
            "r": self._regenerate,
            "regenerate": self._regenerate,
            "c": self._change,
            "change": self._change,
        }

    def run(self, written: Written) -> int:
        """Asks until the user commits or stops; returns the exit code."""
        self._written = written
        self._show()
        while True:
            word, rest = self._asked()
            if word in {"", "y", "yes", "a", "accept"}:
                return self._commits.make(self._message, self._written)
            if word in {"q", "n", "quit", "no"}:
                return self._stop()
            if word.isdigit() and 1 <= int(word) <= len(self._written.messages):
                self._at = int(word) - 1
            elif word in self._actions:
                try:
                    self._actions[word](rest)
                except Cancelled:
                    self._say("stopped; the message before stands")
                except AircherError as error:
                    self._say(complaint(error))
            else:
                self._say(f"{word!r} is none of the choices")
                continue
            self._show()

    @property
    def _message(self) -> CommitMessage:
        return self._written.messages[self._at]

    def _stop(self) -> int:
        self._commits.keep(self._message, self._written)
        self._say("nothing was committed; the message is kept: aircher commit --retry")
        return EXIT_CANCELLED

    # -- what can be chosen

    def _edit(self, _: str) -> None:
        text = edited(str(self._message), self._repository.editor())
        if not text.strip():
            raise UsageError("The message is empty now; the one before stands.")
        subject, _, rest = text.strip().partition("\n")
        message = CommitMessage(subject.rstrip(), rest.strip("\n"))
        messages = list(self._written.messages)
        messages[self._at] = message
        same = message == self._message or self._written.source == "kept"
        source = self._written.source if same else "user"
        self._written = replace(self._written, messages=tuple(messages), source=source)

    def _regenerate(self, _: str) -> None:
        self._again(change="")

    def _change(self, words: str) -> None:
        words = words or self._line("what should be different? ")
        if words.strip():
            self._again(change=words.strip())

    def _again(self, *, change: str) -> None:
        self._seen = [*self._seen, self._message][-3:]
        earlier = (self._message,) if change else tuple(self._seen)
        written = self._writing.write(replace(self._ask, earlier=earlier, change=change))
        self._written, self._at = written, 0

    # -- the terminal

    def _show(self) -> None:
        messages = self._written.messages
        if len(messages) > 1:
            self._say("")
            for number, message in enumerate(messages):
                mark = ">" if number == self._at else " "
                self._say(f"{mark} {number + 1}  {message.subject}")
        self._say("")
        subject, _, rest = str(self._message).rstrip("\n").partition("\n")
        self._say("  " + bold(inert(subject)), raw=True)
        for line in rest.split("\n") if rest else ():
            self._say(f"  {line}".rstrip())
        self._say("")
        self._say("  " + faint(inert(self._facts())), raw=True)

    def _facts(self) -> str:
        written, changes = self._written, self._ask.changes
        files = len(changes.files)
        who = str(written.ref) if written.ref else _SOURCES.get(written.source, written.source)
        size = f"{files} file{'s' if files != 1 else ''} +{changes.added:,} -{changes.removed:,}"
        # What a kept message once cost is not known any more, and nothing is paid for it now.
        cost = money(written.cost) if written.ref and written.source != "kept" else ""
        parts = [written.task, who, cost, size]
        return "  ".join(part for part in parts if part)

    def _asked(self) -> tuple[str, str]:
        number = len(self._written.messages)
        choose = f"1-{number} choose, " if number > 1 else ""
        words = self._line(
            f"{choose}Enter commit, e edit, r regenerate, c change in words, q stop: "
        ).strip()
        first, _, rest = words.partition(" ")
        return first.lower(), rest

    def _line(self, question: str) -> str:
        sys.stderr.write(question)
        sys.stderr.flush()
        try:
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            line = ""
        if not line:  # the end of the input, or Ctrl+C
            self._say("")
            self._commits.keep(self._message, self._written)
            raise _Gone("You stopped it; nothing was committed.",
                        hint="The message is kept: aircher commit --retry")  # fmt: skip
        return line.rstrip("\n")

    def _say(self, text: str, *, raw: bool = False) -> None:
        print(text if raw else inert(text), file=drawing(sys.stderr), flush=True)


class _Gone(Cancelled):
    """Nobody answers any more."""


def _styled() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")


def bold(text: str) -> str:
    """The text in bold, where stderr is a terminal that may be coloured."""
    return f"\x1b[1m{text}\x1b[0m" if _styled() else text


def faint(text: str) -> str:
    """The same, faint."""
    return f"\x1b[2m{text}\x1b[0m" if _styled() else text


def edited(text: str, editor: str) -> str:
    """The text after the user's editor; run by a shell, as git runs it."""
    with tempfile.TemporaryDirectory(prefix="aircher-") as folder:
        # Editors know this name and colour the file as a commit message.
        path = os.path.join(folder, "COMMIT_EDITMSG")
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        try:
            done = subprocess.run(
                ["sh", "-c", f'{editor} "$@"', editor, path],
                env=child_environment(os.environ, key_variables()),
                check=False,
            )
        except OSError as error:
            raise UsageError(f"The editor cannot be run: {error.strerror}.") from error
        if done.returncode:
            raise UsageError(f"The editor {editor!r} ended with {done.returncode}.")
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
