"""Links in answers: opened only by the user, who sees the real address first."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from aircher.domain.inert import inert
from aircher.domain.regexes import regex

SCHEMES = frozenset({"http", "https", "mailto"})

_HOST_LIKE = regex(r"(?:https?://)?(?:[^\s/@]*@)?((?:[\w-]+\.)+[^\W\d_]{2,})(?:[:/?#]|$)")


def openable(url: str) -> str:
    """The address to show and open; "" if it is no web or mail address.

    Its host is in ASCII (punycode), so that letters of another script cannot pass for Latin
    ones, and what stands before an "@" in a web address (https://bank.example@elsewhere) is gone.
    """
    clean = inert(url).strip()
    try:
        parts = urlsplit(clean)
        if parts.scheme == "mailto":
            return clean if parts.path and clean.isascii() else ""
        return parts._replace(netloc=_netloc(parts)).geturl() if parts.scheme in SCHEMES else ""
    except ValueError:  # a broken address; UnicodeError is one too
        return ""


def other_host(label: str, url: str) -> str:
    """The host that the link's text names, if it names one that the address does not lead to."""
    named = _HOST_LIKE.match(inert(label).strip())
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    if named is None or not host:
        return ""
    try:
        claimed = _ascii(named.group(1)).removeprefix("www.")
    except ValueError:
        claimed = named.group(1)
    return "" if claimed == host else named.group(1)


def _netloc(parts: SplitResult) -> str:
    if not parts.hostname:
        raise ValueError("no host")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else _ascii(parts.hostname)
    return f"{host}:{parts.port}" if parts.port is not None else host


def _ascii(host: str) -> str:
    """The host as DNS knows it.  Raises ``ValueError`` for one that cannot be."""
    import idna

    if host.isascii():
        return host.lower()
    return idna.encode(host, uts46=True).decode("ascii")
