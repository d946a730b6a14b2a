"""Syntax colours for code that arrives line by line.

Pygments colours whole texts.  Here a window of lines is coloured at a time; its first half is
kept, up to a line that a token begins with, together with the lexer's stack of states there,
and the next window goes on from it.  So n lines cost O(n) however they arrive, and the same
lines get the same colours however they were cut into chunks.  What can go wrong: a comment that
one pattern matches may lose its colour when it ends more than ``KEPT`` lines further down.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field, replace
from functools import lru_cache
from typing import Any, NamedTuple

from pygments.lexer import ExtendedRegexLexer, Lexer, RegexLexer  # type: ignore[import-untyped]  # ships no types
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]  # ships no types
from pygments.token import Token, _TokenType  # type: ignore[import-untyped]  # ships no types
from pygments.util import ClassNotFound  # type: ignore[import-untyped]  # ships no types

from aircher.domain.classes import dataclass
from aircher.tui.widgets.transcript.blocks import Span

WINDOW = 40
"""Lines coloured together."""
KEPT = WINDOW // 2
"""Lines at the end of a window that are coloured again with the next: a look ahead."""
LARGEST = 5 * WINDOW
"""Lines a window may grow to while one token fills it."""
LOOK_AHEAD = 4
"""Lines a preview looks ahead."""
LONGEST = 1_000
"""A longer line (minified code, data) is shown uncoloured: patterns may be quadratic in it."""

State = tuple[str, ...]
Colored = tuple[Span, ...]
ROOT: State = ("root",)

_STYLES = {
    Token.Comment: "syntax-comment",
    Token.Keyword: "syntax-keyword",
    Token.Keyword.Constant: "syntax-number",
    Token.Keyword.Type: "syntax-type",
    Token.Operator.Word: "syntax-keyword",
    Token.Name.Builtin: "syntax-builtin",
    Token.Name.Function: "syntax-function",
    Token.Name.Class: "syntax-type",
    Token.Name.Exception: "syntax-type",
    Token.Name.Decorator: "syntax-decorator",
    Token.Name.Attribute: "syntax-function",
    Token.Name.Tag: "syntax-keyword",
    Token.Name.Variable: "syntax-builtin",
    Token.Number: "syntax-number",
    Token.String: "syntax-string",
    Token.String.Escape: "syntax-number",
    Token.Generic.Inserted: "syntax-inserted",
    Token.Generic.Deleted: "syntax-deleted",
    Token.Generic.Heading: "syntax-keyword",
    Token.Generic.Subheading: "syntax-function",
}


@lru_cache(maxsize=512)
def token_style(token: _TokenType) -> str:
    """The style of a Pygments token: its own, or that of the nearest wider kind."""
    kind: _TokenType | None = token
    while kind is not None:
        if kind in _STYLES:
            return f"code {_STYLES[kind]}"
        kind = kind.parent
    return "code"


@lru_cache(maxsize=64)
def lexer_for(language: str) -> Lexer | None:
    """Pygments' lexer for a fence's language, or None."""
    if not language:
        return None
    try:
        return get_lexer_by_name(language, ensurenl=False, stripnl=False)
    except ClassNotFound:
        return None


class Cut(NamedTuple):
    """A line that a token begins with, and the lexer's state there."""

    line: int
    state: State


class Cuts(list[Cut]):
    """All such lines, ascending."""

    def at_most(self, line: int) -> Cut | None:
        """The last one not after ``line``."""
        return next((cut for cut in reversed(self) if cut.line <= line), None)


