"""``aircher commit``: a message for what is staged, shown, changed if you like, committed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from aircher.bootstrap.committing import kept_messages, open_repository
from aircher.cli.ask import wish_flags, wish_of
from aircher.cli.asking import somebody_there
from aircher.cli.commit_dialogue import Dialogue
from aircher.cli.commit_output import (
    error_json,
    print_dry_run,
    print_messages,
    print_subjects,
    written_json,
)
from aircher.cli.commit_split import split, tell_half, undo
from aircher.cli.commit_writing import Writing
from aircher.cli.narration import complaint
from aircher.cli.parsing import count
from aircher.cli.printing import print_json
from aircher.domain.changes import Changes
from aircher.domain.commits import (
    CommitAsk,
    CommitMessage,
    Committing,
    Kept,
    Setting,
    Written,
)
from aircher.domain.errors import (
    EXIT_OK,
    AircherError,
    Cancelled,
    GitRefused,
    NoModel,
    NothingToDo,
    UsageError,
)
from aircher.domain.repository import KeptMessages, Repository


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("root", nargs="?", default="", metavar="FOLDER",
                        help="the repository, instead of the current folder's")  # fmt: skip
    what = parser.add_argument_group("what is described")
    what.add_argument(
        "-a", "--all", action="store_true", help="all tracked files, as git commit -a"
    )
    what.add_argument(
        "--amend", action="store_true", help="the last commit anew, with what is staged"
    )
    what.add_argument("--range", default="", metavar="A..B",
                      help="the changes of these commits; prints, commits nothing")  # fmt: skip
    what.add_argument("--split", action="store_true",
                      help="as several commits that belong together, by hunks")  # fmt: skip
    what.add_argument("--undo", action="store_true",
                      help="with --split: take back the commits of one that was killed")  # fmt: skip
    what.add_argument("--hint", default="", metavar="TEXT", help="why, in your words")
    what.add_argument("--retry", action="store_true",
                      help="the message kept from a commit that did not come to be")  # fmt: skip
    how = parser.add_argument_group("how it is written")
    how.add_argument(
        "-m", "--model", default="", metavar="MODEL", help="a model, or provider/model"
    )
    how.add_argument("--provider", default="", help="the provider to use")
    how.add_argument("--task", default="", help="the task, instead of commit_messages")
    how.add_argument("--local", action="store_true",
                     help="only models on this machine; nothing leaves it")  # fmt: skip
    how.add_argument("--no-fallback", action="store_true", help="only the first model")
    how.add_argument("--offline", action="store_true", help="by rules alone, no model is asked")
    how.add_argument("-n", type=count, default=1, metavar="N", dest="count",
                     help="so many messages to choose among")  # fmt: skip
    end = parser.add_argument_group("what is done with it")
    end.add_argument("-y", "--yes", action="store_true", help="commit without asking")
    end.add_argument("-s", "--signoff", action="store_true", help="add Signed-off-by, as git does")
    end.add_argument("-p", "--print", action="store_true",
                     help="print the message alone; commit nothing")  # fmt: skip
    end.add_argument("--subjects", action="store_true", help="print subjects alone, one a line")
    end.add_argument("--json", action="store_true", help="one JSON object; commits with --yes only")
    end.add_argument("--dry-run", action="store_true", help="show what would be sent; send nothing")
    end.add_argument("-q", "--quiet", action="store_true", help="tell only errors on stderr")


def run(args: argparse.Namespace) -> int:
    """Writes, shows, commits; returns the exit code."""
    try:
        return _run(args)
    except AircherError as error:
        return _refused(error, as_json=args.json)
    except KeyboardInterrupt:
        return _refused(Cancelled("You stopped it; nothing was committed."), as_json=args.json)


def refuse(words: Sequence[str], error: UsageError) -> int:
    """Answers a command line that cannot be read."""
    return _refused(error, as_json="--json" in words)


def _refused(error: AircherError, *, as_json: bool) -> int:
    if as_json:
        print_json(error_json(error))
    print(complaint(error), file=sys.stderr)
    return error.exit_code


def _run(args: argparse.Namespace) -> int:
    _check(args)
    if args.root:
        try:
            os.chdir(args.root)
        except OSError as error:
            raise UsageError(f"{args.root!r} is no folder: {error.strerror}.") from None
    repository, kept = open_repository(), kept_messages()
    if "GIT_WORK_TREE" in os.environ:  # no .git above it tells where ignore files are
        os.chdir(repository.top)
    if args.undo:
        return undo(args, repository)
    tell_half(repository)
    if args.retry:
        return _retry(args, repository, kept)
    changes, setting = _looked_at(args, repository)
    wish = wish_of(args, fallback=not args.no_fallback)
    ask = CommitAsk(changes, setting, args.hint, args.count, offline=args.offline, wish=wish)
    with Writing(wish, flags=wish_flags(args), quiet=args.quiet) as writing:
        if args.split:
            return split(args, writing, repository, ask)
        if args.dry_run:
            return _dry_run(args, writing, ask)
        written = writing.write(ask)
        if _only_printed(args):
            return _print(args, written, changes)
        commits = Commits(args, repository, kept, changes)
        if args.yes:
            return commits.make(written.messages[0], written)
        return Dialogue(writing, commits, repository, ask).run(written)


def _check(args: argparse.Namespace) -> None:
    """Raises ``UsageError`` for what does not go together."""
    printing = [f for f in ("print", "subjects", "dry_run") if getattr(args, f)]
    committing = [f for f in ("amend", "all", "yes", "signoff", "retry") if getattr(args, f)]
    if args.range and committing:
        raise UsageError(f"--range commits nothing, so --{committing[0]} has no meaning with it.")
    if printing and args.yes:
        flag = printing[0].replace("_", "-")
        raise UsageError(f"--{flag} commits nothing, so --yes has no meaning with it.")
    apart = [f for f in ("amend", "all", "range", "retry", "print", "subjects") if getattr(args, f)]
    if args.split and (apart or args.count > 1):
        raise UsageError(f"--split has no meaning with {f'--{apart[0]}' if apart else '-n'}.")
    if args.print and args.count > 1 and not args.subjects and not args.json:
        raise UsageError("--print prints one message.", hint="With -n use --subjects or --json.")
    if args.yes and args.count > 1:
        raise UsageError("--yes commits without asking, so there is nothing to choose among.")
    if args.undo and not args.split:
        raise UsageError("--undo belongs to --split.", hint="Try: aircher commit --split --undo")
    somebody = args.undo or _only_printed(args) or args.yes or args.dry_run or somebody_there()
    if not somebody:
        raise UsageError(
            "There is nobody here to ask.",
            hint="--yes commits without asking; --print prints the message.",
        )


def _only_printed(args: argparse.Namespace) -> bool:
    return bool(args.print or args.subjects or args.range or (args.json and not args.yes))


def _looked_at(args: argparse.Namespace, repository: Repository) -> tuple[Changes, Setting]:
    """The changes and where they are; raises ``NothingToDo`` where there are none."""
    if args.range:
        changes = repository.between(args.range)
    else:
        changes = repository.staged(amend=args.amend, everything=args.all)
    setting = repository.setting(amend=args.amend)
    if changes or (setting.prepared and setting.operation):
        return changes, setting
    if args.range:
        raise NothingToDo(f"Nothing changed in {args.range}.")
    if args.amend:
        raise NothingToDo("The last commit, with what is staged, changes nothing.")
    hint = "There is nothing to stage either."
    if repository.unstaged():
        hint = "Stage what belongs together with `git add`, or use -a for all tracked files."
    raise NothingToDo("Nothing is staged.", hint=hint)


def _dry_run(args: argparse.Namespace, writing: Writing, ask: CommitAsk) -> int:
    try:
        prepared = None if ask.offline else writing.prepare(ask)
    except NoModel as error:
        writing.tell(f"note: {error.message}")
        prepared = None
    rules = writing.by_rules(ask) if prepared is None else None
    print_dry_run(prepared, rules, as_json=args.json)
    return EXIT_OK


def _print(args: argparse.Namespace, written: Written, changes: Changes) -> int:
    if args.json:
        print_json(written_json(written, changes))
    elif args.subjects:
        print_subjects(written.messages)
    else:
        print_messages(written.messages[:1])
    return EXIT_OK


class Commits:
    """Makes the commit, or keeps the message where it does not come to be."""

    def __init__(
        self,
        args: argparse.Namespace,
        repository: Repository,
        kept: KeptMessages,
        changes: Changes,
    ) -> None:
        self._args = args
        self._repository = repository
        self._kept = kept
        self._changes = changes

    def keep(self, message: CommitMessage, written: Written) -> None:
        """Keeps the message for --retry."""
        kept = Kept(message, self._changes.fingerprint, written.source, written.task, written.ref)
        self._kept.keep(self._repository.key, kept)

    def make(self, message: CommitMessage, written: Written) -> int:
        """Commits; returns the exit code.  Raises ``GitRefused`` or ``Cancelled``."""
        self.keep(message, written)
        args = self._args
        how = Committing(args.amend, args.all, args.signoff, quiet_stdout=args.json)
        try:
            if self._repository.fingerprint(everything=args.all) != self._changes.fingerprint:
                raise GitRefused(
                    "What is staged has changed since the message was written.",
                    hint="`aircher commit` writes a new one for it.",
                )
            commit = self._repository.commit(str(message), how)
        except (GitRefused, Cancelled) as error:
            again = "The message is kept: `aircher commit --retry` tries it again."
            error.hint = "\n  ".join(part for part in (error.hint, again) if part)
            raise
        self._kept.forget(self._repository.key)
        if args.json:
            print_json(written_json(written, self._changes, commit=commit))
        return EXIT_OK


def _retry(args: argparse.Namespace, repository: Repository, kept: KeptMessages) -> int:
    """The kept message instead of a new one; no model is asked unless the user wants another."""
    found = kept.get(repository.key)
    if found is None:
        raise NothingToDo("No message is kept for this repository.", hint="Leave out --retry.")
    written = Written((found.message,), "kept", found.task, found.ref)
    changes, setting = _looked_at(args, repository)
    if _only_printed(args):
        return _print(args, written, changes)
    wish = wish_of(args, fallback=not args.no_fallback)
    with Writing(wish, flags=wish_flags(args), quiet=args.quiet) as writing:
        if changes.fingerprint != found.fingerprint:
            writing.tell("note: what is staged has changed since this message was written")
        commits = Commits(args, repository, kept, changes)
        if args.yes:
            return commits.make(found.message, written)
        ask = CommitAsk(changes, setting, args.hint, offline=args.offline, wish=wish)
        return Dialogue(writing, commits, repository, ask).run(written)
