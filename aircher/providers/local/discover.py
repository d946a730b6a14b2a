"""Model servers that already run on this machine, found on their usual loopback ports.

Each is recognised by an answer that only it gives, because anything may listen on 8080.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from aircher.domain.classes import dataclass

LIMIT_S = 0.15
"""For all together: a closed port answers in under a millisecond, a running server in ten."""

_SIZE_LIMIT = 1 << 20
_OFF = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Server:
    """A server that was found.  ``name`` is its row in vendors.toml."""

    name: str
    title: str
    base_url: str
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Probe:
    """How one kind of server is found: ``read`` takes its answer to the model names, or None
    if the answer is not its own.
    """

    name: str
    title: str
    port: int
    path: str
    base_path: str
    read: Callable[[Any], tuple[str, ...] | None]
    address_env: str = ""
    """A variable in which the server's own users name its address ("OLLAMA_HOST")."""


def _names(rows: Any, key: str) -> tuple[str, ...] | None:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return None
    return tuple(str(row[key]) for row in rows if row.get(key))


def _ollama(answer: Any) -> tuple[str, ...] | None:
    return _names(answer.get("models"), "name") if isinstance(answer, dict) else None


def _lm_studio(answer: Any) -> tuple[str, ...] | None:
    """Its own REST interface, which also lists models that are not for chat."""
    rows = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        return None
    return _names([row for row in rows if row.get("type") in {"llm", "vlm"}], "id")


def _llama_server(answer: Any) -> tuple[str, ...] | None:
    rows = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not rows:
        return None
    return _names(rows, "id") if all(row.get("owned_by") == "llamacpp" for row in rows) else None


PROBES = (
    Probe("ollama", "Ollama", 11434, "/api/tags", "", _ollama, "OLLAMA_HOST"),
    Probe("llamacpp", "llama-server", 8080, "/v1/models", "/v1", _llama_server),
    Probe("lmstudio", "LM Studio", 1234, "/api/v0/models", "/v1", _lm_studio),
)


def wanted(environ: Mapping[str, str]) -> bool:
    """False where AIRCHER_DISCOVER turns the search off."""
    return environ.get("AIRCHER_DISCOVER", "").strip().lower() not in _OFF


async def detect_servers(
    environ: Mapping[str, str] | None = None, probes: tuple[Probe, ...] = PROBES
) -> tuple[Server, ...]:
    """The servers found, in the order of ``probes``; takes ``LIMIT_S`` at most, never raises."""
    variables = os.environ if environ is None else environ
    if not wanted(variables):
        return ()
    found = await asyncio.gather(*(_look(_moved(probe, variables)) for probe in probes))
    return tuple(server for server in found if server is not None)


_HERE = frozenset({"", "127.0.0.1", "localhost", "0.0.0.0", "::1", "::"})  # noqa: S104 - compared, not bound


def _moved(probe: Probe, environ: Mapping[str, str]) -> Probe:
    """The probe at the port that the user's environment names, if that is on this machine."""
    address = environ.get(probe.address_env, "") if probe.address_env else ""
    if not address:
        return probe
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        port = parts.port
    except ValueError:
        return probe
    here = (parts.hostname or "") in _HERE
    return replace(probe, port=port) if here and port else probe


async def _look(probe: Probe) -> Server | None:
    try:
        async with asyncio.timeout(LIMIT_S):
            answer = await _get(probe.port, probe.path)
        models = probe.read(json.loads(answer))
    except (OSError, TimeoutError, ValueError, AttributeError):
        return None
    if models is None:
        return None
    url = f"http://127.0.0.1:{probe.port}{probe.base_path}"
    return Server(probe.name, probe.title, url, models)


async def _get(port: int, path: str) -> bytes:
    """The body of a plain GET.  HTTP/1.0: the answer comes in one piece and ends the connection.

    Raises ``OSError`` without a connection, ``ValueError`` for an answer that is not 200.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        answer = await _read_all(reader)
    finally:
        writer.close()
    head, separator, body = answer.partition(b"\r\n\r\n")
    status = head.split(b" ", 2)[1:2]
    if not separator or status != [b"200"]:
        raise ValueError(f"port {port} did not answer as expected")
    return body


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    """Up to the end, or up to what no model list is as long as."""
    pieces = bytearray()
    while len(pieces) < _SIZE_LIMIT and (piece := await reader.read(1 << 16)):
        pieces += piece
        if _is_whole(pieces):
            break
    return bytes(pieces)


def _is_whole(answer: bytearray) -> bool:
    """True once as much has come as Content-Length says: some servers keep the line open."""
    head, separator, body = bytes(answer).partition(b"\r\n\r\n")
    for line in head.split(b"\r\n") if separator else ():
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return len(body) >= int(value)
    return False
