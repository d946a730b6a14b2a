"""``make faults``: runs every fault, prints the table, and writes it into docs/reliability.md.

    python -m tests.faults [--warm] [--jobs N] [PYTEST WORDS]

With words for pytest (``-k disk``) only the lines of those faults are written anew.
``--warm`` forks the program instead of starting it anew for each run: faster, on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"
HEAD = ("fault", "where", "what the user saw", "survived", "nothing lost")

_ORDER = ("HTTP", "429", "a redirect", "connection", "a name", "silence", "a slow", "a drip", "no TLS",
          "a certificate")  # fmt: skip


def grouped(rows: Iterable[dict[str, Any]]) -> list[tuple[str, ...]]:
    """One line for each fault and place, however many protocols and moments it was tried in."""
    lines: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        lines.setdefault((row["fault"], row["where"]), []).append(row)
    made = []
    for (fault, where), same in lines.items():
        cases = sum(row["cases"] for row in same)
        # The same sentence whichever worker came first.
        said = min(
            (row["said"] for row in same), key=lambda text: (not text, text.startswith("("), text)
        )
        made.append((
            fault, where, said,
            f"{sum(row['survived'] for row in same)}/{cases}",
            f"{sum(row['kept'] for row in same)}/{cases}",
        ))  # fmt: skip
    return sorted(made, key=_place)


def _place(line: Sequence[str]) -> tuple[int, str, str]:
    known = [number for number, start in enumerate(_ORDER) if line[0].startswith(start)]
    return (known[0] if known else len(_ORDER), line[0], line[1])


def table(lines: Iterable[Sequence[str]]) -> str:
    """The lines as Markdown."""
    cells = [HEAD, tuple("---" for _ in HEAD), *lines]
    return "\n".join(
        "| " + " | ".join(re.sub(r"([|<>])", r"\\\1", cell) for cell in line) + " |"
        for line in cells
    )


def summed(lines: Iterable[Sequence[str]]) -> str:
    """Survived n/n, nothing lost n/n."""
    pairs = [[one.split("/") for one in line[3:]] for line in lines]
    cases = sum(int(survived[1]) for survived, _ in pairs)
    survived, kept = (sum(int(pair[place][0]) for pair in pairs) for place in (0, 1))
    return f"survived {survived}/{cases}, nothing lost {kept}/{cases}"


def written() -> list[tuple[str, ...]]:
    """The lines that stand in the document."""
    text = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")][2:]
    cells = [re.split(r"(?<!\\) \| ", line[2:-2]) for line in lines]
    return [tuple(re.sub(r"\\([|<>])", r"\1", cell) for cell in line) for line in cells]


def write(lines: Sequence[Sequence[str]]) -> None:
    """Puts the table between the marks of the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    total = summed(lines)
    filled = f"{BEGIN}\n**{total[0].upper()}{total[1:]}.**\n\n{table(lines)}\n{END}"
    DOCUMENT.write_text(before + filled + after, encoding="utf-8")


def main() -> int:
    """Runs the suite; its exit code is pytest's."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--warm", action="store_true")
    parser.add_argument("--jobs", default="auto")
    args, words = parser.parse_known_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        rows_file = Path(folder, "rows")
        env = {**os.environ, "AIRCHER_TEST_WHOLE": "1", "AIRCHER_FAULTS_ROWS": str(rows_file)}
        if args.warm:
            env["AIRCHER_FAULTS_WARM"] = "1"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", args.jobs, "-m", "faults", "tests/faults", *words],
            cwd=ROOT, env=env, check=False,
        )  # fmt: skip
        text = rows_file.read_text(encoding="utf-8") if rows_file.exists() else ""
        rows = [json.loads(line) for line in text.splitlines()]
    lines = grouped(rows)
    print(table(lines))
    print(f"\n{summed(lines)}, in {time.monotonic() - began:.0f} s")
    if lines:
        ran = {line[:2] for line in lines}
        kept = [line for line in written() if words and line[:2] not in ran]
        write(sorted([*kept, *lines], key=_place))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
