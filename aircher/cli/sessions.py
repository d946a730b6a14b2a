"""``aircher sessions``: list, show, search, export, rename and remove conversations."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from aircher.bootstrap.clock import LOCAL
from aircher.bootstrap.exporting import write_new
from aircher.bootstrap.opening import project_root, records
from aircher.cli.parsing import count
from aircher.cli.printing import print_json
from aircher.cli.table import table
from aircher.cli.transcript import json_session, markdown, session_json
from aircher.domain.errors import EXIT_CANCELLED, EXIT_OK, UsageError
from aircher.domain.inert import inert
from aircher.domain.ports import SessionStore
from aircher.domain.sessions import SessionInfo
from aircher.domain.usage import Cost, dollars

_LISTED = 20


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listed = actions.add_parser("list", help="conversations, the latest first (the default)")
    parser.set_defaults(limit=_LISTED, project="", json=False)
    listed.add_argument("--limit", type=count, default=_LISTED, metavar="N", help="at most N")
    listed.add_argument("--project", nargs="?", const=".", default="", metavar="FOLDER",
                        help="only those begun in this work tree")  # fmt: skip
    listed.add_argument("--json", action="store_true", help="a JSON array")
    shown = actions.add_parser("show", help="print a conversation")
    shown.add_argument("id", help="the id, or its beginning")
    shown.add_argument("--json", action="store_true", help="one JSON object")
    searched = actions.add_parser("search", help="find words in all conversations")
    searched.add_argument("words", nargs="+")
    searched.add_argument("--limit", type=count, default=20, metavar="N", help="at most N")
    searched.add_argument("--json", action="store_true", help="a JSON array")
    exported = actions.add_parser("export", help="write a conversation to a file")
    exported.add_argument("id", help="the id, or its beginning")
    exported.add_argument("--format", choices=("md", "json"), default="md")
    exported.add_argument("-o", "--output", default="-", metavar="FILE",
                          help="a new file (default: standard output)")  # fmt: skip
    removed = actions.add_parser("rm", help="remove a conversation; its costs stay on record")
    removed.add_argument("id", help="the id, or its beginning")
    removed.add_argument("-y", "--yes", action="store_true", help="do not ask")
    renamed = actions.add_parser("rename", help="give a conversation another title")
    renamed.add_argument("id", help="the id, or its beginning")
    renamed.add_argument("title", nargs="+")


def run(args: argparse.Namespace) -> int:
    """Does one of the actions; returns the exit code."""
    with records() as opened:
        for notice in opened.notices:
            print(inert(f"aircher: {notice}"), file=sys.stderr)
        return _ACTIONS[args.action or "list"](opened.sessions, args)


def _list(sessions: SessionStore, args: argparse.Namespace) -> int:
    project = project_root(args.project) if args.project else ""
    infos = sessions.list(limit=args.limit, project=project)
    if args.json:
        print_json([session_json(info) for info in infos])
    elif infos:
        print(table(_HEAD, [_row(info) for info in infos], right=frozenset({2, 3})))
    else:
        print("There are no conversations yet.", file=sys.stderr)
    return EXIT_OK


_HEAD = ("ID", "CHANGED", "MESSAGES", "COST", "TITLE")


def _row(info: SessionInfo) -> Sequence[str]:
    changed = info.updated.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M")
    title = " ".join(inert(info.title).split())
    return (info.id, changed, str(info.messages), _price(info.cost), title)


def _price(cost: Cost) -> str:
    if cost.nano_usd is None:
        return "?"
    return ("~" if cost.tag == "estimated" else "") + dollars(cost.nano_usd)


def _show(sessions: SessionStore, args: argparse.Namespace) -> int:
    args.format = "json" if args.json else "md"
    args.output = "-"
    return _export(sessions, args)


def _search(sessions: SessionStore, args: argparse.Namespace) -> int:
    hits = sessions.search(" ".join(args.words), limit=args.limit)
    if args.json:
        found = [
            {
                "session": session_json(hit.session),
                "message_id": hit.message_id,
                "excerpt": inert(hit.excerpt),
            }
            for hit in hits
        ]
        print_json(found)
        return EXIT_OK
    if not hits:
        print("Nothing was found.", file=sys.stderr)
    for hit in hits:
        title = " ".join(inert(hit.session.title).split())
        changed = hit.session.updated.astimezone(LOCAL)
        print(f"{hit.session.id}  {changed:%Y-%m-%d}  {title}")
        print(f"    {' '.join(inert(hit.excerpt).split())}")
    return EXIT_OK


def _export(sessions: SessionStore, args: argparse.Namespace) -> int:
    info = sessions.info(args.id)
    write = json_session if args.format == "json" else markdown
    text = write(info, sessions.messages(info.id))
    if args.output == "-":
        print(text)
    else:
        write_new(Path(args.output), text + "\n")
    return EXIT_OK


def _remove(sessions: SessionStore, args: argparse.Namespace) -> int:
    info = sessions.info(args.id)
    title = " ".join(inert(info.title).split())
    if not args.yes:
        if not sys.stdin.isatty():
            raise UsageError("Nobody is here to confirm it.", hint="Add --yes to remove it.")
        print(f"Remove {info.id} ({title}, {info.messages} messages)? [y/N] ", end="",
              file=sys.stderr, flush=True)  # fmt: skip
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            print("Nothing was removed.", file=sys.stderr)
            return EXIT_CANCELLED
    sessions.remove(info.id)
    print(f"Removed {info.id} ({title}).", file=sys.stderr)
    return EXIT_OK


def _rename(sessions: SessionStore, args: argparse.Namespace) -> int:
    sessions.rename(args.id, " ".join(args.title))
    return EXIT_OK


_ACTIONS: Mapping[str, Callable[[SessionStore, argparse.Namespace], int]] = {
    "list": _list,
    "show": _show,
    "search": _search,
    "export": _export,
    "rm": _remove,
    "rename": _rename,
}
