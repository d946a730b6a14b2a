"""The walls around every test: no network but loopback, a HOME of its own, no keys, no keyring."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

_OUTSIDE: list[str] = []


def _is_local(address: Any) -> bool:
    """True for loopback addresses, abstract and file sockets."""
    if not isinstance(address, tuple):
        return True
    host = str(address[0])
    return host in {"localhost", "::1", ""} or host.startswith("127.")


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.connect" and not _is_local(args[1]):
        _OUTSIDE.append(f"connect to {args[1]!r}")
        raise PermissionError(f"tests may not reach the network: {args[1]!r}")
    if event == "socket.getaddrinfo" and args[0] is not None and not _is_local((args[0],)):
        host = args[0].decode() if isinstance(args[0], bytes) else str(args[0])
        if host.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        _OUTSIDE.append(f"look-up of {host!r}")
        raise PermissionError(f"tests may not look up {host!r}")


sys.addaudithook(_audit)

# A busy machine is no reason to fail; pytest-timeout ends what really hangs.
settings.register_profile("aircher", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("aircher")


def pytest_configure() -> None:
    """Takes back that signals are ignored, as by ``nohup`` or a shell's ``&``: children inherit it."""
    for name in ("SIGINT", "SIGHUP", "SIGQUIT"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            usual = signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL
            signal.signal(number, usual)


@pytest.fixture(autouse=True)
def _no_outside_network() -> Iterator[None]:
    """Fails the test that tried, even where the code under test swallowed the refusal."""
    _OUTSIDE.clear()
    yield
    assert not _OUTSIDE, f"the test tried to leave this machine: {_OUTSIDE}"


_SECRET_ENDINGS = ("_API_KEY", "_TOKEN", "_SECRET", "_ACCESS_KEY", "_API_BASE", "_BASE_URL")


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty HOME with its XDG folders; the environment without keys and proxies."""
    folder = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if (
            name.endswith(_SECRET_ENDINGS)
            or name.startswith(("AIRCHER_", "OLLAMA_", "AZURE_", "AWS_", "GOOGLE_"))
            or name.lower() in {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}
            or (name.startswith("GIT_") and name != "GIT_SSL_CAINFO")
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    for name, sub in (
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_DATA_HOME", ".local/share"),
        ("XDG_STATE_HOME", ".local/state"),
        ("XDG_CACHE_HOME", ".cache"),
    ):
        monkeypatch.setenv(name, str(folder / sub))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Test")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "test@example.invalid")
    # No server that happens to run on this machine may change a test.
    monkeypatch.setenv("AIRCHER_DISCOVER", "false")
    return folder


WIRE = Path(__file__).resolve().parents[2] / "shared" / "wire"


@pytest.fixture(scope="session")
def wire_folder() -> Path:
    """The folder of recorded provider traffic; skips where it is not there."""
    if not (WIRE / "replay_server.py").is_file():
        pytest.skip("no recorded traffic beside this checkout (../shared/wire)")
    return WIRE
