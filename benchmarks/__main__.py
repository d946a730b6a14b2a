"""All measurements, one after the other: ``make bench`` or ``python -m benchmarks [NAME ...]``.

Each prints medians and a ratio to its floor, measured in the same run, because machines differ
and are never quiet.  With ``--quick`` everything is shorter and less sure.
"""

from __future__ import annotations

import importlib
import sys

NAMES = (
    "startup",
    "ask",
    "turn",
    "switching",
    "estimates",
    "streaming",
    "transcript",
    "lag",
    "memory",
)


def main() -> None:
    quick = "--quick" in sys.argv[1:]
    wanted = [name for name in sys.argv[1:] if not name.startswith("-")] or NAMES
    for name in wanted:
        module = importlib.import_module(f"benchmarks.{name}")
        print(f"\n== {name}: {(module.__doc__ or '').strip().splitlines()[0]}")
        module.run(quick=quick)


if __name__ == "__main__":
    main()
