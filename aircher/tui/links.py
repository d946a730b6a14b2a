"""Links in answers: opened only by the user, who sees the real address first."""

from __future__ import annotations

from urllib.parse import urlsplit

from aircher.domain.inert import inert

SCHEMES = frozenset({"http", "https", "mailto"})


def openable(url: str) -> str:
    """The address to show and open, its host in ASCII; "" if it is no web or mail address."""
    clean = inert(url).strip()
    try:
        parts = urlsplit(clean)
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except ValueError:  # a broken address; UnicodeError is one too
        return ""
    if parts.scheme not in SCHEMES or (parts.scheme != "mailto" and not host):
        return ""
    return clean.replace(parts.hostname, host, 1) if parts.hostname and host else clean
