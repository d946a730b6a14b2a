"""Names in a message that the diff does not hold: found, and taken out.

A message may say why in any words; but a function, a file, a flag or a version that it names must
stand in what changed (or in the user's own hint, the branch, the ticket).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from aircher.domain.commits import CommitMessage
from aircher.domain.regexes import regex
from aircher.policy.commit.style import HEADER

_TICKED = regex(r"`([^`\n]{1,120})`")
_URL = regex(r"[a-z][a-z0-9+.-]*://\S+")
_NAME = regex(
    r"""(?<![\w/.@-])(?:
      --[a-z][\w-]+                              # a flag
    | \#\d+\b                                    # an issue
    | \.?/?(?:[\w.@-]+/)+[\w.@-]*\w              # a path
    | [A-Za-z_$][\w$]*(?:\.[A-Za-z_][\w]*)*\(\)   # a call
    | [A-Za-z_][\w]*(?:(?:\.|::|->)[A-Za-z_]\w*)+ # dotted, or with an ending
    | [A-Za-z]\w*_\w+ | _\w{2,}                  # snake_case
    | [a-z]+[A-Z]\w* | [A-Z]+[a-z0-9]+[A-Z]\w*   # camelCase, PascalCase
    | v?\d+(?:\.\d+)+(?:[-+][\w.]+)?             # a version
    | [A-Z][A-Z0-9]{1,9}-\d+                     # a ticket
    | [A-Z]{2,}\d+[A-Z0-9]*                      # an error number
    )(?![\w])""",
    re.VERBOSE,
)

KNOWN = frozenset(
    """
    github gitlab javascript typescript postgresql mysql sqlite macos ios oauth openai youtube graphql
    devops websocket webassembly linkedin ebay iphone ipad javafx numpy scipy pytest latex mongodb
    nodejs e.g i.e a.k.a etc vs.code and/or i/o ci/cd tcp/ip read/write client/server input/output
    on/off yes/no true/false he/she his/her n/a w/o http/2 http/1.1 tls/ssl ssl/tls base64 sha-1 sha-256
    sha-512 utf-8 utf-16 latin-1 iso-8859-1 sha256 sha1 md5 utf8 ipv4 ipv6 http2 oauth2 x86 arm64
    """.split()
)
"""Words of prose that look like names; in small letters."""


def names_in(text: str) -> list[str]:
    """What the text names: identifiers, paths, flags, versions, tickets; each once, in its order."""
    found = [match[1].strip() for match in _TICKED.finditer(text)]
    plain = _URL.sub(" ", _TICKED.sub(" ", text))
    found += [match[0] for match in _NAME.finditer(plain)]
    return list(dict.fromkeys(name for name in found if name))


def strange_names(message: CommitMessage, evidence: str) -> list[str]:
    """Names in the message that do not occur in the evidence; no trailers, no conventional type."""
    header = HEADER.fullmatch(message.subject)
    subject = header["subject"] if header else message.subject
    lowered = evidence.lower()
    return [
        name
        for name in names_in(f"{subject}\n{message.body}")
        if name.lower() not in KNOWN and not _occurs(name, lowered)
    ]


def _occurs(name: str, lowered: str) -> bool:
    """True where the name stands in the evidence, as a whole or word by word."""
    plain = name.lower()
    if _stands(plain, lowered):
        return True
    if plain.endswith("()"):
        return _stands(plain[:-2].rpartition(".")[2], lowered)
    bare = plain.strip("./").lstrip("-v") if re.match(r"[./v-]", plain) else plain
    if bare != plain and bare and _stands(bare, lowered):
        return True
    words = re.findall(r"[\w.@/-]+", plain)
    many = len(words) > 1 and " " in name
    if many:
        return all(_stands(word.strip("-."), lowered) for word in words if len(word) > 2)
    # "module.function" where the diff shows the module as a file and the function as a name.
    parts = [part for part in re.split(r"\.|::|->", plain) if part]
    return len(parts) > 1 and not plain[0].isdigit() and all(_stands(p, lowered) for p in parts)


def _stands(word: str, lowered: str) -> bool:
    if not word:
        return True
    start = lowered.find(word)
    while start >= 0:
        before = lowered[start - 1 : start]
        after = lowered[start + len(word) : start + len(word) + 1]
        longer = len(word) >= 4 and not word[0].isdigit()  # "parse_diffs" vouches for "parse_diff"
        if longer or not (_is_word(before) or _is_word(after)):
            return True
        start = lowered.find(word, start + 1)
    return False


def _is_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"


_LINK = r"(?:in|of|from|for|to|with|on|by|via|using|into|through|at|inside|within|and|or|as|like|called|named)"


def without(message: CommitMessage, names: list[str], fallback: str) -> CommitMessage:
    """The message without those names: sentences of the body that hold one go, and in the subject
    the name with the word that leads to it; ``fallback`` where nothing sensible is left of it.
    """
    subject = message.subject
    for name in sorted(names, key=len, reverse=True):
        quoted = rf"`?{re.escape(name)}`?"
        subject = re.sub(rf"\s+{_LINK}\s+(?:the\s+)?{quoted}(?=\W|$)", "", subject)
        subject = re.sub(rf"(?<!\w){quoted}(?!\w)", "", subject)
    subject = " ".join(subject.split()).rstrip(" ,;:-(")
    header = HEADER.fullmatch(subject)
    left = header["subject"] if header else subject
    if len(left.split()) < 2 or (header is None and HEADER.fullmatch(message.subject)):
        subject = fallback
    return replace(message, subject=subject, body=_body_without(message.body, names))


_ITEM = regex(r"\s*(?:[-*+]|\d+[.)])\s")


def _body_without(body: str, names: list[str]) -> str:
    blocks = []
    for block in body.split("\n\n"):
        if not _holds(block, names):
            blocks.append(block)
        elif _ITEM.match(block):
            blocks.append("\n".join(_whole_items(block, names)))
        else:
            blocks.append(" ".join(s for s in _sentences(block) if not _holds(s, names)))
    return "\n\n".join(block for block in blocks if block.strip())


def _whole_items(block: str, names: list[str]) -> Iterator[str]:
    """List items, second lines included, that name nothing strange."""
    items = re.split(r"\n(?=\s*(?:[-*+]|\d+[.)])\s)", block)
    yield from (item for item in items if not _holds(item, names))


def _sentences(block: str) -> list[str]:
    return re.split(r"(?<=[.!?])\s+(?=[A-Z`])", " ".join(block.split()))


def _holds(text: str, names: list[str]) -> bool:
    joined = " ".join(text.split())
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", joined) for name in names)
