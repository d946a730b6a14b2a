"""Keys starred out of text that was not made by us: a vendor's error, an exception's words."""

from __future__ import annotations

from collections.abc import Mapping

from aircher.domain.children import names_a_secret
from aircher.domain.regexes import regex

# What looks like a key, by the vendors' own prefixes, or by being long and mixed.
_KEYS = regex(
    r"\b(?:sk|gsk|xai|pplx|csk|fw|tgp|hf|glpat|ghp|r8|key)[-_][A-Za-z0-9_\-]{12,}"
    r"|\bAIza[A-Za-z0-9_\-]{20,}|\bAQ\.[A-Za-z0-9_\-]{20,}|\b(?:AKIA|ASIA)[A-Z0-9]{12,}"
    r"|\bBearer\s+[^\s\"']{8,}"
    r"|\b(?=[A-Za-z0-9_\-]*[a-z])(?=[A-Za-z0-9_\-]*[A-Z])(?=[A-Za-z0-9_\-]*\d)[A-Za-z0-9_\-]{40,}"
)


def masked(text: str, secret: str = "") -> str:
    """``text`` with everything that looks like a key, and ``secret`` itself, starred out."""
    if len(secret) >= 6:
        text = text.replace(secret, "****")
    return _KEYS.sub("****", text)


def masked_for(environ: Mapping[str, str], text: str) -> str:
    """``masked``, with the value of every variable that by its name holds a secret."""
    for name, value in environ.items():
        if len(value) >= 8 and names_a_secret(name):
            text = text.replace(value, "****")
    return masked(text)
