"""aircher config: show, check and change the configuration."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import asdict

from aircher.bootstrap import configuring
from aircher.cli.printing import print_json
from aircher.domain.children import child_environment
from aircher.domain.errors import EXIT_CONFIG, EXIT_FAILED, EXIT_OK, UsageError
from aircher.domain.inert import inert
from aircher.domain.settings import ConfigProblem, ConfigValue


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser("show", help="print the settings in force")
    show.add_argument("key", nargs="?", metavar="KEY", help="one key or section")
    show.add_argument("--json", action="store_true", help="print a JSON list")
    show.add_argument("--origin", action="store_true", help="say where each value was set")
    check = actions.add_parser("check", help="list every mistake, with its line")
    check.add_argument("--json", action="store_true", help="print a JSON list")
    actions.add_parser("path", help="print the path of your file")
    actions.add_parser("edit", help="open your file in $VISUAL or $EDITOR, then check it")
    change = actions.add_parser("set", help="set one value in your file; comments are kept")
    change.add_argument("key", metavar="KEY", help="such as providers.openai.model")
    change.add_argument("value", metavar="VALUE", help="lists are written with commas")
    remove = actions.add_parser("unset", help="take one value out of your file")
    remove.add_argument("key", metavar="KEY")
    actions.add_parser("example", help="print a file with every key, commented out")
    actions.add_parser("schema", help="print the JSON Schema of the file")


def run(args: argparse.Namespace) -> int:
    """Runs the action; returns 7 where the configuration has mistakes."""
    return _ACTIONS[args.action](args)


def _show(args: argparse.Namespace) -> int:
    config = configuring.load_config()
    rows = configuring.find_values(config, args.key) if args.key else configuring.values(config)
    if args.json:
        print_json([asdict(row) for row in rows], indent=2)
    elif len(rows) == 1 and args.key and not args.origin:
        print(inert(_plain(rows[0])))
    else:
        for row in rows:
            print(inert(_line(row, origin=args.origin)))
    _narrate(config.warnings)
    if config.problems:
        _say(f"{len(config.problems)} mistakes were found: `aircher config check` lists them.")
    return EXIT_OK


def _line(row: ConfigValue, *, origin: bool) -> str:
    text = f"{row.key} = {row.value}" if row.value else f"# {row.key} is not set"
    return f"{text}  # {row.origin}" if origin and row.value else text


def _plain(row: ConfigValue) -> str:
    """The value alone, as a script wants it: text without its quotes."""
    value = tomllib.loads(f"v = {row.value}")["v"] if row.value.startswith('"') else None
    return value if isinstance(value, str) else row.value


def _check(args: argparse.Namespace) -> int:
    config = configuring.load_config()
    if args.json:
        found = [("problem", one) for one in config.problems]
        found += [("warning", one) for one in config.warnings]
        rows = [{"level": level, **asdict(one)} for level, one in found]
        print_json(rows, indent=2)
    else:
        for problem in config.problems:
            print(inert(str(problem)))
        _narrate(config.warnings)
    return _verdict(config.problems)


def _verdict(problems: tuple[ConfigProblem, ...]) -> int:
    if problems:
        return EXIT_CONFIG
    file = configuring.config_path()
    _say(
        "No mistakes."
        if file.exists()
        else f"No mistakes; there is no file at {file}, none is needed."
    )
    return EXIT_OK


def _path(_args: argparse.Namespace) -> int:
    print(inert(str(configuring.config_path())))
    return EXIT_OK


def _edit(_args: argparse.Namespace) -> int:
    file = configuring.ensure_file()
    if file.is_dir():
        raise UsageError(f"{file} is a folder, not a file.", hint="Move it out of the way.")
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or _EDITOR
    try:
        env = child_environment(os.environ, configuring.key_variables())
        code = subprocess.run([*shlex.split(editor), str(file)], env=env, check=False).returncode
    except (OSError, ValueError) as error:
        raise UsageError(
            f"The editor cannot be started: {editor}.", hint="Set VISUAL or EDITOR to yours."
        ) from error
    if code:
        _say(f"The editor ended with code {code}.")
        return EXIT_FAILED
    config = configuring.load_config()
    _narrate((*config.problems, *config.warnings))
    return _verdict(config.problems)


_EDITOR = "notepad" if os.name == "nt" else "vi"


def _set(args: argparse.Namespace) -> int:
    literal = configuring.set_value(args.key, args.value)
    file = configuring.config_path()
    _say(f"Set {args.key} = {literal} in {file}.")
    config = configuring.load_config()
    _narrate(warning for warning in config.warnings if args.key in warning.message)
    origin = config.origin(args.key)
    if not origin.startswith(str(file)):
        _say(f"It has no effect now: {origin} comes first.")
    return EXIT_OK


def _unset(args: argparse.Namespace) -> int:
    file = configuring.config_path()
    if configuring.unset(args.key):
        _say(f"Took {args.key} out of {file}.")
    else:
        _say(f"{args.key} is not set in {file}.")
    return EXIT_OK


def _example(_args: argparse.Namespace) -> int:
    print(configuring.example(), end="")
    return EXIT_OK


def _schema(_args: argparse.Namespace) -> int:
    print(configuring.schema(), end="")
    return EXIT_OK


_ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "show": _show,
    "check": _check,
    "path": _path,
    "edit": _edit,
    "set": _set,
    "unset": _unset,
    "example": _example,
    "schema": _schema,
}


def _narrate(problems: Iterable[ConfigProblem]) -> None:
    for problem in problems:
        _say(str(problem))


def _say(text: str) -> None:
    print(f"aircher: {inert(text)}", file=sys.stderr)
