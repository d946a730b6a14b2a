"""Chooses the front end by argv, importing as little as the answer needs."""

from __future__ import annotations

import sys

_PRINT_FLAGS = ("-p", "--print")


def main() -> int:
    """The console script.  Returns the exit code (docs/cli.md)."""
    argv = sys.argv[1:]
    if argv in (["--version"], ["-V"]):
        from aircher import __version__

        print(f"aircher {__version__}")
        return 0
    from aircher.cli.main import COMMANDS
    from aircher.cli.main import main as run_command

    words = [word for word in argv if not word.startswith("-")]
    if (words[:1] and words[0] in COMMANDS) or any(word in ("-h", "--help") for word in argv):
        return run_command(argv)
    if any(word in _PRINT_FLAGS for word in argv):
        return run_command(["ask", *(word for word in argv if word not in _PRINT_FLAGS)])
    from aircher.cli.chat import run_chat

    return run_chat(argv)


if __name__ == "__main__":
    sys.exit(main())
