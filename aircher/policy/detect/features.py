"""What the model looks at in a message: named features of the ask, the rest, and the paste.

The ask is the head and the tail of what is prose: people put the request first or last and the
paste between.  Names tell their block by the first character, because each block is scaled by
itself: ``=`` words and word pairs of the ask, ``~`` words of a long message, ``+`` concepts
(concepts.toml) and their pairs, ``*`` facts about the message, rules' finds among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aircher.domain.classes import dataclass
from aircher.domain.regexes import regex

SIDE = 1_000
"""Characters read of each end of a long message."""

ASK_CHARS, ASK_WORDS = 260, 26
"""How much of the first and of the last prose is taken for the ask."""

MOST_WORDS = 240
"""Words of the whole message that count, half from each end."""

_WORD = regex(
    r"[a-z\u00df-\u024f]+(?:['\u2019][a-z\u00df-\u024f]+)?|[\u3040-\u30ff\u3400-\u9fff]"
    r"|[^\W\d_a-z]+[a-z]*|\d+|\?"
)
_CODE = regex(
    r"""\s*(?:[{}()\[\]<>*/+@\#$|;]|//|--|import\b|from\ \w+\ import|def\ |class\ \w+.*[:{]
    |function\b.*\(|const\ |let\ \w+\ ?=|var\ |return\b|public\ |private\ |package\ |using\ \w+;
    |select\ .*\ from|if\ ?\(|for\ ?\(|else\b|end$|[\w.]+\(.*\)\s*;?$|["'][\w ]+["']\s*:)
    |.*(?:[;{}]|\)\s*:|=>|\\)\s*$|.*\w\s*[=!+-]?=\s*[\w"'\[({-]|\s{4,}\S.*[(=.\[]""",
    re.VERBOSE,
)
_FACTS: tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...] = tuple(
    (name, needs, regex(pattern, re.MULTILINE))
    for name, needs, pattern in (
        (
            "traceback",
            ("traceback (", "at ", 'file "'),
            r"traceback \(most recent|^\s+at [\w.$<>]+\(|^\s*file \"[^\"\n]*\", line \d",
        ),
        (
            "error line",
            ("error", "exception", "fatal:", "panic:", "npm err"),
            r"^\s*(?:[\w.]{0,60}(?:error|exception)\s*[:\[]|fatal:|panic:|npm err)",
        ),
        ("error name", ("error", "exception"), r"[a-z](?:error|exception)\b"),
        (
            "diff",
            ("diff --git", "@@ -", "+++ ", "--- a/"),
            r"^(?:diff --git|@@ -\d|\+\+\+ |--- a/)",
        ),
        (
            "log",
            ("info", "warn", "error", "debug", "-0", "-1"),
            r"^\[?\d{4}-[01]\d-\d\d[t ]\d\d:\d\d|^\[?(?:info|warn|error|debug)\]?[: ]",
        ),
        ("code fence", ("```",), r"^\s*```"),
        ("link", ("http",), r"https?://"),
        ("path", ("/",), r"(?:^|\s)[\w.-]{0,80}/[\w./-]{1,80}\.\w"),
        ("@file", ("@",), r"(?:^|\s)@[\w./-]"),
        ("list", (". ", ") ", "- ", "* ", "• "), r"^\s*(?:\d+[.)]|[-*•]) "),
        ("HTML", ("<",), r"<(?:div|html|body|p|span|script|a|table|button|input)\b"),
        (
            "role prompt",
            ("you are", "act as", "i want you to", "your task", "you will"),
            r"^(?:you are|act as|i want you to act|your task is|you will)",
        ),
    )
)
"""Facts by name: one of the texts must be there, which is quickly seen, and the expression match."""


_SENTENCE = regex(r"[^.!?;\n]+\??")
_SENTENCE_WORDS = 12
"""Of each sentence so many words are looked at for what it asks."""

_LEAD = frozenset(
    """ok okay so now and then also well great thanks thank perfect nice good cool yes yeah no nope but
    hi hello hey first second next finally please pls plz kindly just sorry actually alright sure
    again instead additionally sir dear bro lets let's let us we i i'd i'm you u can could will would
    want need like wish to help me try trying should must have be able going go ahead make sure your
    task is am the""".split()
)
"""Words before the verb of a request."""

_POLITE = frozenset("you u want need let's lets please pls plz me".split())
_OPENS_QUESTION = frozenset(
    """what how why which who when where whose is are can could does do did should would will has have
    am was were isn't aren't doesn't don't can't may""".split()
)
_ASKS = frozenset(
    """explain summarize write create implement add give change fix refactor optimize convert move
    review check improve docs comment compare recommend""".split()
)
"""Concepts whose words are verbs of requests."""

_MORE_VERBS = frozenset(
    """use do tell help find list run test document translate continue proceed let apply put set include
    design plan finish complete provide answer define name rewrite debug read open install configure
    calculate compute solve try combine merge split analyze analyse investigate research teach draw
    plot fill keep stop start act imagine ignore format reformat return simulate recommend propose
    suggest elaborate expand shorten""".split()
)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Concepts by word, and for scripts without spaces by part of a word.

    ``verbs`` are the words that a request begins with.
    """

    words: Mapping[str, tuple[str, ...]]
    parts: Mapping[str, tuple[str, ...]]
    part: re.Pattern[str]
    verbs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reading:
    """A message as detection sees it: its features' names, its ask, and how many words it has."""

    names: tuple[str, ...]
    ask: str
    words: int


def lexicon(table: Mapping[str, Any]) -> Lexicon:
    """The lexicon of a table like concepts.toml."""
    words, parts = _inverted(table.get("words", {})), _inverted(table.get("parts", {}))
    longest_first = sorted(parts, key=len, reverse=True)
    part = regex("|".join(map(re.escape, longest_first)) or r"(?!)")
    verbs = {word for word, names in words.items() if not _ASKS.isdisjoint(names)}
    return Lexicon(words, parts, part, _MORE_VERBS | verbs)


def _inverted(concepts: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for concept, words in concepts.items():
        for word in words.split():
            found.setdefault(word, {})[concept] = None
    return {word: tuple(names) for word, names in found.items()}


def read(text: str, known: Lexicon) -> Reading:
    """The message's features."""
    size = len(text)
    if size > 2 * SIDE:
        text = f"{text[:SIDE]}\n{text[-SIDE:]}"
    text = text.lower()
    prose, code = _parted(text)
    head, tail = _ends(prose)
    words = _WORD.findall(" \n".join(prose))
    first, last = _WORD.findall(head)[:ASK_WORDS], _WORD.findall(tail)[-ASK_WORDS:]
    ask = first + last
    names = ["=" + word for word in ask]
    names += map("={} {}".format, ask, ask[1:])
    names += ["=^" + " ".join(first[:count]) for count in (1, 2, 3)]
    if last:
        names += ["=$" + " ".join(last[:count]) for count in (1, 2, 3)]
    if len(words) > 2 * ASK_WORDS:
        rest = (
            words
            if len(words) <= MOST_WORDS
            else words[: MOST_WORDS // 2] + words[-MOST_WORDS // 2 :]
        )
        names += ["~" + word for word in rest]
        names += map("~{} {}".format, rest, rest[1:])
    foreign = not text.isascii() and sum(c > "\u024f" for c in text) * 5 > len(text)
    names += _concepts(ask, f"{head}\n{tail}" if foreign else "", len(first), known)
    names += _facts(text, prose, code, size, len(words))
    whole = f"{head}\n{tail}" if tail else head
    names += _requests(whole, known.verbs)
    if foreign:
        names.append("*not Latin script")
    return Reading(tuple(dict.fromkeys(names)), whole, len(words))


def _parted(text: str) -> tuple[list[str], int]:
    """The lines that are prose, and how many are code."""
    prose: list[str] = []
    code = 0
    fenced = False
    for line in text.split("\n"):
        if not line or line.isspace():
            continue
        if line.lstrip().startswith("```"):
            fenced = not fenced
            code += 1
        elif fenced or _CODE.match(line[:200]):
            code += 1
        else:
            prose.append(line)
    return prose or [line for line in text.split("\n") if line.strip()][:2] or [""], code


def _ends(prose: Sequence[str]) -> tuple[str, str]:
    """The first and the last prose, cut; no last one where the first holds it all."""
    whole = "\n".join(prose)
    if len(whole) <= 2 * ASK_CHARS:
        return (prose[0], "\n".join(prose[1:])) if len(prose) > 1 else (whole, "")
    tail = whole[-ASK_CHARS:]
    line = prose[-1]
    return whole[:ASK_CHARS], line[:ASK_CHARS] if len(line) < ASK_CHARS else tail


def _concepts(ask: Sequence[str], foreign: str, first: int, known: Lexicon) -> Iterator[str]:
    found = [known.words[word] for word in ask if word in known.words]
    opening = next((known.words[word] for word in ask[:first] if word in known.words), ())
    closing = next((known.words[word] for word in ask[first:] if word in known.words), ())
    if foreign:
        found += [known.parts[part] for part in known.part.findall(foreign)]
    for one in found:
        for name in one:
            yield "+" + name
    for apart in (1, 2, 3):
        for one, other in zip(found, found[apart:], strict=False):
            yield from [f"+{name} {after}" for name in one for after in other]
    for name in opening:
        yield "+^" + name
    for name in closing:
        yield "+$" + name
    technical = sum("dev" in one for one in found)
    elsewhere = sum("nondev" in one for one in found)
    yield f"*technical words {min(technical, 3)}"
    yield f"*other subjects' words {min(elsewhere, 3)}"


def _requests(ask: str, verbs: frozenset[str]) -> Iterator[str]:
    """How many sentences ask for something, how, and how the first and the last one do.

    A message without any is often a paste, a statement or an answer.
    """
    kinds: list[str] = []
    sentences = 0
    for sentence in _SENTENCE.findall(ask):
        words = _WORD.findall(sentence[:90])[:_SENTENCE_WORDS]
        if words:
            sentences += 1
            if kind := _kind(words, verbs, asked=sentence[-1] == "?"):
                kinds.append(kind)
    yield f"*sentences {min(sentences, 6)}"
    yield f"*asks {min(len(kinds), 4)}"
    yield f"*orders {min(sum('order' in kind for kind in kinds), 3)}"
    yield f"*questions {min(sum('question' in kind for kind in kinds), 3)}"
    if kinds:
        yield f"*first {kinds[0]}"
        yield f"*last {kinds[-1]}"
    else:
        yield "*asks nothing"
    if sentences:
        yield f"*asking {4 * len(kinds) // sentences}/4"


def _kind(words: Sequence[str], verbs: frozenset[str], *, asked: bool) -> str:
    """A question, an order, a polite order, both, or "" for a sentence that asks nothing."""
    lead, last = 0, len(words) - 1
    while lead < last and words[lead] in _LEAD:
        lead += 1
    kind = "question " if asked or (words[0] in _OPENS_QUESTION and words[1:2] != ["you"]) else ""
    if words[lead] in verbs:
        kind += "order" if _POLITE.isdisjoint(words[:lead]) else "polite order"
    return kind


def _facts(text: str, prose: Sequence[str], code: int, size: int, words: int) -> Iterator[str]:
    lines = len(prose) + code
    yield f"*length 2^{size.bit_length()}"
    yield f"*words 2^{words.bit_length()}"
    yield f"*lines 2^{lines.bit_length()}"
    yield f"*code {(4 * code + lines - 1) // lines}/4"
    if len(prose) == 1 and not code:
        yield "*one line"
    if "?" in prose[0][-3:]:
        yield "*first line asks"
    if "?" in prose[-1][-3:]:
        yield "*last line asks"
    for name, needs, pattern in _FACTS:
        if any([one in text for one in needs]) and pattern.search(text):  # noqa: C419 - half the time
            yield "*" + name
