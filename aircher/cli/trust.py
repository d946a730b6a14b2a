"""aircher trust: which projects' settings count."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from aircher.bootstrap import configuring
from aircher.cli.table import table
from aircher.domain.errors import EXIT_CONFIG, EXIT_OK
from aircher.domain.inert import inert


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares add (the default), show, list and rm."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("add", help="let it count; the default")
    actions.add_parser("show", help="what it would set; nothing is changed")
    actions.add_parser("list", help="every file that was trusted, and whether it has changed")
    remove = actions.add_parser("rm", help="let it count no more")
    remove.add_argument("file", metavar="FILE", nargs="?", help="another file of that list")


def run(args: argparse.Namespace) -> int:
    """Runs the action; returns 7 for a file that may not be trusted."""
    if args.action == "list":
        return _list()
    if args.action == "rm":
        return _remove(args.file)
    return _look(trust=args.action != "show")


def _look(*, trust: bool) -> int:
    found = configuring.project_file(trust=trust)
    for problem in found.problems:
        _say(str(problem))
    if found.problems:
        _say("It is not trusted: mend this first.")
        return EXIT_CONFIG
    for name in found.settings:
        print(inert(name))
    if trust:
        _say(f"Trusted {found.path} as it is now; a change must be trusted anew.")
    else:
        _say(f"{found.path} sets these; it is {'' if found.trusted else 'not '}trusted.")
    return EXIT_OK


def _list() -> int:
    rows = [(str(path), state) for path, state in configuring.trusted_files()]
    if rows:
        print(inert(table(("FILE", "STATE"), rows)))
    else:
        _say("No project's file is trusted.")
    return EXIT_OK


def _remove(file: str | None) -> int:
    path, known = configuring.untrust_project(Path(file).absolute() if file else None)
    _say(f"{path} is {'no longer' if known else 'not'} trusted.")
    return EXIT_OK


def _say(text: str) -> None:
    print(f"aircher: {inert(text)}", file=sys.stderr)
