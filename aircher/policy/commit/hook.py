"""What the prepare-commit-msg hook decides: whether to write, and how the message file comes out.

The file is what git will open in the editor: perhaps a template and trailers, then git's comments,
then perhaps the diff below a scissors line (git-commit(1), githooks(5)).  Everything that is there
stays there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aircher.domain.commits import CommitMessage
from aircher.domain.hooks import HookSurroundings
from aircher.domain.inert import inert
from aircher.domain.regexes import regex

SCISSORS = " ------------------------ >8 ------------------------"
"""What follows the comment string on the line below which git drops everything (wt-status.c)."""

AUTO = "#;@!$%^&|:"
"""The characters that git tries, in this order, for core.commentChar = auto (builtin/commit.c)."""

_SOURCES = {
    "message": "a message was given",
    "merge": "git wrote the message of the merge",
    "squash": "git joined the messages of the squashed commits",
    "commit": "the message comes from another commit",
}
_OPERATIONS = frozenset({"merge", "rebase", "cherry-pick", "revert"})
_OFF = frozenset({"0", "off", "no", "false"})
_TRAILER = regex(r"[A-Z][A-Za-z-]*: \S")


def reason_to_skip(source: str, environ: Mapping[str, str], operation: str = "") -> str:
    """Why nothing is to be written, or "".  ``source`` is the hook's second argument."""
    if source in _SOURCES:
        return _SOURCES[source]
    if environ.get("AIRCHER_HOOK", "").lower() in _OFF:
        return "AIRCHER_HOOK turns it off"
    if environ.get("CI", "").lower() not in {"", *_OFF}:
        return "this is CI"
    if environ.get("GIT_EDITOR") == ":":  # how git tells a hook that no editor will open
        return "no editor opens, so nobody would see the message"
    return f"git is in the middle of a {operation}" if operation in _OPERATIONS else ""


def comment_string(around: HookSurroundings, text: str) -> str:
    """What comment lines of this file begin with."""
    if around.comment != "auto":
        return around.comment or "#"
    lines = [line for line in text.split("\n") if line.strip()]
    for line in lines:
        if line[:1] in AUTO and line[1:] == SCISSORS:
            return line[0]
    if lines and lines[-1][:1] in AUTO:
        return lines[-1][0]
    used = {line[:1] for line in text.split("\n")}
    return next((char for char in AUTO if char not in used), "#")


def has_message(text: str, comment: str, source: str) -> bool:
    """True where the file holds a message: words that are no comment, trailer or template."""
    if source == "template":
        return False
    above = _above_scissors(text.split("\n"), comment)
    return any(
        line.strip() and not line.startswith(comment) and not _TRAILER.match(line) for line in above
    )


def with_message(text: str, message: CommitMessage, comment: str) -> str:
    """The file with the message at its top; all that was there follows it."""
    lines = str(message).rstrip("\n").split("\n")
    shown = "\n".join(_no_comment(line, comment, first=not at) for at, line in enumerate(lines))
    rest = text.lstrip("\n")
    if not rest:
        return f"{shown}\n"
    joins = bool(message.trailers) and _TRAILER.match(rest) is not None
    return f"{shown}\n{rest}" if joins else f"{shown}\n\n{rest}"


def with_note(text: str, notes: Sequence[str], comment: str, cleanup: str) -> str:
    """The file with a comment line for each note, where git will drop it; else as it was.

    Comments are dropped above a scissors line or at all only for some of git's clean-up modes; a
    scissors line without comments before it shows that they are kept there.
    """
    lines = text.split("\n")
    said = [f"{comment} {' '.join(inert(note).split())}" for note in notes]
    cut = next((at for at, line in enumerate(lines) if line == comment + SCISSORS), None)
    above = _above_scissors(lines, comment)
    first = next((at for at, line in enumerate(above) if line.startswith(comment)), None)
    if cut is not None and first is None:
        while cut + 1 < len(lines) and lines[cut + 1].startswith(f"{comment} "):
            cut += 1  # git's own words about that line
        return "\n".join([*lines[: cut + 1], *said, *lines[cut + 1 :]])
    if cleanup in {"verbatim", "whitespace"} or (cleanup == "scissors" and cut is None):
        return text
    if first is None:
        return text.rstrip("\n") + "\n\n" + "\n".join(said) + "\n"
    first = _own_block(above, first, comment)
    return "\n".join([*lines[:first], *said, *lines[first:]])


def _own_block(above: Sequence[str], first: int, comment: str) -> int:
    """Where git's own comments begin: the last block of them, below a template's."""
    start = first
    for at, line in enumerate(above):
        if line.startswith(comment) and (at == 0 or not above[at - 1].startswith(comment)):
            start = at
    return start


def _above_scissors(lines: Sequence[str], comment: str) -> list[str]:
    line = comment + SCISSORS
    return list(lines[: lines.index(line)] if line in lines else lines)


def _no_comment(line: str, comment: str, *, first: bool) -> str:
    """The line, so written that git does not take it for a comment."""
    if not line.startswith(comment):
        return line
    if not first:
        return f" {line}"
    if line[0].isalpha():  # core.commentChar may be a letter
        return line[0].swapcase() + line[1:]
    return line.removeprefix(comment).lstrip() or f" {line}"
