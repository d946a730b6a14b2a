"""aircher doctor: what works here, what does not, and what to do about it."""

from __future__ import annotations

import argparse
import dataclasses
import os
import shutil
import sys
from collections.abc import Iterator, Mapping

from aircher.bootstrap.checkup import Check, checkup
from aircher.cli.printing import print_json
from aircher.domain.errors import EXIT_FAILED, EXIT_OK
from aircher.domain.inert import inert

_NARROW = 80


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares --online and --json."""
    parser.add_argument(
        "--online", action="store_true", help="also try to connect to the endpoints with a key"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Prints every check; returns 1 if one failed."""
    size = shutil.get_terminal_size()
    found = _all(args, size.columns)
    if args.json:
        checks = list(found)
        rows = [dataclasses.asdict(check) for check in checks]
        print_json({"ok": not _failed(checks), "checks": rows}, indent=2)
    else:
        checks = []
        for check in found:
            checks.append(check)
            print(inert(line(check)), flush=True)
        print(verdict(checks), file=sys.stderr)
    return EXIT_FAILED if _failed(checks) else EXIT_OK


def _all(args: argparse.Namespace, columns: int) -> Iterator[Check]:
    yield from terminal(os.environ, columns, sys.stdout.encoding or "")
    yield from checkup(online=args.online)


def _failed(checks: list[Check]) -> bool:
    return any(check.state == "fail" for check in checks)


def line(check: Check) -> str:
    """One check as a line: word, name, sentence, next step."""
    hint = f"  -> {check.hint}" if check.hint else ""
    return f"{check.state:<4}  {check.name}: {check.text}{hint}"


def verdict(checks: list[Check]) -> str:
    """The whole in one sentence."""
    broken = [check.name for check in checks if check.state == "fail"]
    if broken:
        return f"Does not work: {', '.join(broken)}."
    return "All that is needed works; what is marked warn is optional."


def terminal(environ: Mapping[str, str], columns: int, encoding: str) -> list[Check]:
    """The abilities of the terminal, as the environment tells them."""
    term = environ.get("TERM", "")
    dumb = term in {"", "dumb"}
    colours = _colours(environ, term)
    unicode = encoding.lower().replace("-", "") == "utf8"
    return [
        Check(
            "terminal",
            "warn" if dumb else "ok",
            f"TERM is {term or 'not set'}",
            "The chat needs a terminal; aircher ask works without one." if dumb else "",
        ),
        Check("colours", "ok", colours),
        Check(
            "unicode",
            "ok" if unicode else "warn",
            f"output is written as {encoding or 'an unknown encoding'}",
            "" if unicode else "Set LANG to a UTF-8 locale, or PYTHONUTF8=1.",
        ),
        Check(
            "size",
            "ok" if columns >= _NARROW else "warn",
            f"{columns} columns",
            "" if columns >= _NARROW else f"The chat is made for {_NARROW} columns or more.",
        ),
    ]


def _colours(environ: Mapping[str, str], term: str) -> str:
    if environ.get("NO_COLOR"):
        return "off, because NO_COLOR is set"
    if environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"}:
        return "16 million (COLORTERM)"
    return "256" if "256color" in term else "16"
