"""What of a wish for a message may leave: the changes and texts without secrets and withheld files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from aircher.domain.changes import Changes, FileChange, Hunk
from aircher.domain.classes import dataclass
from aircher.domain.commits import CommitAsk, PastCommit
from aircher.domain.guarding import Finding
from aircher.policy.commit.fit import PIECE_LINES, PIECES_PER_FILE
from aircher.policy.commit.kinds import LINE, counts, kind_of, only_form
from aircher.policy.guard import Cleaned, Piece

Clean = Callable[[Sequence[Piece]], Cleaned]
"""The outbound guard with the user's rules: texts in, the same without secrets out."""

MOST_LINES = PIECES_PER_FILE * PIECE_LINES
"""Lines of a file that could be shown at all; the rest is not even looked at."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The wish and the examples as they may leave, and what was found in them."""

    ask: CommitAsk
    examples: tuple[PastCommit, ...]
    findings: tuple[Finding, ...]


def cleaned_texts(ask: CommitAsk, examples: Sequence[PastCommit], clean: Clean) -> Texts:
    """Hint, wish, branch, notes and examples without secrets."""
    setting = ask.setting
    texts = [
        Piece("your hint", ask.hint),
        Piece("your wish", ask.change),
        Piece("the branch's name", setting.branch),
        Piece("the squashed commits", setting.squashed),
        Piece("the amended message", setting.amended),
        *(Piece("an earlier commit message", commit.message) for commit in examples),
    ]
    cleaned = clean(texts)
    hint, change, branch, squashed, amended, *messages = cleaned.texts
    return Texts(
        replace(
            ask,
            hint=hint,
            change=change,
            setting=replace(setting, branch=branch, squashed=squashed, amended=amended),
        ),
        tuple(replace(c, message=m) for c, m in zip(examples, messages, strict=True)),
        cleaned.findings,
    )


def cleaned_changes(changes: Changes, clean: Clean) -> tuple[Changes, tuple[Finding, ...]]:
    """The changes as they may leave, their names included."""
    files: list[FileChange] = []
    findings: list[Finding] = []
    for file in changes.files:
        line = kind_of(file).line
        hunks = () if line else _trimmed(file)
        names = [Piece("a file's name", name) for name in (file.path, file.old_path)]
        # The line of a file that is summed up is a piece of it too: it may be withheld as well.
        texts = [line] if line else ["\n".join(_lines(hunk)) for hunk in hunks]
        cleaned = clean(names)
        findings += cleaned.findings
        path, old_path = cleaned.texts
        said: list[str] = []
        for at, text in enumerate(texts):
            cleaned = _content(file, text, clean)
            said += cleaned.texts
            findings += [_in_file(one, None if line else hunks[at]) for one in cleaned.findings]
        told = next((text for text in said if text.startswith("<WITHHELD:")), "")
        if told:
            line, hunks = f"not shown, {told.rpartition(': ')[2].rstrip('>')}{counts(file)}", ()
        elif line:
            line = said[0]
        else:
            hunks = tuple(_with_text(hunk, text) for hunk, text in zip(hunks, said, strict=True))
        attributes = {**file.attributes, LINE: line} if line else file.attributes
        files.append(
            replace(file, path=path, old_path=old_path, hunks=hunks, attributes=attributes)
        )
    return replace(changes, files=tuple(files)), tuple(findings)


def _content(file: FileChange, text: str, clean: Clean) -> Cleaned:
    """A text of the file, which has two names where it was renamed: either may withhold it."""
    if file.old_path:
        before = clean([Piece(file.name, "", path=file.old_path)])
        if before.findings:
            return before
    return clean([Piece(file.name, text, path=file.path)])


def _in_file(found: Finding, hunk: Hunk | None) -> Finding:
    """The finding with its line in the file: the new one, or the old one for a line taken out."""
    if hunk is None or not found.line:
        return found
    before = hunk.lines[: max(found.line - 2, 0)]  # the first line of the text is the section
    marker = hunk.lines[len(before)][:1] if len(before) < len(hunk.lines) else b" "
    first, gone = (hunk.old_start, b"+") if marker == b"-" else (hunk.new_start, b"-")
    passed = sum(line[:1] not in {gone, b"\\"} for line in before)
    return replace(found, line=first + passed)


def _trimmed(file: FileChange) -> tuple[Hunk, ...]:
    """At most as many lines as could ever be shown."""
    if only_form(file):
        return file.hunks  # needed whole to see that; never shown
    hunks: list[Hunk] = []
    left = MOST_LINES
    for hunk in file.hunks:
        if left <= 0:
            break
        hunks.append(replace(hunk, lines=hunk.lines[:left]))
        left -= len(hunk.lines)
    return tuple(hunks)


def _lines(hunk: Hunk) -> list[str]:
    return [hunk.section, *(line.decode("utf-8", "surrogateescape") for line in hunk.lines)]


def _with_text(hunk: Hunk, text: str) -> Hunk:
    """The hunk with this text for its section and lines."""
    if text == "\n".join(_lines(hunk)):
        return hunk
    section, *lines = text.split("\n")
    at = hunk.header.find(b"@@", 2) + 2
    return replace(
        hunk,
        header=hunk.header[:at] + b" " + section.encode("utf-8", "surrogateescape"),
        lines=tuple(line.encode("utf-8", "surrogateescape") for line in lines),
    )
