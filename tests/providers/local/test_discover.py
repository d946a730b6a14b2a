"""Servers on loopback are found by what only they answer."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from aircher.providers.local.discover import PROBES, Probe, Server, detect_servers

BY_NAME = {probe.name: probe for probe in PROBES}
ON = {"AIRCHER_DISCOVER": "true"}
Serve = Callable[[str, Any], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """``serve(path, answer)`` answers GETs of that path with JSON, others with 404."""
    with ExitStack() as stack:

        def begin(path: str, answer: Any) -> int:
            class Handler(BaseHTTPRequestHandler):
                protocol_version = "HTTP/1.1"

                def log_message(self, *args: object) -> None:
                    pass

                def do_GET(self) -> None:
                    body = json.dumps(answer).encode() if not isinstance(answer, bytes) else answer
                    self.send_response(200 if self.path == path else 404)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return int(server.server_address[1])

        yield begin


def at(name: str, port: int) -> Probe:
    return replace(BY_NAME[name], port=port)


OLLAMA = {"models": [{"name": "llama3.2:3b", "model": "llama3.2:3b", "size": 1}, {"name": "b"}]}
LM_STUDIO = {
    "object": "list",
    "data": [
        {"id": "qwen", "object": "model", "type": "llm", "state": "not-loaded"},
        {"id": "nomic", "object": "model", "type": "embeddings"},
    ],
}


async def test_all_are_found_in_order(serve: Serve) -> None:
    ports = serve("/api/tags", OLLAMA), serve("/api/v0/models", LM_STUDIO)
    probes = at("lmstudio", ports[1]), at("ollama", ports[0])
    assert await detect_servers(ON, probes) == (
        Server("lmstudio", "LM Studio", f"http://127.0.0.1:{ports[1]}/v1", ("qwen",)),
        Server("ollama", "Ollama", f"http://127.0.0.1:{ports[0]}", ("llama3.2:3b", "b")),
    )


async def test_an_ollama_without_models_is_still_there(serve: Serve) -> None:
    (server,) = await detect_servers(ON, (at("ollama", serve("/api/tags", {"models": []})),))
    assert server.models == ()


async def test_a_llama_server_is_found(serve: Serve) -> None:
    # As llama.cpp's server answers (b11549), fields that nobody reads left out.
    row = {"id": "tiny", "aliases": ["tiny"], "object": "model", "owned_by": "llamacpp"}
    answer = {"models": [{"name": "tiny"}], "object": "list", "data": [row]}
    port = serve("/v1/models", answer)
    assert await detect_servers(ON, (at("llamacpp", port),)) == (
        Server("llamacpp", "llama-server", f"http://127.0.0.1:{port}/v1", ("tiny",)),
    )


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("llamacpp", {"data": [{"id": "x", "owned_by": "someone"}]}),
        ("llamacpp", {"data": []}),
        ("llamacpp", {"data": ["x"]}),
        ("llamacpp", b"<html>an admin page</html>"),
        ("ollama", {"models": "none"}),
        ("ollama", {"models": ["x"]}),
        ("ollama", []),
        ("lmstudio", {"data": [3]}),
        ("lmstudio", "hello"),
        ("lmstudio", b"\xff\xfe"),
    ],
)
async def test_anything_else_on_the_port_is_not_taken(serve: Serve, name: str, answer: Any) -> None:
    probe = BY_NAME[name]
    assert await detect_servers(ON, (at(name, serve(probe.path, answer)),)) == ()


async def test_another_path_is_not_taken(serve: Serve) -> None:
    assert await detect_servers(ON, (at("ollama", serve("/other", OLLAMA)),)) == ()


async def test_silence_costs_little_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        begun = time.monotonic()
        assert await detect_servers(ON, tuple(at(p.name, port) for p in PROBES)) == ()
        assert time.monotonic() - begun < 0.4  # 0.15 and what a busy machine adds


@pytest.mark.parametrize("word", ["false", "0", "No", " off "])
async def test_it_can_be_turned_off(serve: Serve, word: str) -> None:
    probe = at("ollama", serve("/api/tags", OLLAMA))
    assert await detect_servers({"AIRCHER_DISCOVER": word}, (probe,)) == ()
    assert len(await detect_servers({}, (probe,))) == 1


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "http://localhost:{}", ":{}", "0.0.0.0:{}/"])
async def test_ollama_is_found_where_its_own_variable_says(form: str, serve: Serve) -> None:
    address = form.format(serve("/api/tags", OLLAMA))
    found = await detect_servers({"OLLAMA_HOST": address}, (BY_NAME["ollama"],))
    assert [server.name for server in found] == ["ollama"]


@pytest.mark.parametrize("address", ["gpu.example.invalid:11434", "http://[broken", "x:y"])
async def test_an_address_elsewhere_or_none_at_all_is_left_alone(
    address: str, serve: Serve
) -> None:
    port = serve("/other", OLLAMA)
    assert await detect_servers({"OLLAMA_HOST": address}, (at("ollama", port),)) == ()
