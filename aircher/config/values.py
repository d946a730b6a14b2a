"""What a single setting may hold: reading, writing and checking of values.

A ``Kind`` turns a TOML value into a typed one, turns plain text (environment, flags, ``config
set``) into a TOML value, and knows its JSON Schema.  Units: durations are seconds (float) in
the program and Go-style text ("1h30m") in files; money is ``Decimal`` USD.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field
from decimal import Decimal, InvalidOperation
from typing import Any

from aircher.domain.classes import dataclass
from aircher.domain.regexes import regex
from aircher.domain.tasks import GIT_SIGNS as GIT_SIGN_NAMES

_NANOS = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,  # micro sign
    "\u03bcs": 1_000,  # Greek mu: both are accepted by Go's time.ParseDuration
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60 * 1_000_000_000,
    "h": 3600 * 1_000_000_000,
}
_DURATION_PART = regex(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)")
_LONGEST_NANOS = 10 * 366 * 24 * 3600 * 1_000_000_000


def parse_duration(text: str) -> float:
    """Seconds of a Go-style duration: "30s", "1h30m", "250ms", "-1s", "0".

    Raises ``ValueError`` with a sentence for anything else.  Parts finer than a nanosecond
    are cut off, as Go does.
    """
    body = text.removeprefix("-").removeprefix("+")
    nanos = Decimal(0)
    at = 0
    for part in _DURATION_PART.finditer(body):
        if part.start() != at:
            break
        nanos += Decimal(part[1]) * _NANOS[part[2]]
        at = part.end()
    if body != "0" and (at != len(body) or not body):
        raise ValueError('write a duration with its unit, such as "30s", "5m" or "1h30m"')
    if nanos > _LONGEST_NANOS:
        raise ValueError("a duration of more than ten years makes no sense here")
    whole = int(nanos)
    return (-whole if text.startswith("-") else whole) / 1_000_000_000


def format_duration(seconds: float) -> str:
    """The shortest Go-style text for so many seconds: 90 -> "1m30s", 0.25 -> "250ms"."""
    nanos = round(seconds * 1_000_000_000)
    sign, nanos = ("-", -nanos) if nanos < 0 else ("", nanos)
    parts = []
    for unit in ("h", "m", "s", "ms", "us", "ns"):
        count, nanos = divmod(nanos, _NANOS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return sign + "".join(parts) if parts else "0s"


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f"} | {
    "\r": "\\r"
}
_BARE_KEY = regex(r"[A-Za-z0-9_-]+")


def toml_string(text: str) -> str:
    """``text`` as a TOML basic string on one line, nothing invisible in it."""
    return '"' + "".join(_ESCAPES.get(c) or _visible(c) for c in text) + '"'


def _visible(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def toml_key(path: tuple[str, ...]) -> str:
    """A dotted key, with quotes where a part needs them."""
    return ".".join(p if _BARE_KEY.fullmatch(p) else toml_string(p) for p in path)


def toml_text(value: Any) -> str:
    """A TOML value as it is written in a file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return toml_string(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_text(item) for item in value) + "]"
    if isinstance(value, Decimal):
        plain = format(value, "f")
        if not value.is_finite():
            return plain.lower().replace("infinity", "inf")
        return plain if "." in plain else plain + ".0"
    return str(value)


_SECRET = regex(
    r"(sk|pk|rk)-[A-Za-z0-9_-]{8,}|AIza[\w-]{10,}|gsk_\w{8,}|xai-\w{8,}|hf_\w{8,}|pplx-\w{8,}"
    r"|r8_\w{8,}|gh[opsu]_\w{8,}|github_pat_\w{8,}|AKIA[0-9A-Z]{12,}|eyJ[\w-]{10,}\.|csk-\w{8,}"
)
_LONG_WORD = regex(r"[A-Za-z0-9+=]{24,}")


def looks_secret(text: str) -> bool:
    """True for text that is probably a key: a vendor's prefix, or a long random-looking word."""
    if _SECRET.search(text):
        return True
    return any(
        re.search("[0-9]", word) and re.search("[a-z]", word) and re.search("[A-Z]", word)
        for word in _LONG_WORD.findall(text)
    )


