"""The diff as a model is to see it: the most telling hunks, within a number of tokens.

Every file is named, by itself or, where there are too many, within its folder.  Hunks are cut
into pieces, scored by what they are likely to tell, and taken in that order until the room is
used; a file's first piece counts more than its second, so that one huge file does not crowd out
the small ones.  What was left out is marked in the text and told in ``cuts``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from aircher.domain.changes import EXECUTABLE, Changes, FileChange, Hunk
from aircher.domain.classes import dataclass
from aircher.domain.inert import inert
from aircher.domain.regexes import regex
from aircher.policy.commit.kinds import WEIGHT, kind_of, only_form

Size = Callable[[str], int]
"""Tokens of a text."""

PIECE_LINES = 60
PIECES_PER_FILE = 40
LINE_LENGTH = 300
"""A piece is at most so many lines, a file at most so many pieces, a line so many characters."""

PIECES_OF_DATA = 2
"""Rows are like one another: more of them cost money and say nothing new."""

NAMES_SHARE = 0.4
"""Of the room, what the list of files may take."""

_SIGNATURE = regex(
    r"^[+-]\s*(?:export\s+|public\s+|private\s+|protected\s+|static\s+|async\s+|pub(?:\([a-z]+\))?\s+"
    r"|abstract\s+|final\s+)*(?:def|class|func|fn|function|interface|struct|enum|trait|impl|type"
    r"|module|namespace|const|CREATE|ALTER|DROP)\s+\w"
)
_NOISE = regex(
    r"^[+-]\s*(?:import\b|from\s+\S+\s+import\b|#include\b|using\b|require\b|[{}()\[\];,]*$)"
)


@dataclass(frozen=True, slots=True)
class Fitted:
    """The text, its size in tokens, and sentences that say what is not in it."""

    text: str
    tokens: int
    cuts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a hunk: which file and hunk, from which line on, and its worth."""

    file: int
    hunk: int
    start: int
    lines: tuple[str, ...]
    score: float

    @property
    def text(self) -> str:
        """As it is shown."""
        return "\n".join(self.lines)


def fit(changes: Changes, room: int, size: Size) -> Fitted:
    """The changes in at most about ``room`` tokens."""
    heads = [heading(file) for file in changes.files]
    sizes = [size(head) + 1 for head in heads]
    listed = sum(sizes)
    if listed > room * NAMES_SHARE:
        return _by_folder(changes, heads, sizes, room, size)
    return _with_pieces(changes, heads, room - listed, listed, size)


def _with_pieces(
    changes: Changes, heads: Sequence[str], room: int, used: int, size: Size
) -> Fitted:
    pieces = [
        piece for number, file in enumerate(changes.files) for piece in pieces_of(number, file)
    ]
    taken: dict[int, list[Piece]] = {}
    for piece in sorted(pieces, key=lambda one: -one.score):
        need = size(piece.text) + 4
        if need <= room:
            room -= need
            used += need
            taken.setdefault(piece.file, []).append(piece)
    blocks, cuts = [], []
    for number, file in enumerate(changes.files):
        chosen = sorted(taken.get(number, ()), key=lambda one: (one.hunk, one.start))
        shown = sum(_changed(piece.lines) for piece in chosen)
        left = _all_changed(file) - shown
        blocks.append("\n".join((heads[number], *_joined(file, chosen))))
        if left > 0 and not kind_of(file).line:
            cuts.append(f"{file.name}: {left:,} of {_all_changed(file):,} changed lines left out")
    return Fitted("\n\n".join(blocks), used, _few(cuts))


def _by_folder(
    changes: Changes, heads: Sequence[str], sizes: Sequence[int], room: int, size: Size
) -> Fitted:
    """Too many files to name each: the most telling by themselves, the rest by folder."""
    order = sorted(range(len(heads)), key=lambda n: -_worth(changes.files[n]))
    budget, alone = room * NAMES_SHARE / 2, set()
    for number in order:
        if sizes[number] > budget:
            break
        budget -= sizes[number]
        alone.add(number)
    rest = [file for number, file in enumerate(changes.files) if number not in alone]
    lines = _fewer(list(folders(rest)), room * NAMES_SHARE, size)
    listed = size("\n".join(lines)) + sum(sizes[number] for number in alone)
    some = Changes(tuple(changes.files[number] for number in sorted(alone)))
    inner = _with_pieces(some, [heads[n] for n in sorted(alone)], room - listed, listed, size)
    told = f"{len(rest):,} of {len(heads):,} files are named by their folder only"
    text = inner.text + "\n\nOther files, by folder:\n" + "\n".join(lines)
    return Fitted(text, inner.tokens, (told, *inner.cuts))


def _fewer(lines: Sequence[str], room: float, size: Size) -> list[str]:
    """As many lines as fit, and how many there are besides."""
    shown = len(lines)
    while shown and size("\n".join(lines[:shown])) > room:
        shown //= 2
    more = len(lines) - shown
    return [*lines[:shown], *([f"... and {more:,} more folders"] if more else [])]


