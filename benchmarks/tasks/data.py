"""The labelled prompts as hashed features, and how that file is made from the texts.

Most texts may not be passed on, so the repository holds, for each prompt, its id, its label and the
CRC-32s of its features and words, in no order: enough to train and to measure, not to read.
"""

from __future__ import annotations

import json
import lzma
import re
import tomllib
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from aircher.domain.tasks import TASKS

HERE = Path(__file__).parent
FILE = HERE / "items.json.xz"
LABELS = HERE / "labels.jsonl"
INVENTED = HERE / "invented.jsonl"
SHORT = HERE / "short.jsonl"
READERS = HERE / "readers.jsonl"
SHARED = HERE.parent.parent.parent / "shared" / "tasks"
"""Where the texts lie on a machine that has them: beside the project."""

_TOKEN = re.compile(r"(?u)\b\w\w+\b")


def items() -> list[dict[str, Any]]:
    """All labelled prompts: id, label, alt, sure, set ("dev", "read", "written",
    "invented", "short"), features ..."""
    rows: list[dict[str, Any]] = json.loads(lzma.decompress(FILE.read_bytes()))
    return rows


def readers() -> dict[str, dict[str, Any]]:
    """By id, what two readers took the development set's prompts for (half each), who knew the
    guide and neither the labels nor each other: label, alt, sure (1 to 3)."""
    return {line["id"]: line for line in _lines(READERS)}


def group(item_id: str) -> str:
    """What a prompt may share words with: its conversation, all of one user's or project's."""
    kind, _, rest = item_id.partition(":")
    return f"{kind}:{rest.partition('_')[0].partition(':')[0]}"


def written() -> Iterator[dict[str, Any]]:
    """The prompts in written.txt."""
    label = ""
    for number, line in enumerate((HERE / "written.txt").read_text(encoding="utf-8").splitlines()):
        if line.startswith("["):
            label = line.strip("[]")
        elif line and not line.startswith("# "):
            text = line.replace("\\n", "\n")
            yield {"id": f"written:{number}", "text": text, "label": label, "set": "written"}


def texts() -> Iterator[dict[str, Any]]:
    """All labelled prompts with their texts, where these are here."""
    for line in _lines(SHARED / "dev.jsonl"):
        yield {**line, "set": "dev"}
    unlabelled = {line["id"]: line for line in _lines(SHARED / "unlabelled.jsonl")}
    for label in _lines(LABELS):
        yield {**unlabelled[label["id"]], **label, "set": "read"}
    yield from written()
    yield from numbered("invented", INVENTED)
    yield from numbered("short", SHORT)


def numbered(name: str, file: Path) -> Iterator[dict[str, Any]]:
    """A file's prompts: text, label, and sometimes a second label that would do."""
    for number, line in enumerate(_lines(file)):
        yield {"id": f"{name}:{number}", **line, "set": name}


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def hashed(names: Iterable[str]) -> list[int]:
    """CRC-32s, sorted, so that nothing is left of the order."""
    return sorted(zlib.crc32(name.encode()) for name in names)


def make() -> None:
    """Writes the file anew from the texts."""
    from aircher.bootstrap.detection import load_detector

    detector = load_detector()
    rows = []
    for one in texts():
        features = detector.features(one["text"])
        blocks = {mark: hashed(name for name in features if name[0] == mark) for mark in "=~+*!"}
        words = Counter(_TOKEN.findall(one["text"].lower()))
        pairs = _TOKEN.findall(one["text"].lower())
        words.update(map("{} {}".format, pairs, pairs[1:]))
        rows.append(
            {
                "id": one["id"],
                "label": one["label"],
                "alt": one.get("alt"),
                "sure": one.get("sure", 3),
                "set": one["set"],
                "stratum": one.get("stratum", ""),
                "lang": one.get("lang", ""),
                "floor": floor(one["text"]),
                "features": blocks,
                "words": sorted(
                    (zlib.crc32(word.encode()), count) for word, count in words.items()
                ),
            }
        )
    FILE.write_bytes(lzma.compress(json.dumps(rows, separators=(",", ":")).encode(), preset=9))
    print(f"{len(rows)} prompts, {FILE.stat().st_size / 1e6:.1f} MB")


def floor(text: str) -> str:
    """What the first keyword patterns take the text for (floor.toml says how they score)."""
    table = tomllib.loads((HERE / "floor.toml").read_text(encoding="utf-8"))
    lowered = text.lower()
    best, task = 0.0, "default"
    for name in TASKS:
        signs = table.get(name, {})
        hits = sum(word in lowered for word in signs.get("keywords", ()))
        hits += sum(bool(re.search(one, lowered)) for one in signs.get("message_patterns", ()))
        if (score := hits * signs.get("confidence", 0)) > best:
            best, task = score, name
    return task


if __name__ == "__main__":
    make()
