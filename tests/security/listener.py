"""Real listeners on this machine: one that answers like OpenAI, one that nothing may reach."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Listener:
    """``connections`` counts all that came, also those that sent nothing."""

    url: str = ""
    connections: int = 0
    requests: list[tuple[str, dict[str, str], str]] = field(default_factory=list)


def _chunks() -> bytes:
    def event(delta: dict[str, str], reason: str | None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        whole = {"id": "x", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}
        return f"data: {json.dumps(whole)}\n\n"

    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    last = f"data: {json.dumps({'id': 'x', 'choices': [], 'usage': usage})}\n\n"
    return (
        event({"content": "fine"}, None) + event({}, "stop") + last + "data: [DONE]\n\n"
    ).encode()


@contextmanager
def listening() -> Iterator[Listener]:
    """Starts a listener in a thread; ends it afterwards."""
    found = Listener()

    class Handler(BaseHTTPRequestHandler):
        def setup(self) -> None:
            found.connections += 1
            super().setup()

        def _answer(self) -> None:
            length = int(self.headers.get("content-length", 0))
            text = self.rfile.read(length).decode("utf-8", "replace")
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.requests.append((self.path, headers, text))
            body = _chunks()
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_CONNECT = do_HEAD = _answer  # noqa: N815 - http.server's names

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
