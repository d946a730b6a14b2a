"""``aircher hook``: git's prepare-commit-msg hook, and what it runs."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

from aircher.bootstrap.hooking import open_hooks, own_program
from aircher.cli.printing import print_json
from aircher.domain.errors import EXIT_NOTHING_TO_DO, EXIT_OK
from aircher.domain.hooks import HookStatus
from aircher.domain.inert import inert


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    install = actions.add_parser("install", help="let git commit begin with a written message")
    install.add_argument("--after", action="store_true",
                         help="run a hook that is there already after this one, not before")  # fmt: skip
    install.add_argument("--shared", action="store_true",
                         help="also into a folder of hooks that other repositories use")  # fmt: skip
    remove = actions.add_parser("uninstall", help="put back what was there before")
    remove.add_argument("--force", action="store_true", help="although it was edited since")
    status = actions.add_parser("status", help="whether and where it is installed; 4 if not")
    status.add_argument("--json", action="store_true", help="print a JSON object")
    run_ = actions.add_parser("run", help="what the hook runs: fill in git's message file")
    run_.add_argument("file", metavar="FILE")
    run_.add_argument("source", nargs="?", default="", metavar="SOURCE")
    run_.add_argument("commit", nargs="?", default="", metavar="COMMIT")


def run(args: argparse.Namespace) -> int:
    """Runs the action; returns the exit code."""
    return _ACTIONS[args.action](args)


def _install(args: argparse.Namespace) -> int:
    status = open_hooks().install(own_program(), after=args.after, shared=args.shared)
    _say(f"Installed {status.file}: git commit opens with a message; AIRCHER_HOOK=0 leaves it out.")
    _advise(status, after=args.after)
    return EXIT_OK


def _advise(status: HookStatus, *, after: bool = False) -> None:
    if status.earlier:
        _say(f"The hook that was there is kept, and runs {'after' if after else 'before'} it.")
    if status.tracked:
        _say("It lies among your files: commit it for everyone, or name it in .git/info/exclude.")
    if status.manager == "lefthook":
        _say("lefthook may put its own there again; then run `aircher hook install` once more.")


def _uninstall(args: argparse.Namespace) -> int:
    before = open_hooks().status()
    open_hooks().uninstall(force=args.force)
    what = "what was there before is there again" if before.earlier else "nothing is left of it"
    _say(f"Taken away from {before.file}; {what}.")
    return EXIT_OK


def _status(args: argparse.Namespace) -> int:
    status = open_hooks().status()
    if args.json:
        print_json(asdict(status), indent=2)
    else:
        print(inert("\n".join(_lines(status))))
    return EXIT_OK if status.state in {"installed", "changed"} else EXIT_NOTHING_TO_DO


_STATES = {
    "absent": "not installed",
    "installed": "installed",
    "changed": "installed, and edited since",
    "displaced": "moved out of the way by another tool: run `aircher hook install`",
}


def _lines(status: HookStatus) -> list[str]:
    shared = ", which other repositories use too" if status.shared else ""
    where = f" (by {status.chosen_by}{shared})" if status.chosen_by else ""
    lines = [f"hook      {_STATES[status.state]}", f"file      {status.file}"]
    lines.append(f"folder    {status.folder}{where}")
    if status.manager:
        lines.append(f"manager   {status.manager}")
    if status.program:
        gone = "" if status.program_found else " (gone: the hook does nothing)"
        lines.append(f"program   {status.program}{gone}")
    if status.earlier:
        lines.append(f"also runs {status.earlier}")
    return lines


def _run(args: argparse.Namespace) -> int:
    from aircher.cli.hook_writing import fill_in

    fill_in(args.file, args.source)
    return EXIT_OK


def _say(line: str) -> None:
    print(inert(line), file=sys.stderr)


_ACTIONS = {"install": _install, "uninstall": _uninstall, "status": _status, "run": _run}
