"""Where each key stands in a TOML text: its line, and the span of its value.

``tomllib`` tells no positions.  This scan is made only when somebody asks where a value came
from, or when a value is changed in place; it expects text that ``tomllib`` has accepted.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import field

from aircher.domain.classes import dataclass
from aircher.domain.regexes import regex

KeyPath = tuple[str, ...]

_TOKEN = regex(
    r'"""(?:\\.|[^\\])*?"{3,5}'  # the text may end in up to two quotes of its own
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*|[\[\]{}=\n]|[^\"'\#\[\]{}=\n]+",
    re.DOTALL,
)
_KEY_PART = regex(r"""\s*("(?:\\.|[^"\\])*"|'[^']*'|[^\s."'=\[\]]+)\s*(\.)?""")
_DEPTH = {"[": 1, "{": 1, "]": -1, "}": -1}


@dataclass(frozen=True, slots=True)
class Assignment:
    """One ``key = value``: its 1-based line, and offsets into the text.

    ``start`` is the statement's first character, ``value_start``/``value_end`` bound the value
    (a comment behind it left out), ``end`` lies behind the newline.
    """

    path: KeyPath
    line: int
    start: int
    value_start: int
    value_end: int
    end: int


@dataclass(slots=True)
class Layout:
    """A text taken apart: assignments by path, table headers (path -> line), and the offset
    behind each table's last statement (the path of the text's top is ``()``).
    """

    assignments: dict[KeyPath, Assignment] = field(default_factory=dict)
    headers: dict[KeyPath, int] = field(default_factory=dict)
    ends: dict[KeyPath, int] = field(default_factory=lambda: {(): 0})

    def line(self, path: KeyPath) -> int:
        """The 1-based line where ``path``, or else the nearest table around it, is set; 0."""
        for size in range(len(path), 0, -1):
            part = path[:size]
            if part in self.assignments:
                return self.assignments[part].line
            if part in self.headers:
                return self.headers[part]
            below = [one.line for here, one in self.assignments.items() if here[:size] == part]
            below += [line for here, line in self.headers.items() if here[:size] == part]
            if below:
                return min(below)
        return 0


def split_key(text: str) -> KeyPath:
    """The parts of a dotted key, quotes taken off; raises ``ValueError`` for a broken one."""
    parts: list[str] = []
    at, more = 0, True
    while more:
        match = _KEY_PART.match(text, at)
        if not match:
            raise ValueError(f"not a key: {text}")
        word = match[1]
        parts.append(tomllib.loads(f"k={word}")["k"] if word[0] in "\"'" else word)
        at, more = match.end(), bool(match[2])
    if text[at:].strip():
        raise ValueError(f"not a key: {text}")
    return tuple(parts)


@dataclass(slots=True)
class _Statement:
    line: int
    start: int
    equals: int = -1
    stop: int = 0
    """Behind the last character that is neither blank nor comment."""
    end: int = 0


def _statements(text: str) -> Iterator[_Statement]:
    """Headers and assignments in order."""
    line, depth = 1, 0
    now: _Statement | None = None
    for match in _TOKEN.finditer(text):
        lexeme, start = match[0], match.start()
        if lexeme == "\n" and depth == 0 and now:
            now.end = match.end()
            yield now
            now = None
        elif lexeme.strip() and lexeme[0] != "#":
            if now is None:
                now = _Statement(line, start + len(lexeme) - len(lexeme.lstrip()))
            if lexeme == "=" and depth == 0 and now.equals < 0:
                now.equals = start
            depth += _DEPTH.get(lexeme, 0)
            now.stop = start + len(lexeme.rstrip())
        line += lexeme.count("\n")
    if now:
        now.end = len(text)
        yield now


def layout_of(text: str) -> Layout:
    """Takes a valid TOML text apart."""
    layout = Layout()
    table: KeyPath = ()
    for one in _statements(text):
        if one.equals < 0:
            table = split_key(text[one.start : one.stop].strip("[]"))
            layout.headers.setdefault(table, one.line)
        else:
            path = (*table, *split_key(text[one.start : one.equals]))
            after = text[one.equals + 1 : one.stop]
            value_start = one.stop - len(after.lstrip())
            layout.assignments[path] = Assignment(
                path, one.line, one.start, value_start, one.stop, one.end
            )
        layout.ends[table] = one.end
    return layout
