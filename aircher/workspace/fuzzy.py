"""Fuzzy search in a list of paths: a pure function over a prepared index.

All paths stand in one string, one to a line, so that a query is a few regular expressions
over one buffer instead of a Python loop over the paths: 50,000 paths in milliseconds.
"""

from __future__ import annotations

import heapq
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice

from aircher.domain.classes import dataclass

_CONSIDERED = 4_000
"""Matches of one kind that are compared; a query with more is too short to be meant exactly,
and the shallowest paths come first anyway."""


@dataclass(frozen=True, slots=True)
class Index:
    """Paths, and the same in lower case as lines that begin with "/"."""

    paths: Sequence[str]
    lines: str
    starts: Sequence[int]


def index(paths: Sequence[str]) -> Index:
    """Prepares paths (relative, with "/") for ``find``; the shallowest come first."""
    ordered = sorted(paths, key=lambda path: (path.count("/"), path))
    starts: list[int] = []
    lines: list[str] = []
    offset = 0
    for path in ordered:
        line = "\n/" + path.lower().replace("\n", " ")
        starts.append(offset)
        lines.append(line)
        offset += len(line)
    return Index(ordered, "".join(lines) + "\n", starts)


def _patterns(query: str, lines: str) -> Iterator[str]:
    """Best first: each finds a weaker kind of match than the one before.

    Group 1 is the stretch that matched.  Every pattern begins with a literal or a set, which
    the regular expression engine can jump to.
    """
    plain = re.escape(query)
    if query in lines:
        yield rf"/({plain})[^/\n]*$"  # the base name begins so
        yield rf"[/_\-. ]({plain})[^/\n]*$"  # a word of the base name does
        yield rf"({plain})[^/\n]*$"  # in the base name
        yield rf"/({plain})"  # a folder begins so
        yield rf"({plain})"  # anywhere in the path
    # The letters in this order.  Excluding each next letter before it is met makes the match
    # linear: there is one way to match only.
    letters = [(re.escape(letter), letter) for letter in query if not letter.isspace()]
    if len(letters) > 1:
        first = letters[0][0]
        rest = "".join(rf"[^{escaped}\n]*{escaped}" for escaped, _ in letters[1:])
        yield rf"\n/[^{first}\n]*({first}{rest})"


def find(query: str, among: Index, limit: int) -> list[str]:
    """At most ``limit`` paths that match, best first; all match an empty query.

    Better: base name prefix, then word boundary, then anywhere in the base name, in the
    path, then letters in order.  Among equals the tighter match and the shorter path win.
    """
    wanted = query.strip().lower().replace("\n", " ").removeprefix("./")
    if not wanted:
        return list(among.paths[:limit])
    found: dict[int, None] = {}
    for pattern in _patterns(wanted, among.lines):
        hits: dict[int, int] = {}
        for match in islice(re.finditer(pattern, among.lines, re.MULTILINE), _CONSIDERED):
            number = bisect_right(among.starts, match.start(1)) - 1
            if number not in found:
                hits.setdefault(number, match.end(1) - match.start(1))
        best = heapq.nsmallest(
            limit - len(found), hits, key=lambda i: (hits[i], len(among.paths[i]), among.paths[i])
        )
        found |= dict.fromkeys(best)
        if len(found) >= limit:
            break
    return [among.paths[number] for number in found]
