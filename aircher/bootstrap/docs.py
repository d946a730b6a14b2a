"""`python -m aircher.bootstrap.docs`: writes the documents that are made from the program.

With ``--check`` nothing is written; the exit code is 1 if one is stale.  A new document is one
more row of ``DOCUMENTS``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from aircher.bootstrap import configuring

ROOT = Path(__file__).resolve().parents[2]

DOCUMENTS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("config.example.toml", configuring.example),
    ("docs/config.md", configuring.manual),
    ("docs/config.schema.json", configuring.schema),
)
"""Path from the repository's root, and the function that makes the text."""


def stale(root: Path = ROOT) -> list[str]:
    """The documents that are missing or differ from what would be written."""
    return [
        name
        for name, make in DOCUMENTS
        if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != make()
    ]


def write(root: Path = ROOT) -> list[str]:
    """Writes the stale ones; returns their names."""
    names = stale(root)
    for name, make in DOCUMENTS:
        if name in names:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(make(), encoding="utf-8", newline="\n")
    return names


def main(argv: Sequence[str] | None = None) -> int:
    """Returns 0, or 1 if ``--check`` finds a stale document."""
    parser = argparse.ArgumentParser(prog="python -m aircher.bootstrap.docs")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if one is stale")
    checking = parser.parse_args(argv).check
    names = stale() if checking else write()
    for name in names:
        print(f"{'stale' if checking else 'written'}: {name}")
    return 1 if checking and names else 0


if __name__ == "__main__":
    sys.exit(main())
