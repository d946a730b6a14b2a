"""The outbound guard: what it finds, what it takes for a secret wrongly, and how long it takes."""

from __future__ import annotations

import site
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from aircher.bootstrap.guarding import load_guard_rules
from aircher.policy.guard import Piece, Rules, clean
from aircher.policy.guard.scan import scan
from tests.support.secrets import FORMATS, lookalikes, planted

TEN_MB = 10_000_000


def missed(rules: Rules, per_kind: int, seed: int) -> list[str]:
    """The kinds of planted secrets that would leave."""
    return [
        f"{one.kind} ({one.place})"
        for one in planted(per_kind, seed)
        if one.core in clean([Piece("a text", one.text)], rules).texts[0]
    ]


def false_alarms(rules: Rules, per_form: int, seed: int) -> list[str]:
    return [text for text in lookalikes(per_form, seed) if scan(text, rules)]


def sources(most_files: int | None = None) -> Iterator[tuple[Path, str]]:
    """Real code: the standard library with its tests, and every installed package."""
    folders = [
        Path(sysconfig.get_path("stdlib")),
        *map(Path, site.getsitepackages()),
        *map(Path, sys.path),
    ]
    seen: set[Path] = set()
    for folder in folders:
        for file in sorted(folder.glob("**/*.py")) if folder.is_dir() else ():
            real = file.resolve()
            if real in seen or (most_files is not None and len(seen) >= most_files):
                continue
            seen.add(real)
            yield file, file.read_text(encoding="utf-8", errors="replace")


def over_code(rules: Rules, most_files: int | None = None) -> tuple[int, Counter[str], list[str]]:
    """Lines, alarms by kind, and where each is (never the value)."""
    lines, kinds, places = 0, Counter[str](), []
    for file, text in sources(most_files):
        lines += text.count("\n")
        for span in scan(text, rules):
            kinds[span.kind] += 1
            places.append(
                f"{'/'.join(file.parts[-3:])}:{text.count(chr(10), 0, span.start) + 1} {span.kind}"
            )
    return lines, kinds, places


def seconds_for_10_mb(rules: Rules) -> float:
    """Processor time for ten million characters of code, the best of three."""
    text = ""
    for _, more in sources():
        text += more
        if len(text) >= TEN_MB:
            break
    while len(text) < TEN_MB:
        text += text
    best = 9e9
    for _ in range(3):
        started = time.process_time()
        scan(text[:TEN_MB], rules)
        best = min(best, time.process_time() - started)
    return best


def run(*, quick: bool = False) -> None:
    started = time.perf_counter()
    rules = load_guard_rules()
    loaded = time.perf_counter() - started
    clean([Piece("a text", "How do I undo a commit?")], rules)
    first = time.perf_counter() - started
    print(f"rules                   {len(rules.rules)} rules, {len(rules.kinds)} kinds")
    print(
        f"reading them            {loaded * 1e3:.1f} ms; with the first text {first * 1e3:.1f} ms"
    )
    gone = missed(rules, 3, 2026)
    total = 3 * len(FORMATS)
    print(f"planted secrets         {total - len(gone)} of {total} found ({len(FORMATS)} kinds)")
    for one in gone:
        print(f"  missed                {one}")
    seeds = range(2 if quick else 20)
    many = [one for seed in seeds for one in missed(rules, 8, seed)]
    count = 8 * len(FORMATS) * len(seeds)
    print(f"with other seeds        {count - len(many)} of {count} ({1 - len(many) / count:.2%})")
    alarms = false_alarms(rules, 4, 2026)
    print(f"look-alikes             {len(alarms)} of {len(list(lookalikes(4)))} taken for secrets")
    lines, kinds, places = over_code(rules, 400 if quick else None)
    print(
        f"real code               {sum(kinds.values())} alarms in {lines:,} lines "
        f"({sum(kinds.values()) / max(1, lines) * 1000:.4f} per 1,000): {dict(kinds)}"
    )
    if "--places" in sys.argv:
        print("\n".join(f"  {place}" for place in places))
    print(f"10 MB of code           {seconds_for_10_mb(rules):.2f} s of processor time")


if __name__ == "__main__":
    run(quick="--quick" in sys.argv)