def shown(value: Any) -> str:
    """A value for a message or a list: as TOML, but never one that looks like a key."""
    if isinstance(value, Mapping):
        return "a table"
    text = toml_text(value)
    if looks_secret(text):
        return "(hidden)"
    return text if len(text) <= 2000 else text[:2000] + "..."


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of setting.

    ``read`` makes the typed value from a TOML value and raises ``ValueError`` with a
    sentence; ``from_text`` makes a TOML value from plain text; ``to_toml`` is the way back
    from the typed value.  ``expects`` completes "must be ...".
    """

    name: str
    expects: str
    read: Callable[[Any], Any]
    from_text: Callable[[str], Any]
    to_toml: Callable[[Any], Any] = field(default=lambda value: value)
    schema: Mapping[str, Any] = field(default_factory=dict)


class WrongType(ValueError):
    """The TOML value is of another type than the key takes; the caller says which."""


def _typed(*types: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise WrongType
        return value

    return read


def _number(value: Any) -> float:
    return float(_finite(value))


def _finite(value: Any) -> Decimal:
    number = Decimal(_typed(int, float, Decimal)(value))
    if not number.is_finite():
        raise WrongType
    return number


def _duration(value: Any) -> float:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        raise WrongType
    return parse_duration(_typed(str)(value))


def _word(value: Any) -> str:
    text: str = _typed(str)(value)
    if not text or any(c.isspace() or not c.isprintable() for c in text):
        raise ValueError("must be one word, without blanks")
    return text


def _words(value: Any) -> tuple[str, ...]:
    return tuple(_word(item) for item in _typed(list)(value))


def _git_signs(value: Any) -> tuple[str, ...]:
    words = _words(value)
    for word in words:
        if word not in GIT_SIGN_NAMES and not word.startswith("branch:"):
            raise ValueError(
                f"takes {', '.join(GIT_SIGN_NAMES)} and branch:GLOB, not {shown(word)}"
            )
    return words


def _args(value: Any) -> tuple[str, ...]:
    """A program and its arguments; blanks are theirs."""
    words = tuple(_typed(str)(item) for item in _typed(list)(value))
    if not words or any(not word.isprintable() for word in words) or not words[0]:
        raise ValueError("must name a program and its arguments, without control characters")
    return words


_LOOPBACK = regex(r"localhost|127(\.\d{1,3}){3}|\[?::1\]?")
_URL = regex(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?(/[^\s?#]*)?")


def _url(value: Any) -> str:
    text: str = _typed(str)(value)
    if "@" in text.partition("://")[2].partition("/")[0]:
        raise ValueError("must not hold a user name or password")
    if not _URL.fullmatch(text):
        raise ValueError("must be an address such as https://host/v1, without ? and #")
    return text


def is_plain_remote(url: str) -> bool:
    """True for http:// to anywhere but this machine: prompts and keys would travel in clear."""
    match = _URL.fullmatch(url)
    return bool(match and match[1] == "http" and not _LOOPBACK.fullmatch(match[2]))


_HOURS = regex(r"([01]?\d|2[0-3])(?::([0-5]\d))?-([01]?\d|2[0-4])(?::([0-5]\d))?")


def _hours(value: Any) -> str:
    text: str = _typed(str)(value)
    try:
        parse_hours(text)
    except ValueError:
        raise ValueError('must be hours of the day such as "09:00-17:30" or "22-6"') from None
    return text


def parse_hours(text: str) -> tuple[int, int]:
    """Minutes since midnight of "09:00-17:30" or "22-6".  Raises ``ValueError``."""
    match = _HOURS.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    since = int(match[1]) * 60 + int(match[2] or 0)
    until = int(match[3]) * 60 + int(match[4] or 0)
    if until > 24 * 60:
        raise ValueError(text)
    return since, until


