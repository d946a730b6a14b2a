"""Chooses the front end by argv, importing as little as the answer needs."""

from __future__ import annotations

import sys
from collections.abc import Sequence

TYPE_CHECKING = False  # type checkers take it for True; importing typing would cost 5 ms
if TYPE_CHECKING:
    from aircher.bootstrap.services import Services

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
    from aircher.domain.routes import Wish
    from aircher.tui.app import run

    return run(
        _open_services,
        session_id=_session(args.resume, newest=args.go_on),
        wish=Wish(provider=args.provider, model=args.model, task=args.task),
    )


def _session(wanted: str, *, newest: bool) -> str:
    if not wanted and not newest:
        return ""  # the first frame does not wait for the database
    from aircher.bootstrap.opening import session_to_open

    return session_to_open(wanted, newest=newest)


def _open_services() -> Services:
    """Imported when called: the first frame needs no configuration, catalogue or engine."""
    from aircher.bootstrap.compose import open_services

    return open_services()


if __name__ == "__main__":
    sys.exit(main())
