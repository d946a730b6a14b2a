"""A text as it reads without what tears a secret apart: diff marks, line ends, string joints."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import pairwise

from aircher.domain.classes import dataclass
from aircher.domain.regexes import regex

_DIFF = regex(r"^(?:@@ |diff --git )", re.MULTILINE)
_MARK = regex(r"^[+\- ]", re.MULTILINE)
_JOINTS = (
    # A string that goes on in the next line: "ab"⏎"cd", "ab" +⏎"cd", "ab" \⏎"cd".
    (
        regex(r"""\n(?<=["'`+.&\\ \t\r]\n)[+\- ]?[ \t]*[+.&]?[ \t]*[rbuf]?["'`]"""),
        regex(r"""["'`][ \t]{0,4}[+.&]?[ \t]{0,4}\\?\r?\Z"""),
    ),
    # One that goes on in the same line: "ab" + "cd".
    (regex(r"""\+(?<=["'` ]\+)[ \t]*["'`]"""), regex(r"""["'`][ \t]{0,4}\Z""")),
    # A line that goes on: ab\⏎cd.
    (regex(r"\n(?<=\\\n|\r\n)[+\- ]?[ \t]*(?=[\w+/=-])"), regex(r"\\\r?\Z")),
    # A long word that a terminal has wrapped.
    (
        regex(r"\n(?<=[\w+/=-]{24}\n)[+\- ]?[ \t]*(?=[\w+/=-]{4})", re.ASCII),
        regex(r"\Z"),
    ),
)
"""What joins two halves: from a sign that is quickly found onwards, and what stands before it."""

_AROUND = 240
"""Characters on either side of a joint that are looked at again."""


@dataclass(frozen=True, slots=True)
class View:
    """A text made of parts of another; part ``i`` starts at ``starts[i]`` here, ``origins[i]`` there."""

    text: str
    starts: tuple[int, ...]
    origins: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the other text from the first to the last of these characters."""
        return self._origin(start), self._origin(end - 1) + 1

    def _origin(self, at: int) -> int:
        part = bisect_right(self.starts, at) - 1
        return self.origins[part] + at - self.starts[part]


def views(text: str) -> Iterator[View]:
    """The text itself, then without diff marks, then with its torn strings joined."""
    yield View(text, (0,), (0,))
    if _is_diff(text):
        yield _without(text, ((m.start(), m.end()) for m in _MARK.finditer(text)))
    joints = sorted(_joints(text))
    if joints:
        yield _joined(text, joints)


def _is_diff(text: str) -> bool:
    """True for a diff, or a part of one without its head: most lines are marked."""
    if _DIFF.search(text):
        return True
    lines = text[:4_000].splitlines()
    return sum(line.startswith(("+", "-")) for line in lines) * 2 > len(lines)


def _joints(text: str) -> Iterator[tuple[int, int]]:
    for onwards, before in _JOINTS:
        at = 0
        for found in onwards.finditer(text):
            start = max(at, found.start() - 12)
            back = before.search(text[start : found.start()])
            if back is not None:
                at = found.end()
                yield start + back.start(), at


def _without(text: str, gaps: Iterable[tuple[int, int]]) -> View:
    parts, starts, origins = [], [], []
    size = at = 0
    for start, end in (*gaps, (len(text), len(text))):
        if start > at:
            parts.append(text[at:start])
            starts.append(size)
            origins.append(at)
            size += start - at
        at = max(at, end)
    return View("".join(parts), tuple(starts) or (0,), tuple(origins) or (0,))


def _joined(text: str, joints: list[tuple[int, int]]) -> View:
    """Only what stands around the joints: whole lines; what lies between is left out."""
    ends = [(0, 0), *joints, (len(text), len(text))]
    far = []
    for (_, end), (start, _) in pairwise(ends):
        begin = 0 if end == 0 else text.find("\n", end + _AROUND, start)
        until = len(text) if start == len(text) else text.rfind("\n", begin + 1, start - _AROUND)
        if 0 <= begin < until:
            far.append((begin, until))
    return _without(text, sorted((*joints, *far)))
