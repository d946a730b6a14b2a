"""Which addresses a prompt and a key may be sent to."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from aircher.domain.errors import ConfigError


def is_loopback(url: str) -> bool:
    """True for an address on this machine."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _fault_of(url: str, *, allow_http: bool) -> str:
    """What is wrong with an address, as the end of a sentence; "" if nothing."""
    if any(c.isspace() or not c.isprintable() for c in url) or "\\" in url:
        return "holds a character that no address may hold"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is not an address"
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        return "is not an https address"
    if parts.username is not None or parts.password is not None:
        return "holds a user name or password"
    if parts.query or parts.fragment:
        return "holds a ? or # part"
    if parts.scheme == "http" and not allow_http and not is_loopback(url):
        return "is not encrypted: the key and the prompts could be read on the way"
    return ""


def checked_url(provider: str, url: str, *, allow_http: bool = False) -> str:
    """``url`` without a slash at its end; https, or http on this machine.

    ``allow_http`` lets http through to other machines.  Raises ``ConfigError``, which does
    not repeat an address that may hold a password.
    """
    wrong = _fault_of(url, allow_http=allow_http)
    if wrong:
        raise ConfigError(
            f"base_url of {provider} {wrong}.",
            hint=f"Give an address such as https://host/v1 in [providers.{provider}]; "
            "http is for this machine only, unless allow_http is set.",
        )
    return url.rstrip("/")