def folders(files: Sequence[FileChange]) -> Iterator[str]:
    """One line per folder, the fullest first: how many files, and what happened to them."""
    groups: dict[str, list[FileChange]] = {}
    for file in files:
        groups.setdefault(file.name.rpartition("/")[0] or ".", []).append(file)
    for folder, group in sorted(groups.items(), key=lambda item: -len(item[1])):
        kinds: dict[str, int] = {}
        for file in group:
            kinds[file.status] = kinds.get(file.status, 0) + 1
        told = ", ".join(f"{count:,} {status}" for status, count in kinds.items())
        added = sum(file.added or 0 for file in group)
        removed = sum(file.removed or 0 for file in group)
        yield f"{folder}/: {told} (+{added:,} -{removed:,})"


def heading(file: FileChange) -> str:
    """The line that stands for a file, with all there is to say where its lines are not shown."""
    where = f"{file.old_name} -> {file.name}" if file.old_path else file.name
    status = "changed type of" if file.status == "type" else file.status
    if line := kind_of(file).line:
        return f"=== {status} {where}: {line}"
    counts = "" if file.added is None else f" (+{file.added:,} -{file.removed or 0:,})"
    notes = [f"only {what} changed" for what in (only_form(file),) if what and what != "mode"]
    if file.status in {"modified", "renamed"} and file.old_mode != file.new_mode:
        notes.append("now executable" if file.new_mode == EXECUTABLE else "no longer executable")
    if file.status == "added" and not file.hunks:
        notes.append("empty")
    return f"=== {status} {where}{counts}" + (f": {'; '.join(notes)}" if notes else "")


def pieces_of(number: int, file: FileChange) -> list[Piece]:
    """The file's hunks in pieces, scored; none where one line says it all."""
    kind = kind_of(file)
    if kind.line or only_form(file):
        return []
    weight = WEIGHT[kind.area] * (0.7 if file.status == "deleted" else 1.0)
    most = PIECES_OF_DATA if kind.area == "data" else PIECES_PER_FILE
    found = islice(_cut(file.hunks), most)
    return [
        Piece(number, hunk, start, lines, weight * (1 + _telling(lines)) / (1 + rank))
        for rank, (hunk, start, lines) in enumerate(found)
    ]


def _cut(hunks: Sequence[Hunk]) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    for number, hunk in enumerate(hunks):
        for start in range(0, len(hunk.lines), PIECE_LINES):
            part = hunk.lines[start : start + PIECE_LINES]
            shown = tuple(_short(line.decode("utf-8", "replace")) for line in part)
            yield number, start, shown


def _short(line: str) -> str:
    plain = inert(line)
    return plain if len(plain) <= LINE_LENGTH else plain[:LINE_LENGTH] + " ..."


def _telling(lines: Sequence[str]) -> float:
    """0..1: how much a piece says, by its signatures and by its share of lines that are no noise."""
    changed = [line for line in lines if line[:1] in "+-"]
    if not changed:
        return 0.0
    signatures = sum(_SIGNATURE.match(line) is not None for line in changed)
    noise = sum(_NOISE.match(line) is not None for line in changed)
    return min(1.0, 0.25 * signatures) * 0.7 + 0.3 * (1 - noise / len(changed))


def _worth(file: FileChange) -> float:
    kind = kind_of(file)
    lines = (file.added or 0) + (file.removed or 0)
    return WEIGHT[kind.area] * (0.2 if kind.line else 1.0) * (1 + min(lines, 200) / 200)


def _joined(file: FileChange, pieces: Sequence[Piece]) -> Iterator[str]:
    """The chosen pieces in their order, with a mark where something is missing."""
    at = (0, 0)
    for piece in pieces:
        if (piece.hunk, piece.start) != at:
            yield "[...]"
        if piece.start == 0:
            hunk = file.hunks[piece.hunk]
            yield f"@@ line {hunk.new_start:,} {hunk.section}".rstrip()
        yield piece.text
        ended = piece.start + len(piece.lines) >= len(file.hunks[piece.hunk].lines)
        at = (piece.hunk + 1, 0) if ended else (piece.hunk, piece.start + PIECE_LINES)
    if file.hunks and at < (len(file.hunks), 0) and not kind_of(file).line and not only_form(file):
        yield "[...]"


def _changed(lines: Sequence[str]) -> int:
    return sum(line[:1] in {"+", "-"} for line in lines)


def _all_changed(file: FileChange) -> int:
    return (file.added or 0) + (file.removed or 0) if not only_form(file) else 0


def _few(cuts: Sequence[str], most: int = 5) -> tuple[str, ...]:
    if len(cuts) <= most:
        return tuple(cuts)
    return (*cuts[: most - 1], f"and {len(cuts) - most + 1:,} more files were shortened")


def meaningful(changes: Changes, size: Size) -> Mapping[int, int]:
    """Tokens of every file as far as it would be shown, by the file's number."""
    found = {}
    for number, file in enumerate(changes.files):
        text = "\n".join(piece.text for piece in pieces_of(number, file))
        found[number] = size(heading(file)) + (size(text) if text else 0)
    return found


def batches(changes: Changes, room: int, size: Size, most: int) -> list[Changes]:
    """The files in at most ``most`` groups that fit ``room`` tokens each, neighbours together.

    What does not fit even so is left to ``fit`` to cut: the last group takes the rest.
    """
    groups: list[list[FileChange]] = [[]]
    left = room
    for number, tokens in meaningful(changes, size).items():
        if tokens > left and groups[-1] and len(groups) < most:
            groups.append([])
            left = room
        groups[-1].append(changes.files[number])
        left -= tokens
    return [Changes(tuple(group), changes.base) for group in groups]
