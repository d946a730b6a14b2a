"""Chooses the front end by argv, importing as little as the answer needs."""

from __future__ import annotations

import sys
from collections.abc import Sequence

_PRINT_FLAGS = ("-p", "--print")
_HELP_FLAGS = ("-h", "--help")


def main() -> int:
    """The console script.  Returns the exit code (docs/cli.md)."""
    argv = sys.argv[1:]
    if argv in (["--version"], ["-V"]):
        from aircher import __version__

        print(f"aircher {__version__}")
        return 0
    from aircher.cli.main import COMMANDS, guarded
    from aircher.cli.main import main as run_command

    first = next((word for word in argv if not word.startswith("-")), "")
    if first in COMMANDS or any(word in _HELP_FLAGS for word in argv):
        return run_command(argv)
    if any(word in _PRINT_FLAGS for word in argv):
        return run_command(["ask", *(word for word in argv if word not in _PRINT_FLAGS)])
    return guarded(lambda: _chat(argv))


def _chat(argv: Sequence[str]) -> int:
    from aircher.cli.chat import parse

    args = parse(argv)
    from aircher.bootstrap.compose import open_services
    from aircher.bootstrap.opening import session_to_open
    from aircher.domain.routes import Wish
    from aircher.tui.app import run

    return run(
        open_services,
        session_id=session_to_open(args.resume, newest=args.go_on),
        wish=Wish(provider=args.provider, model=args.model, task=args.task),
    )


if __name__ == "__main__":
    sys.exit(main())
