"""Chooses the front end by argv, importing as little as the answer needs."""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Callable, Collection, Mapping, Sequence

TYPE_CHECKING = False  # type checkers take it for True; importing typing would cost 5 ms
if TYPE_CHECKING:
    from aircher.bootstrap.services import Services
    from aircher.bootstrap.sources import Ask


def main() -> int:
    """The console script.  Returns the exit code (docs/cli.md)."""
    argv = sys.argv[1:]
    if argv in (["--version"], ["-V"]):
        from aircher import __version__

        print(f"aircher {__version__}")
        return 0
    try:
        return _run(argv)
    except KeyboardInterrupt:  # while the program was still being read
        print("aircher: stopped.", file=sys.stderr)
        return 130


def _run(argv: Sequence[str]) -> int:
    # Importing an SDK makes 80,000 to 150,000 objects that live on.  Looking through them again
    # and again for garbage is a tenth of the time of an `ask` (benchmarks/ask.py), and taking
    # them apart at the end, when all memory is given back anyway, another tenth.
    gc.set_threshold(200_000)
    atexit.register(gc.freeze)
    from aircher.cli.streams import prepare

    prepare()
    from aircher.cli.argv import log_flags, ordered
    from aircher.cli.main import COMMANDS, guarded
    from aircher.cli.main import main as run_command

    argv, log = log_flags(argv)
    command, words = ordered(argv, COMMANDS)

    def work() -> int:
        return run_command(words) if command else _chat(words, COMMANDS)

    return guarded(lambda: _logged(log, command, work) if log else work())


def _logged(log: Mapping[str, str], command: str, work: Callable[[], int]) -> int:
    """Starts the log that the flags ask for, before anything else is done."""
    from aircher.cli.logs import begin, end

    begin(log, command)
    return end(work())


def _chat(argv: Sequence[str], commands: Collection[str]) -> int:
    from aircher.cli.chat import parse

    args = parse(argv, commands)
    from aircher.bootstrap.unlocking import passphrase_for_chat
    from aircher.domain.routes import Wish
    from aircher.tui.app import run

    ask = passphrase_for_chat()
    return run(
        lambda: _open_services(ask, local=args.local),
        session_id=_session(args.resume, newest=args.go_on),
        wish=Wish(provider=args.provider, model=args.model, task=args.task, local=args.local),
    )


def _session(wanted: str, *, newest: bool) -> str:
    if not wanted and not newest:
        return ""  # the first frame does not wait for the database
    from aircher.bootstrap.opening import session_to_open

    return session_to_open(wanted, newest=newest)


def _open_services(ask: Ask, *, local: bool) -> Services:
    """Imported when called: the first frame needs no configuration, catalogue or engine."""
    from aircher.bootstrap.compose import open_services
    from aircher.bootstrap.configuring import Flag

    flags = (Flag("--local", "privacy.local", "true"),) if local else ()
    return open_services(flags, ask=ask, in_any_case=True)


if __name__ == "__main__":
    sys.exit(main())
