"""Values that are given to names such as ``api_key`` or ``password``, in any language.

The name says what it is, so the value need not look like any vendor's key; it has to look like a
secret at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from aircher.domain.classes import dataclass
from aircher.domain.regexes import regex
from aircher.policy.guard.lookalikes import is_example, is_password, is_random, is_uuid
from aircher.policy.guard.rules import Rules

_NAME_BEFORE = regex(r"[\w.-]{0,40}\Z", re.ASCII)
_VALUE = regex(
    r"""[\w-]{0,40}
    (?P<close>\\?["'`\]]{0,2})
    (?:[ \t]{0,4}:[ \t]{0,2}&?(?:'static[ ])?(?:str|string|String|final|const)\b)?
    (?P<op>[ \t]{0,40}(?::=|=>|={1,3}|!=|\?=|\|\||:|>|,)[ \t]{0,8}|[ ](?:is|was)[: ][ ]?|[ \t]{1,2})
    (?:\(|[rbuf]{1,2}(?=["']))?
    (?:
        (?P<quote>\\?["'`])(?P<quoted>[^"'`\\\n]{6,500})(?P=quote)
      | (?P<bare>[^\s"'`,;<>&]{6,500})
    )""",
    re.ASCII | re.VERBOSE,
)
_PASSWORD = regex(r"passw(?:or)?d|passphrase|(?:^|[_.-])pwd$|passwd|_pw$|^pwd$", re.IGNORECASE)
_STRONG = regex(
    r"secret|token|api[_.-]?key|access[_.-]?key|auth[_.-]?key|private[_.-]?key|signing[_.-]?key"
    r"|encryption[_.-]?key|master[_.-]?key|account[_.-]?key|app[_.-]?key|credential|[_.-]auth$"
    r"|service[_.-]?key|license[_.-]?key|webhook[_.-]?key|deploy[_.-]?key|[A-Z0-9]_KEY$",
    re.IGNORECASE,
)
_PUBLIC = regex(
    r"public|pub_?key|publish|hash|digest|sha\d|md5|checksum|integrity|fingerprint|commit"
    r"|example|keyboard|keyword|monkey|author(?!iz)|tokeniz|cache_?key|primary_?key|sort_?key"
    r"|foreign_?key|partition|object_?key|s3_?key|_key_?id\b|(?:id|name|path|file|url|uri|type|len"
    r"|length|size|count|limit|expir\w*|ttl|field|header|param|prefix|suffix|pattern|regex|format"
    r"|column|index|version|label|hint|help|title|text|policy|arn|ref|endpoint|provider|class)s?$",
    re.IGNORECASE,
)
_CONFIG_LINE = regex(
    r"[+\- ]?[ \t]*(?:-[ ])?(?:export[ ]|set[ ]|ENV[ ]|ARG[ ]|[#;/]+[ ]?)?[\w.-]{0,60}\Z", re.ASCII
)
_CODE_BARE = regex(r"[()\[\]{}$\\|*]|\w\.[A-Za-z_]\w*[A-Za-z_]\w?(?!\w)")


@dataclass(frozen=True, slots=True)
class Assigned:
    """A value that looks like a secret: where it stands."""

    kind: str
    start: int
    end: int


def at(text: str, start: int, end: int, rules: Rules) -> Iterator[Assigned]:
    """The secret assigned to the name in which a keyword stands from ``start`` to ``end``."""
    found = _VALUE.match(text, end)
    if found is None:
        return
    prefix = text[max(0, start - 40) : start]
    before = _NAME_BEFORE.search(prefix)
    name = (before[0] if before else "") + text[start : found.start("close")]
    kind = _judge(name, found, text, start - len(before[0]) if before else start, rules)
    if kind:
        first, last = found.span("quoted" if found["quoted"] is not None else "bare")
        yield Assigned(kind, first, last if found["quoted"] else first + len(_bare(found["bare"])))


_LONGEST_PASSWORD = 128


def _judge(name: str, found: re.Match[str], text: str, begin: int, rules: Rules) -> str:
    """The kind of the secret, or "" where the name or the value speaks against it."""
    bare = found["bare"] is not None
    value = _bare(found["bare"]) if bare else found["quoted"]
    if not _is_given(name, found, text, begin) or len(value) < 6 or _PUBLIC.search(name):
        return ""
    if bare and _CODE_BARE.search(value):
        return ""
    if _PASSWORD.search(name):
        if len(value) > _LONGEST_PASSWORD or (bare and not _stands_bare(text, begin, found)):
            return ""
        return "password" if is_password(value, rules) else ""
    if not _STRONG.search(name) or is_example(value, rules):
        return ""
    if is_uuid(value):
        return "secret-assignment" if "secret" in name.lower() else ""
    return "secret-assignment" if is_random(value) else ""


def _is_given(name: str, found: re.Match[str], text: str, begin: int) -> bool:
    """True where what stands between name and value says that the one has the other."""
    match found["op"].strip():
        case "":  # --password VALUE
            return name.startswith("--")
        case ",":  # setenv("NAME", "VALUE")
            return bool(found["close"] and found["quoted"])
        case ">":  # <password>VALUE</password>
            return text[max(0, begin - 1) : begin] == "<"
        case _:
            return True


def _stands_bare(text: str, begin: int, found: re.Match[str]) -> bool:
    """True where a value without quotes is text: in settings, logs and prose, not in code."""
    if found["op"].strip() not in {"=", ":", ":="}:
        return True
    logged = found["op"] == "=" and text[found.end() : found.end() + 1].isspace()
    return logged or _is_config(text, begin, found)


def _bare(value: str) -> str:
    return value.rstrip(".)]}")


def _is_config(text: str, begin: int, found: re.Match[str]) -> bool:
    """True for a line that is nothing but the assignment, as in .env, YAML and INI files."""
    line = text.rfind("\n", 0, begin) + 1
    end = text.find("\n", found.end())
    rest = text[found.end() : end if end >= 0 else len(text)].strip()
    alone = begin - line <= 120 and bool(_CONFIG_LINE.match(text, line, begin))
    return alone and (not rest or rest.startswith("#"))
