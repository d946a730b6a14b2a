"""Which addresses a prompt and a key may be sent to."""

from __future__ import annotations

import ipaddress
import socket
import unicodedata
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from aircher.domain.errors import ConfigError
from aircher.domain.regexes import regex

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA_HOSTS = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data"}
    | {"instance-data.ec2.internal", "metadata.azure.internal", "metadata.platformequinix.com"}
)
"""Names under which clouds tell a machine its own credentials."""

_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16")
)
"""Addresses of the same outside the link-local blocks: AWS, Google, Alibaba, Oracle, Azure."""

OF_NO_SERVER = "a name for an address of this link or a cloud's metadata"
"""What is wrong with a name that stands for such an address."""

_NUMBER = regex(r"0[xX][0-9a-fA-F]*|[0-9]+")
_STOPS = {0x3002: ".", 0xFF61: ".", 0xFF0E: "."}
"""What IDNA takes for a full stop (RFC 3490, 3.1)."""

_HOLD_IPV4 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::ffff:0:0:0/96"))
"""Prefixes after which an IPv4 address stands: NAT64 (RFC 6052) and SIIT (RFC 2765)."""

_NETWORKS_OF_NO_SERVER = (ipaddress.ip_network("64:ff9b:1::/48"),)
"""NAT64 of one's own network (RFC 8215): where in it the IPv4 address stands nobody else knows."""


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


def _inner(address: IPAddress) -> IPAddress:
    """The IPv4 address that an IPv6 one stands for, where it stands for one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address.teredo is not None:
        inner = address.teredo[1]
    low = int(address) & 0xFFFF_FFFF
    if inner is None and (
        any(address in one for one in _HOLD_IPV4) or (int(address) >> 32 == 0 and low > 1)
    ):
        inner = ipaddress.IPv4Address(low)
    return inner or address


def _forbidden(address: IPAddress) -> bool:
    """True for addresses that no model server has: of this link, of a cloud's metadata, of none."""
    inner = _inner(address)
    return any(
        one.is_link_local or one.is_multicast or one.is_unspecified or one in _METADATA
        for one in (address, inner)
    ) or any(address in one for one in _NETWORKS_OF_NO_SERVER)


def is_forbidden(address: str) -> bool:
    """True for the text of an IP address that no model server has."""
    try:
        return _forbidden(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return False


def _host_fault(host: str) -> str:
    """What is wrong with a host, as the end of a sentence; "" if nothing."""
    # Full-width digits and ideographic full stops are read as plain ones by resolvers.
    plain = unicodedata.normalize("NFKC", host).translate(_STOPS).lower().rstrip(".")
    if "%" in plain:
        return "holds a % in its host"
    if plain in _METADATA_HOSTS:
        return "is where a cloud keeps its machines' credentials"
    labels = plain.split(".")
    if all(_NUMBER.fullmatch(label) for label in labels) and not _is_dotted(plain):
        return "hides an IP address in a number"
    try:
        address = ipaddress.ip_address(plain)
    except ValueError:
        return ""
    return (
        "is of this link or a cloud's metadata, not of a model server"
        if _forbidden(address)
        else ""
    )


def _is_dotted(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


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
    if fault := _host_fault(host):
        return fault
    if parts.scheme == "http" and not allow_http and not is_loopback(url):
        return "is not encrypted: the key and the prompts could be read on the way"
    return ""


Resolver = Callable[[str], Iterable[str]]


def _resolved(host: str) -> Iterable[str]:
    return {str(found[4][0]) for found in socket.getaddrinfo(host, None)}


def host_fault(url: str) -> str:
    """What is wrong with an address's host by itself, as the end of a sentence; "" if nothing."""
    try:
        return _host_fault(urlsplit(url).hostname or "")
    except ValueError:
        return ""


def checked_url(
    provider: str, url: str, *, allow_http: bool = False, resolve: Resolver = _resolved
) -> str:
    """``url`` without a slash at its end; https, or http on this machine.

    ``allow_http`` lets http through to other machines, unless their name stands for an address
    that is not allowed; with https the certificate proves whose the name is.  Raises
    ``ConfigError``, which does not repeat an address that may hold a password.
    """
    wrong = _fault_of(url, allow_http=allow_http)
    if not wrong and url.startswith("http:") and not is_loopback(url):
        wrong = _name_fault(urlsplit(url).hostname or "", resolve)
    if wrong:
        raise ConfigError(
            f"base_url of {provider} {wrong}.",
            hint=f"Give an address such as https://host/v1 in [providers.{provider}]; "
            "http is for this machine only, unless allow_http is set.",
        )
    return url.rstrip("/")


def _name_fault(host: str, resolve: Resolver) -> str:
    """What is wrong with what a name stands for; "" also where it stands for nothing."""
    if _is_dotted(host) or ":" in host:
        return ""
    try:
        bad = any(map(is_forbidden, resolve(host)))
    except (OSError, ValueError):
        return ""
    return f"is {OF_NO_SERVER}" if bad else ""
