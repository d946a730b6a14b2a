"""``aircher guard``: what is kept from leaving this machine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable

from aircher.cli.printing import print_json
from aircher.cli.reading import stdin_text
from aircher.domain.errors import EXIT_OK, EXIT_SECRET_BLOCKED, UsageError
from aircher.domain.guarding import Finding
from aircher.domain.inert import inert


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser(
        "check", help="look for secrets in files or stdin; exit code 5 where there are any"
    )
    check.add_argument("files", nargs="*", metavar="FILE")
    check.add_argument("--json", action="store_true", help="print a JSON list")
    actions.add_parser("kinds", help="list the kinds of secrets, for [guard.rules]")
    actions.add_parser("list", help="list the fingerprints that may leave")
    allow = actions.add_parser("allow", help="let a value leave, by its fingerprint")
    allow.add_argument("fingerprint", metavar="FINGERPRINT")
    forget = actions.add_parser("forget", help="let it leave no more")
    forget.add_argument("fingerprint", metavar="FINGERPRINT")


def run(args: argparse.Namespace) -> int:
    """Runs the action; returns the exit code."""
    return _ACTIONS[args.action](args)


def _check(args: argparse.Namespace) -> int:
    from aircher.bootstrap.guarding import check_files, check_text

    text = "" if args.files else stdin_text()
    if not args.files and not text:
        raise UsageError("There is nothing to check.", hint="Try: aircher guard check FILE ...")
    findings = check_files(args.files) if args.files else check_text(text, "stdin")
    if args.json:
        print_json([_plain(one) for one in findings], indent=2)
    else:
        for one in findings:
            print(inert(f"{one.where}: {one.kind}  {one.fingerprint}".rstrip()))
    return EXIT_SECRET_BLOCKED if findings else EXIT_OK


def _plain(finding: Finding) -> dict[str, object]:
    return {
        "kind": finding.kind,
        "file": finding.place,
        "line": finding.line or None,
        "action": finding.action,
        "fingerprint": finding.fingerprint or None,
    }


def _kinds(_: argparse.Namespace) -> int:
    from aircher.bootstrap.guarding import load_guard_rules

    _print(sorted(load_guard_rules().kinds))
    return EXIT_OK


def _list(_: argparse.Namespace) -> int:
    from aircher.bootstrap.guarding import allowed_fingerprints

    _print(allowed_fingerprints())
    return EXIT_OK


def _allow(args: argparse.Namespace) -> int:
    from aircher.bootstrap.guarding import allow_fingerprint

    allow_fingerprint(args.fingerprint)
    print(f"{args.fingerprint} may leave now (guard.allow).", file=sys.stderr)
    return EXIT_OK


def _forget(args: argparse.Namespace) -> int:
    from aircher.bootstrap.guarding import forget_fingerprint

    forget_fingerprint(args.fingerprint)
    print(f"{args.fingerprint} may leave no more.", file=sys.stderr)
    return EXIT_OK


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


_ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "check": _check,
    "kinds": _kinds,
    "list": _list,
    "allow": _allow,
    "forget": _forget,
}
