"""Several commits of one staged change, made with an index of their own.

The user's index is never written: each commit is made with a copy of it that holds as much of the
change as the commits so far.  So unstaged and untracked work is not touched, and going back is
moving HEAD.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from aircher.domain.changes import NOTHING, Changes, FileChange
from aircher.domain.commits import Committing
from aircher.domain.errors import GitRefused
from aircher.domain.splits import WHOLE, Group, HalfSplit, SplitPlan, Step
from aircher.workspace import split_journal
from aircher.workspace.call import answer_of, ask_git, clean_environment
from aircher.workspace.committing import run_commit
from aircher.workspace.diff.apply import with_hunks
from aircher.workspace.keeping import WorkTree

_REASON = "aircher: take a split back"


class SplitCommits:
    """The port ``Splits`` for the work tree at ``top``; see there."""

    def __init__(self, top: Path, environ: Mapping[str, str] | None = None) -> None:
        self._top = top
        self._environ = dict(os.environ if environ is None else environ)
        self._env = clean_environment(top, self._environ)
        found = self._git("rev-parse", "--git-path", "index").removesuffix(b"\n")
        self._index = top / os.fsdecode(found)
        place = self._git("rev-parse", "--git-path", split_journal.NAME).removesuffix(b"\n")
        self._journal = top / os.fsdecode(place)

    def plan(self, changes: Changes, groups: Sequence[Group]) -> SplitPlan:
        """Builds every tree; the last one is the staged tree, or nothing is done."""
        start = tuple(entry for file in changes.files for entry in _before(file))
        chosen: dict[int, set[int]] = {}
        steps: list[Step] = []
        with self._copied() as env:
            staged = self._git("write-tree", env=env).decode().strip()
            self._put(start, env)
            for group in groups:
                for unit in group:
                    chosen.setdefault(unit.file, set()).add(unit.hunk)
                touched = sorted({unit.file for unit in group})
                after = [self._after(changes.files[at], chosen[at]) for at in touched]
                entries = tuple(entry for one in after for entry in one)
                self._put(entries, env)
                steps.append(Step(self._git("write-tree", env=env).decode().strip(), entries))
        if not steps or steps[-1].tree != staged:
            raise GitRefused("The parts do not make up what is staged, so nothing was committed.")
        return SplitPlan(self._head(), start, tuple(steps))

    def commit(self, plan: SplitPlan, messages: Sequence[str], how: Committing) -> tuple[str, ...]:
        """Commits step by step; where one does not come to be, all is as it was."""
        if self._head() != plan.head:
            raise GitRefused("HEAD has moved since the commits were planned.")
        made: list[str] = []
        with tempfile.TemporaryDirectory(prefix="aircher-") as folder:
            tree = WorkTree(self._top, self._index, Path(folder), self._environ)
            tree.remember()
            with (
                split_journal.kept(self._journal, plan, self._branch()),
                self._copied() as env,
                self._all_or_none(plan, made, tree),
            ):
                self._put(plan.start, env)
                where = {**self._environ, "GIT_INDEX_FILE": env["GIT_INDEX_FILE"]}
                for step, message in zip(plan.steps, messages, strict=True):
                    self._put(step.entries, env)
                    run_commit(self._top, where, message, how)
                    made.append(self._head())
                    if self._tree(made[-1]) != step.tree:
                        raise GitRefused(
                            "A hook changed what the commit holds; split, it would not add up.",
                            hint="Commit in one piece, or let the hook run before you stage.",
                        )
        return tuple(made)

    def half(self) -> HalfSplit | None:
        """See ``Splits``.  A journal that no longer fits its branch is taken away."""
        journal = split_journal.read(self._journal)
        if journal is None or self._branch() != journal.branch:
            return None
        commits = self._made(journal)
        if not 0 < len(commits) < len(journal.trees):
            self._journal.unlink(missing_ok=True)
            return None
        return HalfSplit(journal.head, commits, len(journal.trees))

    def take_back(self, half: HalfSplit) -> None:
        """See ``Splits``."""
        self._go_back(half.head, half.commits)
        self._journal.unlink(missing_ok=True)

    # -- in parts

    def _made(self, journal: split_journal.Journal) -> tuple[str, ...]:
        """The split's commits from the oldest to HEAD; () where HEAD is something else by now."""
        commits: list[str] = []
        at = self._head()
        while at != journal.head and at and len(commits) < len(journal.trees):
            commits.append(at)
            at = self._parent(at)
        trees = [self._tree(one) for one in reversed(commits)]
        fits = at == journal.head and trees == list(journal.trees[: len(trees)])
        return tuple(reversed(commits)) if fits else ()

    def _branch(self) -> str:
        """The full name of the branch; "" for a HEAD that is on none."""
        words = ("symbolic-ref", "--quiet", "HEAD")
        return answer_of(self._top, *words, env=self._env).stdout.decode().strip()

    @contextlib.contextmanager
    def _all_or_none(self, plan: SplitPlan, made: Sequence[str], tree: WorkTree) -> Iterator[None]:
        """Whatever ends it early, Ctrl+C too: HEAD, index and work tree are as they were."""
        done = False
        try:
            yield
            done = True
        finally:
            if not done:
                self._go_back(plan.head, made)
                tree.restore()

    def _go_back(self, head: str, made: Sequence[str]) -> None:
        now = self._head()
        if now == head:
            return
        if made and now != made[-1] and self._parent(now) != made[-1]:
            raise GitRefused(
                "HEAD was moved by somebody else meanwhile, so it was left there.",
                hint=f"Before the split it was {head or 'without a commit'}.",
            )
        if head:
            self._git("update-ref", "-m", _REASON, "HEAD", head, now)
        else:
            self._git("update-ref", "-m", _REASON, "-d", "HEAD", now)

    @contextlib.contextmanager
    def _copied(self) -> Iterator[dict[str, str]]:
        """The environment with a copy of the index, which keeps what git knows of the files."""
        with tempfile.TemporaryDirectory(prefix="aircher-") as folder:
            copy = os.path.join(folder, "index")
            with contextlib.suppress(FileNotFoundError):
                shutil.copy2(self._index, copy)
            yield {**self._env, "GIT_INDEX_FILE": copy}

    def _put(self, entries: Sequence[bytes], env: Mapping[str, str]) -> None:
        """Paths that go come first: a folder may take the place of a file."""
        ordered = sorted(entries, key=lambda entry: not entry.startswith(b"0 "))
        self._git("update-index", "-z", "--index-info", stdin=b"".join(ordered), env=env)

    def _after(self, file: FileChange, hunks: set[int]) -> list[bytes]:
        """The index entries of a file with these of its hunks."""
        if WHOLE in hunks or len(hunks) == len(file.hunks):
            return _whole(file)
        old = self._git("cat-file", "blob", file.old_id)
        try:
            made = with_hunks(old, [file.hunks[at] for at in sorted(hunks)])
        except ValueError as error:
            raise GitRefused(f"{file.name} cannot be taken apart: {error}.") from error
        words = ("hash-object", "-w", "-t", "blob", "--stdin", "--no-filters")
        return [_entry(file.new_mode, self._git(*words, stdin=made).decode().strip(), file.path)]

    def _head(self) -> str:
        return self._resolved("HEAD^{commit}")

    def _parent(self, commit: str) -> str:
        return self._resolved(f"{commit}^1")

    def _tree(self, commit: str) -> str:
        return self._resolved(f"{commit}^{{tree}}")

    def _resolved(self, revision: str) -> str:
        words = ("rev-parse", "--verify", "--quiet", revision)
        return answer_of(self._top, *words, env=self._env).stdout.decode().strip()

    def _git(self, *words: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        return ask_git(self._top, *words, env=env or self._env, stdin=stdin)


def _before(file: FileChange) -> list[bytes]:
    """The index entries of a file as they are in HEAD."""
    entries = []
    if file.status in {"added", "renamed", "copied"}:
        entries.append(_gone(file, file.path))
    if file.status == "renamed":
        entries.append(_entry(file.old_mode, file.old_id, file.old_path))
    if file.status in {"modified", "deleted", "type"}:
        entries.append(_entry(file.old_mode, file.old_id, file.path))
    return entries


def _whole(file: FileChange) -> list[bytes]:
    """The index entries of a file as they are staged."""
    if file.status == "deleted" or file.new_mode == NOTHING:
        return [_gone(file, file.path)]
    entries = [_entry(file.new_mode, file.new_id, file.path)]
    return [_gone(file, file.old_path), *entries] if file.status == "renamed" else entries


def _entry(mode: str, object_id: str, path: str) -> bytes:
    return f"{mode} {object_id}\t".encode() + os.fsencode(path) + b"\0"


def _gone(file: FileChange, path: str) -> bytes:
    return _entry("0", "0" * len(file.old_id), path)