_ENV_NAME = regex(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def _env_name(value: Any) -> str:
    text: str = _typed(str)(value)
    if looks_secret(text) or not _ENV_NAME.fullmatch(text):
        raise ValueError(
            "takes the NAME of an environment variable, such as OPENAI_API_KEY, not the key itself"
        )
    return text


_TRUTHS = {"1": True, "true": True, "yes": True, "on": True} | {
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


def _bool_from_text(text: str) -> Any:
    return _TRUTHS.get(text.strip().lower(), text)


def _int_from_text(text: str) -> Any:
    try:
        return int(text.strip().replace("_", ""))
    except ValueError:
        return text


def _decimal_from_text(text: str) -> Any:
    try:
        return Decimal(text.strip().removeprefix("$").replace("_", ""))
    except InvalidOperation:
        return text


def _list_from_text(text: str) -> Any:
    """Comma-separated words; brackets and quotes as in TOML are taken off."""
    inner = text.strip().removeprefix("[").removesuffix("]")
    return [word.strip().strip("\"'") for word in inner.split(",") if word.strip()]


def _shares(value: Any) -> tuple[float, ...]:
    """One share of a whole or several, in order, each once."""
    shares = [_number(item) for item in (value if isinstance(value, list) else [value])]
    if not shares or not all(0 <= share <= 1 for share in shares):
        raise ValueError("takes numbers from 0 to 1, such as 0.8 or [0.5, 0.8]")
    return tuple(sorted(set(shares)))


def _shares_from_text(text: str) -> Any:
    shares = [_decimal_from_text(word) for word in _list_from_text(text)]
    return shares[0] if len(shares) == 1 else shares


def _shares_to_toml(shares: tuple[float, ...]) -> Any:
    written = [Decimal(repr(share)) for share in shares]
    return written[0] if len(written) == 1 else written


_STRING = {"type": "string"}
_LIST = {"type": "array", "items": _STRING}

BOOL = Kind("bool", "true or false", _typed(bool), _bool_from_text, schema={"type": "boolean"})
INT = Kind("integer", "a whole number", _typed(int), _int_from_text, schema={"type": "integer"})
NUMBER = Kind(
    "number",
    "a number",
    _number,
    _decimal_from_text,
    lambda value: Decimal(repr(value)),
    {"type": "number"},
)
MONEY = Kind(
    "USD", "an amount in USD such as 5.0", _finite, _decimal_from_text, schema={"type": "number"}
)
SHARES = Kind(
    "shares",
    "a number from 0 to 1, or a list of such",
    _shares,
    _shares_from_text,
    _shares_to_toml,
    {"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}}]},
)
DURATION = Kind(
    "duration",
    'a duration such as "30s", "5m" or "1h30m"',
    _duration,
    str.strip,
    format_duration,
    _STRING
    | {"pattern": r"^[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)$"},
)
TEXT = Kind("text", "text in quotes", _typed(str), str, schema=_STRING)
WORD = Kind("word", "one word in quotes", _word, str.strip, schema=_STRING)
WORDS = Kind("list", 'a list such as ["a", "b"]', _words, _list_from_text, list, _LIST)
ARGS = Kind("list", 'a list such as ["a", "b"]', _args, _list_from_text, list, _LIST)
GIT_SIGNS = Kind(
    "git signs",
    'a list such as ["staged", "branch:fix/*"]',
    _git_signs,
    _list_from_text,
    list,
    _LIST,
)
MODEL = Kind("model", 'a model such as "gpt-5-nano"', _word, str.strip, schema=_STRING)
MODELS = Kind("models", 'a list of models such as ["a", "b"]', _words, _list_from_text, list, _LIST)
PROVIDER = Kind(
    "provider",
    'a provider\'s name such as "openai"',
    _word,
    str.strip,
    schema=_STRING,
)
PROVIDERS = Kind(
    "providers",
    'a list of providers such as ["openai", "claude"]',
    _words,
    _list_from_text,
    list,
    _LIST,
)
HOURS = Kind(
    "hours",
    'hours such as "09:00-17:30"',
    _hours,
    str.strip,
    schema=_STRING | {"pattern": r"^([01]?\d|2[0-3])(:[0-5]\d)?-([01]?\d|2[0-4])(:[0-5]\d)?$"},
)
URL = Kind("address", "an address such as https://host/v1", _url, str.strip, schema=_STRING)
ENV_NAME = Kind(
    "variable",
    "the NAME of an environment variable",
    _env_name,
    str.strip,
    schema=_STRING | {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
)
