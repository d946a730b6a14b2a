"""What all dialects share of HTTP: one client per provider, timeouts, and the network's errors.

Three of the SDKs bring httpx2, one the older httpx; both families end here.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from aircher.domain.errors import (
    ConfigError,
    MalformedReply,
    NetworkFailed,
    ProviderError,
    TimedOut,
    WrongAddress,
)
from aircher.providers.addresses import is_loopback
from aircher.providers.connection import Connection
from aircher.providers.faults import quoted, request_id_of
from aircher.providers.reasons import cause, reason
from aircher.providers.watching import ForbiddenPeer, request_hooks
from aircher.providers.words import HINTS, SENTENCES, hint_values

if TYPE_CHECKING:  # each family takes 40 ms to import, and an SDK brings only its own
    import httpx2

_FAMILIES = ("httpx2", "httpx")

_OURS: Mapping[type[ProviderError], tuple[tuple[type[Exception], ...], tuple[str, ...]]] = {
    TimedOut: ((TimeoutError,), ("TimeoutException",)),
    NetworkFailed: ((OSError,), ("TransportError",)),
    MalformedReply: (
        # Broken JSON and broken UTF-8; JSON nested beyond reason.
        (ValueError, RecursionError),
        ("DecodingError", "TooManyRedirects"),
    ),
}
"""Our error -> Python's own errors for it, and the names of both families' for it."""

_OTHER = ("HTTPError", "InvalidURL", "StreamError")


def _of_families(names: tuple[str, ...]) -> tuple[type[Exception], ...]:
    """The classes of these names in whichever family is loaded; only those can be raised."""
    loaded = [module for name in _FAMILIES if (module := sys.modules.get(name)) is not None]
    return tuple(getattr(module, name) for module in loaded for name in names)


def foreign() -> tuple[type[Exception], ...]:
    """All that HTTP, TLS and JSON may raise.

    A dialect catches these (and its SDK's own) at its one edge and raises ``network_fault``
    instead.
    """
    own = [kind for kinds, _ in _OURS.values() for kind in kinds]
    names = [name for _, names in _OURS.values() for name in names]
    return (*own, *_of_families((*names, *_OTHER)))


def timeout(connection: Connection) -> httpx2.Timeout:
    """Explicit limits: to connect, and between two pieces of an answer.

    An answer as a whole has no limit here: the engine owns the only deadline.
    """
    import httpx2

    return httpx2.Timeout(
        connection.idle_timeout_s,
        connect=connection.connect_timeout_s,
        pool=connection.connect_timeout_s,
    )


@cache
def trust(ca_file: str = "") -> ssl.SSLContext:
    """The certificates that are trusted, loaded once: each load takes 20 to 40 ms.

    ``ca_file`` is trusted besides the usual ones.  Raises ``ConfigError`` where it cannot be.
    """
    import httpx2

    context = httpx2.create_ssl_context()
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"network.ca_file cannot be used: {ca_file}: {error.strerror or 'not PEM'}.",
                hint="It names a file of certificates in PEM.",
            ) from error
    return context


def ca_file_of(connection: Connection) -> str:
    """The user's own certificates' file; "" for none."""
    return str(connection.options.get("ca_file") or "")


def http_client(connection: Connection) -> httpx2.AsyncClient:
    """A client that follows no redirect: the prompt and the key would go along with it.

    Raises ``ConfigError`` where the environment names a proxy or certificates that cannot be
    used.
    """
    import httpx2

    try:
        return httpx2.AsyncClient(
            verify=trust(ca_file_of(connection)),
            timeout=timeout(connection),
            follow_redirects=False,
            # A proxy cannot reach this machine's own server, and would read what is sent to it.
            trust_env=not is_loopback(connection.base_url),
            event_hooks=request_hooks(),
            limits=httpx2.Limits(max_connections=100, max_keepalive_connections=20),
        )
    except (ValueError, httpx2.InvalidURL, ImportError, OSError) as error:
        raise ConfigError(
            f"No connection can be made: {quoted(str(error))}",
            hint="Check HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE in the environment.",
        ) from error


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers as a plain dict with lower-case names."""
    return {str(name).lower(): str(value) for name, value in headers.items()}


def opened_id(headers: Mapping[str, str]) -> str:
    """The vendor's id of a call, from lower-case headers."""
    return request_id_of(headers)


def _class(error: BaseException) -> type[ProviderError]:
    """Timed out, broken or garbled; an SDK's own wrapper is judged by what it wraps."""
    for ours, (own, names) in _OURS.items():
        if isinstance(error, (*own, *_of_families(names))):
            return ours
    below = error.__cause__
    return _class(below) if below is not None else NetworkFailed


def network_fault(error: BaseException, connection: Connection, model: str = "") -> ProviderError:
    """Our error for a foreign one that is not a vendor's answer."""
    bottom = cause(error)
    if isinstance(bottom, ForbiddenPeer):
        return _said(WrongAddress, str(bottom), connection, model)
    failed = _said(_class(error), reason(error), connection, model)
    if isinstance(bottom, ssl.SSLCertVerificationError):
        failed.hint = (
            f"Check base_url in [providers.{connection.provider}]; a company's own authority "
            "is trusted by network.ca_file."
        )
    return failed


def malformed(what: str, connection: Connection, model: str = "") -> ProviderError:
    """A ``MalformedReply``; ``what`` says in words what was wrong with the answer."""
    return _said(MalformedReply, what, connection, model)


def _said(
    error: type[ProviderError], what: str, connection: Connection, model: str
) -> ProviderError:
    values = hint_values(connection.provider, model, key_place=connection.key_place)
    return error(
        f"{SENTENCES[error.kind].format(**values)}: {quoted(what, connection.key)}",
        hint=HINTS[error.kind].format(**values),
        provider=connection.provider,
        model=model,
    )
