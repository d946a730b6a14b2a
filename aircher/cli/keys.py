"""aircher keys: store, list, try, replace and remove API keys; none is ever shown."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from aircher.bootstrap import keys
from aircher.bootstrap.passphrase import at_terminal
from aircher.cli.printing import print_json
from aircher.cli.table import table
from aircher.domain.errors import EXIT_FAILED, EXIT_OK, AircherError, UsageError
from aircher.domain.inert import inert
from aircher.domain.keys import shown_origin

_LARGEST = 64 * 1024


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares set, list, test, rm and rotate."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="where each key is; never the key")
    listing.add_argument("--json", action="store_true", help="a JSON array on stdout")
    for name, summary in (
        ("set", "store a key; it is asked for, or read from stdin"),
        ("rotate", "try a new key, then store it in the old one's place"),
    ):
        change = actions.add_parser(name, help=summary)
        change.add_argument("name", metavar="PROVIDER")
        # So that a key given here is refused by us: argparse would repeat it.
        change.add_argument("extra", nargs="*", help=argparse.SUPPRESS)
        if name == "set":
            change.add_argument(
                "--to",
                choices=("keyring", "file"),
                help="the system's keyring, or the encrypted file (default: the keyring if there is one)",
            )
    test = actions.add_parser("test", help="ask for the model list with it (a free call)")
    test.add_argument("names", nargs="*", metavar="PROVIDER", help="only these")
    remove = actions.add_parser("rm", help="take a key out of the keyring and the encrypted file")
    remove.add_argument("name", metavar="PROVIDER")


def run(args: argparse.Namespace) -> int:
    """Runs the action; ``test`` returns 1 where a key does not work."""
    return {"list": _list, "set": _set, "rotate": _rotate, "test": _test, "rm": _rm}[args.action](
        args
    )


_HEAD = ("PROVIDER", "SOURCE", "FOR", "STORED", "LAST USED")


def _list(args: argparse.Namespace) -> int:
    rows = keys.found()
    if args.json:
        print_json(
            [
                {
                    "provider": row.provider,
                    "source": row.source,
                    "origin": row.origin or None,
                    "stored": row.stored_at.isoformat() if row.stored_at else None,
                    "last_used": row.last_used.isoformat() if row.last_used else None,
                }
                for row in rows
            ]
        )
        return EXIT_OK
    if not rows:
        _say("There are no keys yet.  To store one: aircher keys set PROVIDER")
        return EXIT_OK
    lines = [
        (
            row.provider,
            row.source,
            shown_origin(row.origin),
            _ago(row.stored_at) or "-",
            _ago(row.last_used) or "-",
        )
        for row in rows
    ]
    print(inert(table(_HEAD, lines)))
    return EXIT_OK


def _ago(at: datetime | None) -> str:
    """How long ago, in the largest unit that fits."""
    if at is None:
        return ""
    seconds = max(0, int((datetime.now(UTC) - at).total_seconds()))
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit if count > 1 else unit[:-1]} ago"
    return "just now"


def _new_key(args: argparse.Namespace, provider: str) -> str:
    """The key, from a hidden prompt or stdin.  Raises ``UsageError`` where there is none."""
    if args.extra:
        raise UsageError(
            "A key is never given as an argument: others can read it in the process list.",
            hint=f"Run: aircher keys {args.action} {provider}.  Make a new key: that one is in"
            " your shell's history.",
        )
    if sys.stdin.isatty():
        text = at_terminal(f"Key of {provider} (not shown): ") or ""
    else:
        text = sys.stdin.read(_LARGEST)
    if not text.strip():
        raise UsageError("No key was given; nothing was changed.")
    return text.strip()


def _set(args: argparse.Namespace) -> int:
    provider = keys.provider_for_key(args.name)
    stored = keys.store(provider, _new_key(args, provider), args.to, at_terminal)
    _told(provider, stored)
    _say(f"To try it: aircher keys test {provider}")
    return EXIT_OK


def _told(provider: str, stored: keys.Stored) -> None:
    where, origin = stored.place.source, shown_origin(stored.place.origin)
    _say(f"The key of {provider} is in the {where}; it is sent to {origin} alone.")
    if stored.before:
        _say(f"It is not used now: {stored.before} comes first.")


def _rotate(args: argparse.Namespace) -> int:
    provider = keys.provider_for_key(args.name)
    old = keys.stored_places().get(provider)
    if old is None:
        place = keys.place_of(provider)
        raise UsageError(
            f"No key of {provider} is stored here.",
            hint=f"Its key is in {place.source}: change it there."
            if place
            else f"aircher keys set {provider}",
        )
    key = _new_key(args, provider)
    try:
        count = keys.try_key(provider, at_terminal, key)
    except AircherError:
        _say("The new key does not work; the old one stays.")
        raise
    stored = keys.store(
        provider, key, "keyring" if old.source == "keyring" else "file", at_terminal
    )
    _say(f"The new key works: {count} models.  Take the old one back at the vendor.")
    _told(provider, stored)
    return EXIT_OK


def _test(args: argparse.Namespace) -> int:
    names = [keys.provider_for_key(name) for name in args.names]
    names = names or [row.provider for row in keys.found()]
    if not names:
        _say("There are no keys to try.")
    failed = 0
    for name in names:
        try:
            print(f"{name}: works ({keys.try_key(name, at_terminal)} models)")
        except AircherError as error:
            failed += 1
            print(inert(f"{name}: {error.message}"))
            if error.hint:
                _say(error.hint)
    return EXIT_FAILED if failed else EXIT_OK


def _rm(args: argparse.Namespace) -> int:
    provider = keys.provider_for_key(args.name)
    gone = keys.remove(provider)
    if not gone:
        place = keys.place_of(provider)
        there = f" Its key is in {place.source}, which is yours to change." if place else ""
        _say(f"No key of {provider} is stored here.{there}")
        return EXIT_OK
    _say(f"Took the key of {provider} out of the {' and the '.join(gone)}.")
    return EXIT_OK


def _say(text: str) -> None:
    print(f"aircher: {inert(text)}", file=sys.stderr)
