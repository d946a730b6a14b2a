"""aircher completions: a shell completion script on stdout."""

from __future__ import annotations

import argparse

from aircher.domain.errors import EXIT_OK

SHELLS = ("bash", "zsh", "fish")

_EPILOG = """\
bash   aircher completions bash > ~/.local/share/bash-completion/completions/aircher
zsh    aircher completions zsh > "${fpath[1]}/_aircher"
fish   aircher completions fish > ~/.config/fish/completions/aircher.fish
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the shell; the epilog tells where the script belongs."""
    parser.add_argument("shell", choices=SHELLS, help="the shell to write for")
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter


def run(args: argparse.Namespace) -> int:
    """Prints the script, made from the same parser that reads the arguments."""
    import shtab

    from aircher.cli.main import build_parser

    print(shtab.complete(build_parser(), shell=args.shell))
    return EXIT_OK
