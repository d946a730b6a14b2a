"""What a model answered, as drafts: JSON where it kept to the schema, else whatever can be read.

Models wrap answers in thinking, fences, quotes and pleasantries; all of that is taken off here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from aircher.domain.classes import dataclass
from aircher.domain.inert import inert
from aircher.domain.regexes import regex
from aircher.policy.commit.style import HEADER, TYPES

MOST = 20
"""Drafts read of one reply."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as the model means it, before any form is given to it.

    ``breaking`` says what breaks for users ("" = nothing).
    """

    subject: str
    body: str = ""
    type: str = ""
    scope: str = ""
    breaking: str = ""
    emoji: str = ""


def schema(*, emoji: bool) -> dict[str, Any]:
    """The JSON Schema of a reply; every field is required, as strict modes want it."""
    fields = {
        "type": "feat, fix ... where the style is conventional, else empty",
        "scope": "the part of the code concerned, or empty",
        "subject": "the summary alone: no type, no scope, no period at its end",
        "body": "why, and what a reader should know; may be empty",
        "breaking": "what breaks for users of the code, or empty",
    }
    if emoji:
        fields["emoji"] = "the emoji that the style wants, or empty"
    message = {
        "type": "object",
        "properties": {
            name: {"type": "string", "description": text} for name, text in fields.items()
        },
        "required": list(fields),
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"messages": {"type": "array", "items": message}},
        "required": ["messages"],
        "additionalProperties": False,
    }


_THINKING = regex(
    r"<(think(?:ing)?|reasoning|reflection|thought|analysis|scratchpad)>.*?</\1>"
    r"|◁think▷.*?◁/think▷|<\|channel\|>analysis.*?(?=<\|channel\|>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_OPEN = regex(
    r"<(think(?:ing)?|reasoning|reflection|thought|analysis|scratchpad)>.*\Z",
    re.DOTALL | re.IGNORECASE,
)
_CLOSED = regex(
    r"\A.*?</(?:think(?:ing)?|reasoning|reflection|thought|analysis|scratchpad)>",
    re.DOTALL | re.IGNORECASE,
)
_MARKS = regex(
    r"<\|[a-z_]+\|>|</?(?:commit[_-]?message|message|answer|output|response)>", re.IGNORECASE
)
_FENCE = regex(r"^[ \t]*(```+|~~~+)[^\n`]*\n(.*?)^[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)
_PREAMBLE = regex(
    r"\A\W*(?:(?:sure|certainly|of course|ok(?:ay)?|absolutely|great|alright)\b[^\n]*"
    r"|(?:here(?:'s| is| are)|this is|below is|i(?:'ve| have)? (?:wrote|written|generated|created)"
    r"|based on (?:the|this|your)|the following|my suggestion|suggested)\b[^\n]*"
    r"|(?:\w+ ){0,4}(?:commit message|message)\W*:"
    r"|(?:(?:the|suggested|proposed|generated|final) ){0,2}commit message\W*?)[ \t]*(?:\n|\Z)",
    re.IGNORECASE,
)
_LABEL = regex(
    r"\A[\W_]*(?:subject|title|summary|header|(?:suggested |the )?commit(?: message)?)[*_ ]*:[*_ ]*(?=\S)",
    re.IGNORECASE,
)
_BODY_LABEL = regex(r"\A[\W_]*(?:body|description|details)[*_ ]*:[*_ ]*\n?", re.IGNORECASE)
_CLOSING = regex(
    r"\n\s*(?:let me know|feel free|this (?:commit )?message|i hope|would you like|note that this"
    r"|explanation:)[^\n]*(?:\n.*)?\Z",
    re.IGNORECASE | re.DOTALL,
)
_REFUSAL = regex(
    r"\A\W*(?:i(?:'m| am) (?:sorry|unable|not able|afraid)|sorry\b|i can(?:no|')t|unfortunately"
    r"|as an ai\b|i (?:do not|don't) (?:see|have)|please provide|it (?:looks|seems) like you)",
    re.IGNORECASE,
)
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "«": "»", "*": "*", "_": "_"}  # noqa: RUF001 - the curved ones are meant
_COMMAND = regex(r"\A[$ ]*git commit\b.*?\s-\w*m[ =]", re.DOTALL)
_ARGUMENT = regex(r"""\s(?:-\w*m|--message)[ =](["'])(.*?)(?<!\\)\1""", re.DOTALL)
_WRAPPED = regex(r"\A([^\n]+)\n(?=[a-z])")
"""A subject that goes on in a second line."""

_NUMBERED = regex(r"(?m)^[ \t]*(?:\d{1,2}[.)]|[-*])[ \t]+")


_JSONISH = regex(r"""\A(?:[`~]{3,}\w*\s*)?[\[{]\s*["'{\]}]""")


def read_reply(text: str, wanted: int = 1) -> list[Draft]:
    """The drafts in a reply, in its order; none where it holds no message (a refusal, nothing)."""
    plain = _without_thinking(inert(text)).strip()
    if not plain:
        return []
    structured = list(_structured(plain))
    # What looks like JSON and holds no message was cut off, or is about something else.
    other = _JSONISH.search(plain) or plain.lower() in _NOTHING or plain.startswith("diff --git ")
    drafts = structured or ([] if other else list(_plain(plain, wanted)))
    return [draft for draft in drafts if _says_something(draft.subject)][:MOST]


def _says_something(subject: str) -> bool:
    """False for a lone dash or number, and for a refusal in the place of a subject."""
    return sum(map(str.isalpha, subject)) > 1 and not _REFUSAL.match(subject)


def _without_thinking(text: str) -> str:
    text = _THINKING.sub("", text)
    text = _CLOSED.sub("", text)  # the opening mark was in the prompt's template
    return _MARKS.sub("", _OPEN.sub("", text))


# -- JSON


def _structured(text: str) -> Iterator[Draft]:
    for value in _objects(text):
        found = list(_drafts(value))
        if found:
            yield from found
            return


def _objects(text: str) -> Iterator[Any]:
    """JSON values in the text: the whole, then each that begins with a brace or bracket."""
    decoder = json.JSONDecoder(strict=False)
    at = 0
    for _ in range(50):
        found = re.compile(r"[{\[]").search(text, at)
        if found is None:
            return
        for source in (text[found.start() :], _mended(text[found.start() :])):
            try:
                yield decoder.raw_decode(source)[0]
            except (ValueError, RecursionError):
                continue
            break
        at = found.end()


def _mended(source: str) -> str:
    """Without commas before a closing bracket."""
    return re.sub(r",(\s*[}\]])", r"\1", source)


def _drafts(value: Any) -> Iterator[Draft]:
    match value:
        case {"messages": list(items)} | {"commits": list(items)} | {"suggestions": list(items)}:
            for item in items:
                yield from _drafts(item)
        case list():
            for item in value:
                yield from _drafts(item)
        case str() if value.strip() and not _REFUSAL.match(value):
            yield from _plain(value, 1)
        case Mapping():
            yield from _from_fields(value)


_SUBJECT_NAMES = ("subject", "summary", "title", "header", "message", "commit_message", "commit")


def _from_fields(fields: Mapping[Any, Any]) -> Iterator[Draft]:
    subject = next((_text(fields[name]) for name in _SUBJECT_NAMES if _text(fields.get(name))), "")
    if not subject:
        return
    first, _, rest = _WRAPPED.sub(r"\1 ", subject.strip()).partition("\n")
    body = _text(fields.get("body")) or _text(fields.get("description")) or rest
    inner = _split_header(Draft(_unquoted(first), body.strip()))
    yield Draft(
        inner.subject,
        inner.body,
        _text(fields.get("type")).strip() or inner.type,
        _text(fields.get("scope")).strip() or inner.scope,
        _text(fields.get("breaking")).strip() or inner.breaking,
        _text(fields.get("emoji")).strip(),
    )


_NOTHING = frozenset({"none", "null", "n/a", "empty", "false", "no"})


def _text(value: Any) -> str:
    """Text of a field; lists become bullets; a word for nothing is nothing."""
    match value:
        case str():
            return "" if value.strip().lower() in _NOTHING else value
        case list():
            return "\n".join(f"- {_text(item).removeprefix('- ')}" for item in value if _text(item))
        case _:
            return ""


# -- plain text


def _plain(text: str, wanted: int) -> Iterator[Draft]:
    fenced = [match[2].strip("\n") for match in _FENCE.finditer(text)]
    outside = _FENCE.sub("", text).strip()
    # A fence around the message; in a body with code, the text before it is the message.
    if fenced and (not outside or _PREAMBLE.match(f"{outside}\n") or len(fenced[0]) > len(outside)):
        text = "\n\n".join(fenced) if wanted > 1 else fenced[0]
    text = text.strip()
    while text and (found := _PREAMBLE.match(f"{text}\n")):
        text = text[found.end() :].strip()
    text = _CLOSING.sub("", text).strip()
    if not text or _REFUSAL.match(text):
        return
    pieces = [text]
    if wanted > 1:
        pieces = [piece for piece in _NUMBERED.split(text) if piece.strip()]
        if len(pieces) == 1:
            pieces = text.splitlines()
    for piece in pieces:
        yield from _one(piece.strip())


def _one(text: str) -> Iterator[Draft]:
    text = _unquoted(text)
    if _COMMAND.match(text):
        text = "\n\n".join(found[2] for found in _ARGUMENT.finditer(text)) or text
    text = _WRAPPED.sub(r"\1 ", _LABEL.sub("", text).strip())
    first, _, rest = text.partition("\n")
    subject = _unquoted(re.sub(r"\A#+\s+", "", first.strip()))
    body = _BODY_LABEL.sub("", rest.strip())
    if subject:
        yield _split_header(Draft(subject, body))


def _split_header(draft: Draft) -> Draft:
    """Takes "type(scope)!:" off the subject, where it is one."""
    found = HEADER.fullmatch(draft.subject)
    if found is None or not (found["type"].lower() in TYPES or found["scope"]):
        return draft
    breaking = draft.breaking or (found["subject"] if found["bang"] else "")
    return Draft(
        found["subject"], draft.body, found["type"], found["scope"] or "", breaking, draft.emoji
    )


def _unquoted(text: str) -> str:
    """Without quotes or marks of emphasis that stand around the whole."""
    text = text.strip()
    while len(text) > 2 and _QUOTES.get(text[0]) == text[-1]:
        inner = text[1:-1]
        if text[0] in inner and not (inner[0] == text[0] and inner[-1] == text[-1]):
            break
        text = inner.strip()
    return text
