"""A loopback server that streams one short OpenAI reply to whoever asks.

``python -m benchmarks.server`` prints its port.  Below ``/cut`` the reply ends in the middle,
cleanly as far as HTTP can tell, without its end marker; below ``/busy`` the first request with
each key is answered with 503.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar


def _chunk(**choice: object) -> bytes:
    body = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    choices = [{"index": 0, "finish_reason": None, "delta": {}, **choice}]
    return b"data: " + json.dumps({**body, "choices": choices}).encode() + b"\n\n"


USAGE = {"prompt_tokens": 9, "completion_tokens": 20, "total_tokens": 29}
BODY = (
    b"".join(_chunk(delta={"content": f"word{number} "}) for number in range(20))
    + _chunk(finish_reason="stop")
    + b"data: "
    + json.dumps({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
                  "choices": [], "usage": USAGE}).encode()
    + b"\n\ndata: [DONE]\n\n"
)  # fmt: skip

CUT = BODY[: BODY.index(b"word10")].rpartition(b"data: ")[0]
"""The first ten words, whole events, and then nothing."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    asked: ClassVar[dict[str, int]] = {}

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        caller = self.headers.get("authorization", "")
        self.asked[caller] = self.asked.get(caller, 0) + 1
        if self.path.startswith("/busy") and self.asked[caller] == 1:
            self.send_error(503)
            return
        body = CUT if self.path.startswith("/cut") else BODY
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
