"""A git repository as the writing of commits sees it: what is staged, the past, the commit."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from aircher.domain.changes import Changes
from aircher.domain.commits import Committing, PastCommit, Setting
from aircher.domain.errors import GitRefused, NothingToDo, UsageError
from aircher.domain.inert import inert
from aircher.domain.regexes import regex
from aircher.workspace.call import answer_of, ask_git, clean_environment, refused
from aircher.workspace.committing import run_commit
from aircher.workspace.diff.read import read_index, read_range
from aircher.workspace.git import operation
from aircher.workspace.history import LOG, parse_log
from aircher.workspace.rule_files import read_rule_files

HISTORY = 200
"""Commits that style is learnt from."""

_MARKS = regex(rb"^<{7} .*^={7}\r?$.*^>{7} ", re.DOTALL | re.MULTILINE)
"""What git leaves in a file whose sides could not be merged."""

_DUBIOUS = "dubious ownership"


class GitRepository:
    """The port ``Repository``; see there.  All methods block."""

    def __init__(self, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self._folder = folder.absolute()
        self._environ = dict(os.environ if environ is None else environ)
        self._env = clean_environment(self._folder, self._environ)
        self._top, self._git_dir = self._find()

    @property
    def top(self) -> str:
        """The work tree's root."""
        return os.fspath(self._top)

    @property
    def key(self) -> str:
        """A name for this work tree that no other has: the hash of its git folder's path."""
        return hashlib.sha256(os.fsencode(self._git_dir)).hexdigest()[:32]

    # -- reading

    def staged(self, *, amend: bool = False, everything: bool = False) -> Changes:
        """What the next commit would hold, against what it would stand on.

        ``amend``: against the parent of HEAD.  ``everything``: as after ``git add -u``; the index
        stays as it is.  Raises ``GitRefused`` for conflicts that are not resolved.
        """
        with self._index(everything=everything) as env:
            fingerprint = self._fingerprint(env)
            base = self._parent_of_head() if amend else self.head
            files = read_index(self._asking(env), base or self._empty_tree)
            return Changes(files, base, fingerprint)

    def between(self, wanted: str) -> Changes:
        """The changes of a range: "A..B", "A...B" (from where they parted), or one commit."""
        old, dots, new = wanted.partition("..")
        if not dots:
            new = self._commit(wanted)
            return Changes(
                read_range(self._asking(), self._tree_before(new), new), self._parent(new)
            )
        if new.startswith("."):
            new = self._commit(new[1:] or "HEAD")
            answer = self._answer("merge-base", self._commit(old or "HEAD"), new)
            if answer.returncode:
                raise UsageError(f"The two sides of {wanted!r} have nothing in common.")
            old = answer.stdout.decode().strip()
        else:
            old, new = self._commit(old or "HEAD"), self._commit(new or "HEAD")
        return Changes(read_range(self._asking(), old, new), old)

    def setting(self, *, amend: bool = False, history: bool = True) -> Setting:
        """Branch, history, rules, and what git is in the middle of."""
        rules, unreadable = read_rule_files(self._top)
        return Setting(
            top=self.top,
            branch=self.branch,
            head=self.head,
            operation=operation(self._git_dir),
            prepared=self._message_file("MERGE_MSG"),
            squashed=self._message_file("SQUASH_MSG"),
            amended=self._message_of_head() if amend else "",
            history=self._history() if history else (),
            rules=rules,
            unreadable=unreadable,
        )

    def fingerprint(self, *, everything: bool = False) -> str:
        """Names the index's exact content, and HEAD: equal now and later means nothing moved."""
        with self._index(everything=everything) as env:
            return self._fingerprint(env)

    def unstaged(self) -> bool:
        """True when tracked files differ from the index, or new ones could be added."""
        shown = self._asking()("status", "--porcelain", "-z", "--ignore-submodules=dirty")
        return bool(shown)

    @property
    def head(self) -> str:
        """The commit checked out, or "" before the first."""
        return self._resolve("HEAD^{commit}")

    @property
    def branch(self) -> str:
        """The branch's short name, or "" on none."""
        answer = self._answer("symbolic-ref", "--quiet", "--short", "HEAD")
        return inert(answer.stdout.decode("utf-8", "replace").strip())

    # -- writing

    def commit(self, message: str, how: Committing) -> str:
        """Makes the commit as the user's own ``git commit`` would, and returns its id."""
        run_commit(self._folder, self._environ, message, how)
        return self.head

    def editor(self) -> str:
        """The user's editor by git's own rules: GIT_EDITOR, core.editor, VISUAL, EDITOR."""
        answer = answer_of(self._top, "var", "GIT_EDITOR", env=self._environ | {"LC_ALL": "C"})
        return answer.stdout.decode("utf-8", "surrogateescape").strip()

    # -- in parts

    def _find(self) -> tuple[Path, Path]:
        """Top level and git folder.  Raises ``UsageError`` where there is no work tree."""
        answer = answer_of(self._folder, "rev-parse", "--show-toplevel", env=self._env)
        if answer.returncode:
            raise self._homeless(answer.stderr.decode("utf-8", "replace"))
        top = Path(os.fsdecode(answer.stdout.removesuffix(b"\n")))
        words = ("rev-parse", "--absolute-git-dir")
        git_dir = ask_git(self._folder, *words, env=self._env).removesuffix(b"\n")
        return top, Path(os.fsdecode(git_dir))

    def _homeless(self, said: str) -> UsageError | GitRefused:
        if _DUBIOUS in said:
            return refused(said.encode())
        bare = answer_of(self._folder, "rev-parse", "--is-bare-repository", env=self._env)
        if bare.stdout.strip() == b"true":
            return UsageError(
                "This repository is bare: it has no files to commit.",
                hint="Run it in a clone or a work tree (git worktree add).",
            )
        if bare.returncode == 0:
            return UsageError(
                "This is the inside of a repository, not a work tree.", hint="Go up to the files."
            )
        return UsageError(
            "There is no git repository here.", hint="Go to one, or make one with: git init"
        )

    def _asking(self, env: Mapping[str, str] | None = None) -> _Asking:
        return _Asking(self._top, env or self._env)

    def _answer(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return answer_of(self._top, *words, env=self._env)

    def _resolve(self, revision: str) -> str:
        answer = self._answer("rev-parse", "--verify", "--quiet", "--end-of-options", revision)
        return answer.stdout.decode().strip() if answer.returncode == 0 else ""

    def _commit(self, revision: str) -> str:
        found = self._resolve(f"{revision}^{{commit}}")
        if not found:
            raise UsageError(f"There is no commit {revision!r}.")
        return found

    def _parent(self, commit: str) -> str:
        return self._resolve(f"{commit}^1")

    def _tree_before(self, commit: str) -> str:
        return self._parent(commit) or self._empty_tree

    def _parent_of_head(self) -> str:
        if not self.head:
            raise NothingToDo("There is no commit yet to amend.")
        return self._parent(self.head)

    @cached_property
    def _empty_tree(self) -> str:
        """Its id, in the repository's own hash; git knows the object without storing it."""
        return self._asking()("hash-object", "-t", "tree", "--stdin").decode().strip()

    def _history(self) -> tuple[PastCommit, ...]:
        if not self.head:
            return ()
        return parse_log(self._asking()(*LOG, f"-{HISTORY}", "HEAD", "--"))

    def _message_of_head(self) -> str:
        words = ("log", "-1", "--no-show-signature", "--encoding=UTF-8", "--format=%B")
        return self._asking()(*words).decode("utf-8", "replace").strip() if self.head else ""

    def _message_file(self, name: str) -> str:
        """A message that git keeps in its folder, without its comments; "" if there is none."""
        try:
            raw = (self._git_dir / name).read_bytes()
        except OSError:
            return ""
        plain = self._asking()("stripspace", "--strip-comments", stdin=raw)
        return inert(plain.decode("utf-8", "replace")).strip()

    def _fingerprint(self, env: Mapping[str, str]) -> str:
        listed = self._asking(env)("ls-files", "--stage", "-z")
        if conflict := next((e for e in listed.split(b"\0") if _is_conflict(e)), None):
            raise _conflict(conflict.partition(b"\t")[2])
        return hashlib.sha256(self.head.encode() + b"\0" + listed).hexdigest()

    def _require_resolved(self) -> None:
        """Raises ``GitRefused`` where ``--all`` would commit the marks of a conflict as content."""
        for entry in self._asking()("ls-files", "--unmerged", "-z").split(b"\0"):
            path = entry.partition(b"\t")[2]
            try:
                content = (self._top / os.fsdecode(path)).read_bytes() if path else b""
            except OSError:  # deleted, which resolves it as well
                continue
            if _MARKS.search(content):
                raise _conflict(path)

    @contextlib.contextmanager
    def _index(self, *, everything: bool) -> Iterator[Mapping[str, str]]:
        """The environment in which the index is the one to be committed."""
        if not everything:
            yield self._env
            return
        # A copy, so that whoever then says no still has the index they had.
        with tempfile.TemporaryDirectory(prefix="aircher-") as folder:
            copy = os.path.join(folder, "index")
            own = self._top / os.fsdecode(
                self._asking()("rev-parse", "--git-path", "index").removesuffix(b"\n")
            )
            with contextlib.suppress(FileNotFoundError):
                shutil.copy2(own, copy)  # with its time, by which git knows what to look at
            self._require_resolved()
            adding = clean_environment(self._folder, self._environ, filters=True)
            env = {**adding, "GIT_INDEX_FILE": copy}
            self._asking(env)("add", "--update", "--", ":/")
            yield env


class _Asking:
    """Asks git in one folder and environment."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._env = env

    def __call__(self, *words: str, stdin: bytes = b"") -> bytes:
        return ask_git(self._folder, *words, env=self._env, stdin=stdin)


def _conflict(path: bytes) -> GitRefused:
    name = inert(path.decode("utf-8", "replace"))
    return GitRefused(
        f"{name} still has a conflict.", hint="Resolve it and `git add` it, then try again."
    )


def _is_conflict(entry: bytes) -> bool:
    """An entry of ``ls-files --stage`` with a stage: "mode id 1<TAB>path"."""
    return entry.partition(b"\t")[0][-2:] in {b" 1", b" 2", b" 3"}
