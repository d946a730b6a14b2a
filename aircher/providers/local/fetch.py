"""Reading over HTTP with the standard library: pages, and big files that can be continued."""

from __future__ import annotations

import base64
import errno
import hashlib
import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit, urlunsplit

from aircher.domain.errors import MalformedReply, NetworkFailed, ProviderError, StorageError
from aircher.providers.local.index import ACCEPT, IndexSettings, Link, parse_page

Progress = Callable[[int, int | None], None]
"""Called with the bytes so far and the total (None when the server does not say)."""

_SILENCE_S = 30.0
_PIECE = 1 << 18
_FRUITLESS_TRIES = 3
_PAGE_LIMIT = 16 << 20
_HTTP = ("https", "http")  # an index may link anywhere; file: and ftp: are not followed
CONTINUE_HINT = "Run the same command again: it continues where it stopped."


class Web:
    """Opens addresses with the user's proxy, certificates and index credentials."""

    def __init__(self, settings: IndexSettings) -> None:
        context = ssl.create_default_context()  # reads SSL_CERT_FILE and SSL_CERT_DIR
        for file in settings.ca_files:
            try:
                context.load_verify_locations(cafile=file)
            except OSError as error:
                raise NetworkFailed(
                    f"The certificate file {file} cannot be read: {error}.",
                    hint="Correct PIP_CERT, REQUESTS_CA_BUNDLE or `cert` in pip's configuration.",
                ) from error
        handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPSHandler(context=context)]
        if settings.proxy:
            handlers.append(
                urllib.request.ProxyHandler({"http": settings.proxy, "https": settings.proxy})
            )
        self._opener = urllib.request.build_opener(*handlers)
        self._logins = dict(pair for url in settings.urls if (pair := _login(url)))

    def open(self, url: str, **headers: str) -> http.client.HTTPResponse:
        """The answer to a GET.  Raises ``OSError`` or ``http.client.HTTPException``."""
        plain = without_login(url)
        if urlsplit(plain).scheme not in _HTTP:
            raise urllib.error.URLError(f"{plain} is not an http address")
        request = urllib.request.Request(plain, headers=headers)  # noqa: S310 -- scheme is checked
        if login := self._logins.get(urlsplit(plain).netloc):
            # "unredirected": a redirect to another host must not carry the password there.
            request.add_unredirected_header("Authorization", login)
        answer: http.client.HTTPResponse = self._opener.open(request, timeout=_SILENCE_S)
        return answer

    def links(self, page: str) -> list[Link]:
        """The files a package page lists.  Raises ``OSError``, ``HTTPException``, ``ValueError``."""
        with self.open(page, Accept=ACCEPT) as answer:
            body = answer.read(_PAGE_LIMIT).decode("utf-8", "replace")
            return parse_page(body, answer.headers.get_content_type(), answer.url)


def without_login(url: str) -> str:
    """The address without user and password: fit for messages."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _login(url: str) -> tuple[str, str] | None:
    """(host, Authorization value) for an address with a user in it."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return None
    name, _, password = user.partition(":")
    token = base64.b64encode(f"{unquote(name)}:{unquote(password)}".encode()).decode()
    return host, f"Basic {token}"


def reason(error: BaseException) -> str:
    """A network error in a few plain words."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({cause.verify_message})"
    if isinstance(cause, TimeoutError):
        return "it did not answer in time"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause) or type(cause).__name__


def download(web: Web, link: Link, part: Path, progress: Progress) -> None:
    """Fetches ``link`` into ``part``, continuing what is there, and checks the index's hash.

    A broken connection is picked up again; after three tries that bring no byte it raises
    ``NetworkFailed``.  What came stays in ``part``.  Raises ``MalformedReply`` when the hash
    does not match (``part`` is then deleted) and ``StorageError`` when the disk refuses.
    """
    continued = _size(part) > 0
    _fill(web, link, part, progress)
    if _is_right(part, link):
        return
    part.unlink()
    if continued:  # the old beginning may have been of another file
        _fill(web, link, part, progress)
        if _is_right(part, link):
            return
        part.unlink()
    raise MalformedReply(
        f"{link.name} does not match the SHA-256 that the package index gives for it.",
        hint="Nothing was kept. Run the command again, or ask who runs the index.",
    )


def _is_right(part: Path, link: Link) -> bool:
    if not link.sha256:
        return True
    with part.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == link.sha256


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _fill(web: Web, link: Link, part: Path, progress: Progress) -> None:
    """Appends to ``part`` until the server has no more."""
    fruitless = 0
    while True:
        before = _size(part)
        try:
            if _append(web, link, part, before, progress):
                return
            why = "the connection was cut"
        except urllib.error.HTTPError as error:
            if error.code < 500:
                raise _failed(link, reason(error)) from error
            why = reason(error)
        except (OSError, http.client.HTTPException) as error:
            why = reason(error)
        fruitless = 0 if _size(part) > before else fruitless + 1
        if fruitless >= _FRUITLESS_TRIES:
            raise _failed(link, why)
        time.sleep(0.3 * fruitless)


def _failed(link: Link, why: str) -> ProviderError:
    return NetworkFailed(f"{link.name} could not be fetched: {why}.", hint=CONTINUE_HINT)


def _append(web: Web, link: Link, part: Path, have: int, progress: Progress) -> bool:
    """One request; True when the file is whole."""
    headers = {"Range": f"bytes={have}-"} if have else {}
    try:
        answer = web.open(link.url, **headers)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # there is no more: the hash will tell
            error.close()
            return True
        raise
    with answer:
        if answer.status != 206:
            have = 0  # the server does not continue: from the start
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length and length.isdigit() else None
        with create(part, "ab" if have else "wb") as file:
            done = _copy(answer, file, have, total, progress)
    return total is None or done >= total


def _copy(
    answer: http.client.HTTPResponse,
    file: IO[bytes],
    done: int,
    total: int | None,
    progress: Progress,
) -> int:
    progress(done, total)
    # read1: what has come, without waiting for a whole piece, so that an interrupt loses nothing.
    while piece := answer.read1(_PIECE):
        write_all(file, piece)
        done += len(piece)
        progress(done, total)
    return done


def write_all(file: IO[bytes], piece: bytes) -> None:
    """Writes to an unbuffered file, which may take less than it is given at a time."""
    rest = memoryview(piece)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise disk_error(error, str(file.name)) from error


def create(path: Path, mode: str = "wb") -> IO[bytes]:
    """Opens a file for writing.  Unbuffered: a full disk is noticed at the write."""
    try:
        return path.open(mode, buffering=0)
    except OSError as error:
        raise disk_error(error, str(path)) from error


def disk_error(error: OSError, path: str) -> StorageError:
    """A failure to write, with what to do about it."""
    full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    what = "the disk is full" if full else (error.strerror or str(error))
    hint = "Free about 200 MB and run the command again." if full else "Check the folder's rights."
    return StorageError(f"{path} cannot be written: {what}.", hint=hint)
