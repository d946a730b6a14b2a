"""The origin of an address: scheme, host and port, which is what a key is bound to (RFC 6454)."""

from __future__ import annotations

from urllib.parse import urlsplit

_PORTS = {"https": 443, "http": 80}


def origin_of(url: str) -> str:
    """Scheme, host and port in lower case, the scheme's usual port left out.

    "" for the empty address and for anything that is no address.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if not host or parts.scheme not in _PORTS:
        return ""
    host = f"[{host}]" if ":" in host else host.rstrip(".")
    shown = "" if port in {None, _PORTS[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{host}{shown}"