@dataclass(slots=True)
class LineHighlighter:
    """Colours lines as they come: ``feed`` gives those that are settled, ``flush`` the rest."""

    lexer: Lexer | None
    state: State = ROOT
    pending: list[str] = field(default_factory=list)
    preview: list[Colored] = field(default_factory=list)
    preview_state: State = ROOT

    def clone(self) -> LineHighlighter:
        """A copy to be fed and flushed for a preview; this one settles nothing by it.

        A preview colours a line but twice while its window fills, looking ``LOOK_AHEAD`` lines
        ahead instead of half a window.
        """
        while self.lexer and len(self.pending) - len(self.preview) >= 2 * LOOK_AHEAD:
            colored, cuts = self._lex(self.pending[len(self.preview) :], self._preview_from)
            cut = cuts.at_most(LOOK_AHEAD)
            if cut is None:
                break
            self.preview.extend(colored[: cut.line])
            self.preview_state = cut.state
        return replace(self, pending=list(self.pending), preview=list(self.preview))

    @property
    def _preview_from(self) -> State:
        return self.preview_state if self.preview else self.state

    def feed(self, line: str) -> list[Colored]:
        """Take one more line; the coloured lines that no later one can change."""
        if self.lexer is None:
            return [(Span(line, "code"),)]
        self.pending.append(line)
        # A token that fills a window (a long comment) is waited for, but not for ever.
        if len(self.pending) % WINDOW:
            return []
        colored, cuts = self._lex(self.pending, self.state)
        cut = cuts.at_most(len(self.pending) - KEPT)
        if cut is None and len(self.pending) < LARGEST:
            return []
        line_count, self.state = cut or Cut(KEPT, ROOT)
        del self.pending[:line_count]
        del self.preview[:line_count]
        return colored[:line_count]

    def flush(self) -> list[Colored]:
        """The coloured lines that are left."""
        rest = self.pending[len(self.preview) :]
        colored = [*self.preview, *(self._lex(rest, self._preview_from)[0] if rest else [])]
        self.pending.clear()
        self.preview.clear()
        return colored

    def finish(self) -> list[Colored]:
        """``flush`` without what previews made of the lines: the last word on them."""
        self.preview.clear()
        return self.flush()

    def _lex(self, pending: list[str], state: State) -> tuple[list[Colored], Cuts]:
        """``pending`` coloured from ``state``, and where a token begins with a line."""
        if self.lexer is None or any(len(line) > LONGEST for line in pending):
            plain: list[Colored] = [(Span(line, "code"),) if line else () for line in pending]
            return plain, Cuts([Cut(at, ROOT) for at in range(1, len(pending))])
        cuts: list[Cut] = []
        lines: list[list[Span]] = [[]]
        bare = True  # nothing of the present line so far
        for _, token, value, before in states(self.lexer, "\n".join(pending) + "\n", state):
            if bare and len(lines) > 1:
                cuts.append(Cut(len(lines) - 1, before))
            _spread(lines, value, token_style(token))
            bare = value.endswith("\n")
        lines.pop()  # after the last newline
        return [tuple(line) for line in lines], Cuts(cuts)


def _spread(lines: list[list[Span]], value: str, style: str) -> None:
    """Add a token that may reach over line ends."""
    first, *others = value.split("\n")
    if first:
        lines[-1].append(Span(first, style))
    lines.extend([Span(part, style)] if part else [] for part in others)


def states(lexer: Lexer, text: str, state: State) -> Iterator[tuple[int, _TokenType, str, State]]:
    """Tokens of ``text`` with the stack of states each of them was found in.

    This is ``RegexLexer.get_tokens_unprocessed`` with the stack made visible.  Lexers of another
    build start every window afresh.
    """
    if not isinstance(lexer, RegexLexer) or isinstance(lexer, ExtendedRegexLexer):
        for start, token, value in lexer.get_tokens_unprocessed(text):
            yield start, token, value, ROOT
        return
    rules: dict[str, list[tuple[Any, Any, Any]]] = lexer._tokens  # noqa: SLF001 - Pygments gives no other access to a lexer's compiled rules
    stack = list(state)
    position = 0
    while position < len(text):
        for match_at, action, change in rules[stack[-1]]:
            found = match_at(text, position)
            if not found:
                continue
            now = tuple(stack)
            if isinstance(action, _TokenType):
                yield position, action, found.group(), now
            elif action is not None:
                for start, token, value in action(lexer, found):
                    yield start, token, value, now
            position = found.end()
            _change(stack, change)
            break
        else:
            if text[position] == "\n":
                stack = ["root"]  # Pygments' own rule: an unmatched line end starts over
                yield position, Token.Text, "\n", ROOT
            else:
                yield position, Token.Error, text[position], tuple(stack)
            position += 1


def _change(stack: list[str], change: Any) -> None:
    """Apply a rule's state transition; the bottom of the stack stays."""
    if change is None:
        return
    if isinstance(change, int):
        del stack[max(1, len(stack) + change) :]
    elif change == "#push":
        stack.append(stack[-1])
    else:
        for state in change:
            if state == "#pop":
                del stack[max(1, len(stack) - 1) :]
            else:
                stack.append(stack[-1] if state == "#push" else state)
