"""A text as it reads without what tears a secret apart: diff marks, line ends, string joints."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

_DIFF = re.compile(r"^(?:@@ |diff --git )|^[+-].*\n[+-]", re.MULTILINE)
_MARK = re.compile(r"^[+\- ]", re.MULTILINE)
_JOINT = re.compile(
    r"""["'`][ \t]*\\?[+.&]?[ \t]*\\?\r?\n[+\- ]?[ \t]*[+.&]?[ \t]*[rbuf]?["'`]  # "ab"⏎"cd", with + or \
      | ["'`][ \t]*[+.&][ \t]*["'`]                                              # "ab" + "cd"
      | (?<=[\w+/=.~-])\\\r?\n[+\- ]?[ \t]*                                       # ab\⏎cd
      | (?<=[\w+/=-]{24})\r?\n[+\- ]?[ \t]*(?=[\w+/=-]{4})                        # wrapped by a terminal
    """,
    re.ASCII | re.VERBOSE,
)
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
    if _DIFF.search(text):
        yield _without(text, ((m.start(), m.end()) for m in _MARK.finditer(text)))
    joints = [m.span() for m in _JOINT.finditer(text)]
    if joints:
        yield _joined(text, joints)


def _without(text: str, gaps: Iterable[tuple[int, int]]) -> View:
    parts, starts, origins = [], [], []
    size = at = 0
    for start, end in (*gaps, (len(text), len(text))):
        if start > at:
            parts.append(text[at:start])
            starts.append(size)
            origins.append(at)
            size += start - at
        at = end
    return View("".join(parts), tuple(starts) or (0,), tuple(origins) or (0,))


def _joined(text: str, joints: list[tuple[int, int]]) -> View:
    """Only what stands around the joints; between two such places the text is left out."""
    gaps = []
    at = 0
    for (start, end), (following, _) in pairwise((*joints, (len(text) + _AROUND * 2, 0))):
        if start - at > _AROUND:
            gaps.append((at, start - _AROUND))
        gaps.append((start, end))
        at = end
        if following - end > 2 * _AROUND:
            gaps.append((min(end + _AROUND, len(text)), min(following - _AROUND, len(text))))
            at = gaps[-1][1]
    return _without(text, sorted(gaps))
