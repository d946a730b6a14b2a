"""What looks like a secret and is none: examples, placeholders, words, hashes, code."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import pairwise

from aircher.domain.regexes import regex
from aircher.policy.guard.rules import Rules

_UUID = regex(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_REPEATED = regex(r"(.)\1{5}")
_MASKED = regex(
    r"\*{3}|\.{3}|x{4}|X{4}|•|…|<[^>]*>?|\$[{(A-Za-z_]|\{\{|%\(|%[sdvr]\b|\{[a-zA-Z_0-9.!:]*\}|#\{"
)
_CODE = regex(r"[()\[\]{}<>$\\`]|::|->|=>|&&|\|\||^https?:|%[0-9A-Za-z_]*%")
_DOTTED = regex(r"[a-z_]\w*(?:\.[A-Za-z_]\w*)+\Z")
_PATH = regex(r"[/~.]{1,2}/?[\w-]+/")
_DIGEST = regex(r"(?:[0-9a-f]+|[0-9A-F]+)\Z")


_TELLING = 7
"""A shorter word ("todo") may stand in a long key by chance."""


def entropy(text: str) -> float:
    """Shannon's, in bits per character."""
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values()) if size else 0.0


def is_example(secret: str, rules: Rules) -> bool:
    """True for keys out of documentation, and for what stands in a key's place."""
    low = secret.lower()
    return (
        any(part in low for part in rules.examples if len(part) >= _TELLING or len(low) < 60)
        or bool(_REPEATED.search(secret))
        or bool(_MASKED.search(secret))
    )


def changes(text: str) -> float:
    """How often the kind of character changes (lower, upper, digit), per step.

    About 0.6 for random base 62, 0.45 for hex digits, 0.2 or less for names people make.
    """
    kinds = ["d" if c.isdigit() else "u" if c.isupper() else "l" for c in text if c.isalnum()]
    if len(kinds) < 2:
        return 0.0
    return sum(a != b for a, b in pairwise(kinds)) / (len(kinds) - 1)


def is_uuid(text: str) -> bool:
    """True for a UUID, which names things and opens none."""
    return bool(_UUID.fullmatch(text))


def is_random(text: str, least: int = 16) -> bool:
    """True for a token that a machine made: long, with digits, and unlike words or paths."""
    core = text.removeprefix("base64:").rstrip("=")
    if len(core) < least or len(core) > 2000 or _CODE.search(text) or _DOTTED.match(text):
        return False
    if not any(c.isdigit() for c in core) or not any(c.isalpha() for c in core):
        return False
    if _DIGEST.match(core):
        return len(core) >= 24 and entropy(core) >= 2.8 and changes(core) >= 0.2
    if _PATH.match(text) and changes(core) < 0.35:
        return False
    return entropy(core) >= 3.2 and changes(core) >= 0.22 and _wordless(core)


def _wordless(text: str) -> bool:
    """False where most letters stand in long runs of one case: words, not chance."""
    runs = [run for run in re.findall(r"[a-z]+|[A-Z]+", text) if len(run) >= 5]
    return sum(map(len, runs)) < 0.5 * len(text)


def is_password(text: str, rules: Rules) -> bool:
    """True for what someone would set as a password: no placeholder, no word, no code."""
    low = text.lower()
    if low in rules.words or is_example(text, rules) or _CODE.search(text):
        return False
    if _PATH.match(text) or (_DOTTED.match(text) and not text[-2:].isdigit()):
        return False
    if any(low == word + tail for word in rules.words for tail in ("1", "123", "!", "1!", "12")):
        return False
    symbols = any(not c.isalnum() and c not in "_-. " for c in text)
    digits = any(c.isdigit() for c in text)
    letters = any(c.isalpha() for c in text)
    if not letters or not (digits or symbols) or len(set(text)) < 4:
        return False
    return digits or not _is_prose(text)


def _is_prose(text: str) -> bool:
    return " " in text or bool(re.fullmatch(r"[A-Za-z]+(?:[-_.:/'][A-Za-z]+)*[.:!?,]?", text))


def _key_block(text: str, rules: Rules) -> bool:
    body = re.sub(r"-----[^-]*-----|\\[nr]|[\s+-]", "", text)
    return len(body) >= 60 and not is_example(body[:200].replace("AAAAAA", ""), rules)


def _url_password(text: str, rules: Rules) -> bool:
    return is_password(text, rules) and not text.isdigit()


def _header_token(text: str, rules: Rules) -> bool:
    return not is_example(text, rules) and (is_random(text) or text.startswith("eyJ"))


def _random_token(text: str, rules: Rules) -> bool:
    return not is_example(text, rules) and is_random(text[text.index("-") + 1 :], 24)


def _netrc(text: str, rules: Rules) -> bool:
    return text.lower() not in rules.words and not is_example(text, rules)


def _kubernetes_value(text: str, rules: Rules) -> bool:
    return not is_example(text, rules) and entropy(text) >= 2.5 and not text.isdigit()


CHECKS: Mapping[str, Callable[[str, Rules], bool]] = {
    "": lambda text, rules: not is_example(text, rules),
    "key_block": _key_block,
    "url_password": _url_password,
    "password": is_password,
    "header_token": _header_token,
    "random_token": _random_token,
    "netrc": _netrc,
    "kubernetes_value": _kubernetes_value,
}
"""What the rules' ``check`` names."""
