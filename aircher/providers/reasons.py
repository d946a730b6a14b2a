"""Why a connection failed, in words: what the system and the HTTP libraries raise, made plain.

Their own words name numbers, sockets and classes ("[Errno 111] Connect call failed ('::1', 80)").
"""

from __future__ import annotations

import asyncio
import errno
import json
import re
import socket
import ssl

_BY_NUMBER = {
    errno.ECONNREFUSED: "nothing answers at that address",
    errno.ECONNRESET: "the other side broke it off",
    errno.ECONNABORTED: "the other side broke it off",
    errno.EPIPE: "the other side broke it off",
    errno.ENETUNREACH: "there is no network",
    errno.ENETDOWN: "there is no network",
    errno.EHOSTUNREACH: "the server's machine cannot be reached",
    errno.EHOSTDOWN: "the server's machine cannot be reached",
    errno.ETIMEDOUT: "the server's machine did not react",
    errno.EMFILE: "too many files are open in this program",
    errno.ENFILE: "too many files are open on this machine",
    errno.EADDRNOTAVAIL: "this machine has no free port left",
}
"""errno -> why."""

_TEMPORARY = frozenset({socket.EAI_AGAIN})

_BY_WORDS = (
    (r"all connection attempts failed", "nothing answers at that address"),
    (r"server disconnected|without sending a(ny)? response", "it was closed before an answer came"),
    (r"incomplete chunked read|peer closed connection|incomplete message", "it was closed before the answer was whole"),
    (r"illegal (status|header|chunk)|invalid (chunk|http)|data that was not http", "what answers there does not speak HTTP"),
    (r"handshake operation timed out", "the secure connection was not made in time"),
    (r"(connect|read|write|pool) ?timed? ?out", "nothing came"),
)  # fmt: skip
"""What HTTP libraries say -> why."""


def reason(error: BaseException) -> str:
    """Why it failed: words without numbers, addresses of sockets, and names of classes."""
    bottom = cause(error)
    match bottom:
        case ssl.SSLCertVerificationError():
            return f"the server's certificate is not trusted ({bottom.verify_message})"
        case ssl.SSLError():
            return _tls(bottom)
        case socket.gaierror():
            later = bottom.errno in _TEMPORARY
            return "no name server answers" if later else "no such server name is known"
        case UnicodeDecodeError():
            return "it is not UTF-8"
        case json.JSONDecodeError():
            return "its JSON is broken"
        case RecursionError():
            return "its JSON is nested too deeply"
        case OSError(errno=int(number)) if number in _BY_NUMBER:
            return _BY_NUMBER[number]
        case TimeoutError() | asyncio.CancelledError():  # a timeout of anyio's cancels
            return "nothing came"
    return _words(str(bottom) or str(error))


def cause(error: BaseException) -> BaseException:
    """The error at the bottom of a chain, where the system says what really happened."""
    seen = {id(error)}
    while (below := _below(error)) is not None and id(below) not in seen:
        seen.add(id(below))
        error = below
    return error


def _below(error: BaseException) -> BaseException | None:
    if isinstance(error, json.JSONDecodeError):
        return None  # under it is only what the parser met on its way
    return error.__cause__ or error.__context__


def _tls(error: ssl.SSLError) -> str:
    name = (error.reason or "").lower().replace("_", " ")
    if name in {"wrong version number", "unknown protocol", "http request", "record layer failure"}:
        return "what answers there does not speak TLS"
    return f"no secure connection could be made ({name or 'it was broken off'})"


def _words(said: str) -> str:
    for pattern, why in _BY_WORDS:
        if re.search(pattern, said, re.IGNORECASE):
            return why
    plain = re.sub(r"^\[Errno -?\d+\] *", "", said)
    plain = re.sub(r" *\(_ssl\.c:\d+\)", "", plain)
    return plain or "nothing came back"
