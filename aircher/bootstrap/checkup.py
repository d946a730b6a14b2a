"""What works on this machine and what does not, for ``aircher doctor``."""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import aircher
from aircher.bootstrap.configuring import config_path, data_dir, key_variables, load_config
from aircher.bootstrap.local import local_status
from aircher.bootstrap.opening import database_path
from aircher.bootstrap.passphrase import nobody
from aircher.bootstrap.sources import key_use, stores_of
from aircher.domain.children import child_environment
from aircher.domain.classes import dataclass
from aircher.domain.keys import shown_origin
from aircher.providers.local.discover import detect_servers
from aircher.providers.vendors import vendors

State = Literal["ok", "warn", "fail"]

_PACKAGES = {  # distribution -> module, and whether the program starts without it
    "textual": ("textual", False),
    "openai": ("openai", False),
    "anthropic": ("anthropic", False),
    "google-genai": ("google.genai", False),
    "ollama": ("ollama", False),
    "genai-prices": ("genai_prices", False),
    "keyring": ("keyring", True),
    "xllamacpp": ("xllamacpp", True),
}
_CONNECT_S = 3.0
_GIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: ``fail`` means that something needed does not work, ``warn`` that
    something optional is missing.  ``hint`` is the next step, "" where there is none.
    """

    name: str
    state: State
    text: str
    hint: str = ""


def checkup(*, online: bool) -> Iterator[Check]:
    """Looks at everything, one check after the other.

    Touches no network but this machine unless ``online``: then a TCP connection to each endpoint
    whose key is there, or that the user set up without one, and nothing is sent.  Keys are looked for, never shown.
    """
    yield from _versions()
    yield from (_package(name, *how) for name, how in _PACKAGES.items())
    yield _git()
    yield from _configuration()
    yield _database(database_path())
    yield from _keys(online=online)
    yield from _servers()
    yield _local_model()


def _versions() -> Iterator[Check]:
    python = platform.python_version()
    fine = sys.version_info >= (3, 11)
    yield Check(
        "python",
        "ok" if fine else "fail",
        f"Python {python} on {platform.system()} {platform.machine()}",
        "" if fine else "Install Python 3.11 or newer.",
    )
    yield Check("aircher", "ok", f"aircher {aircher.__version__}")


def _package(name: str, module: str, optional: bool) -> Check:
    """Whether it could be imported; it is not."""
    try:
        there = importlib.util.find_spec(module) is not None
        version = importlib.metadata.version(name) if there else ""
    except (ModuleNotFoundError, ValueError):  # a parent package or the metadata is missing
        there, version = False, ""
    if there:
        return Check(f"package {name}", "ok", f"{name} {version}")
    wanted = "'aircher[local]'" if name == "xllamacpp" else name
    return Check(
        f"package {name}",
        "warn" if optional else "fail",
        f"{name} is not installed",
        f"pip install {wanted}",
    )


def _git() -> Check:
    """Git is used for commit messages and context; everything else works without it."""
    git = shutil.which("git")
    if git is None:
        return Check("git", "warn", "git is not installed", "Install git to use it from Aircher.")
    try:
        done = subprocess.run(
            [git, "--version"],
            env=child_environment(os.environ, key_variables()),
            capture_output=True,
            text=True,
            timeout=_GIT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return Check("git", "warn", "git does not answer", "Try: git --version")
    return Check("git", "ok", done.stdout.strip())


def _configuration() -> Iterator[Check]:
    path = config_path()
    there = "" if path.exists() else " (not there: defaults are used)"
    yield Check("config file", "ok", f"{path}{there}")
    problems = load_config().problems
    for problem in problems:
        yield Check("config", "fail", str(problem), "Correct it, then: aircher config check")
    if not problems:
        yield Check("config", "ok", "no problems")
    yield Check("data folder", "ok", str(data_dir()))


def _database(path: Path) -> Check:
    """Read only: looking must neither make a file nor repair one."""
    if not path.exists():
        return Check("database", "ok", f"{path} does not exist yet; it is made at first use")
    try:
        raw = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=2.0)
        try:
            (verdict,) = raw.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            raw.close()
    except sqlite3.Error as error:
        verdict = str(error)
    if verdict == "ok":
        return Check("database", "ok", f"{path} is healthy")
    hint = "At the next start a damaged file is moved aside, not deleted."
    return Check("database", "fail", f"{path} cannot be used: {verdict}", hint)


def _keys(*, online: bool) -> Iterator[Check]:
    """A missing key is no fault: nobody has them all."""
    config = load_config()
    stores = stores_of(config, nobody)
    rows = vendors()
    for name in dict.fromkeys((*rows, *config.providers.named)):
        own, vendor = config.providers.named.get(name), rows.get(name)
        title = vendor.title if vendor is not None else name
        use = key_use(name, vendor, config)
        names = use.variables
        place = stores.quick(use) or stores.chain.place(use)
        if place is not None and place.origin != use.origin:
            there, here = shown_origin(place.origin), shown_origin(use.origin)
            text = f"{title}: the key in {place.source} is for {there}, not for {here}"
            yield Check(f"key {name}", "fail", text, f"aircher keys set {name}")
        elif place is not None:
            yield Check(f"key {name}", "ok", f"{title}: key in {place.source}")
        elif names:
            hint = f"Set {' or '.join(names)} to use it, or: aircher keys set {name}"
            yield Check(f"key {name}", "warn", f"{title}: no key", hint)
        base_url = (own.base_url if own is not None else None) or (
            vendor.base_url if vendor else ""
        )
        wanted = place is not None or (own is not None and not names)
        if online and base_url and wanted:
            yield _endpoint(name, base_url)


def _endpoint(name: str, base_url: str) -> Check:
    """A TCP connection, opened and closed."""
    parts = urlsplit(base_url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((host, port), timeout=_CONNECT_S).close()
    except OSError as error:
        why = error.strerror or str(error)
        return Check(
            f"endpoint {name}",
            "fail",
            f"{host}:{port} cannot be reached: {why}",
            "Check the connection and the proxy.",
        )
    return Check(f"endpoint {name}", "ok", f"{host}:{port} can be reached")


def _servers() -> Iterator[Check]:
    """Model servers that answer on this machine; none is no fault, and is not told."""
    if not load_config().discover:
        return
    for server in asyncio.run(detect_servers()):
        models = len(server.models)
        text = f"{server.title} answers at {server.base_url} with {models} models"
        yield Check(f"server {server.name}", "ok", text)


def _local_model() -> Check:
    status = local_status()
    if status.ready:
        return Check("built-in model", "ok", f"{status.name} is ready ({status.path})")
    if status.sha_ok is False:
        hint = "aircher local pull --force"
        return Check("built-in model", "fail", f"{status.path} is damaged", hint)
    if status.present:
        hint = "pip install 'aircher[local]'"
        return Check("built-in model", "warn", "xllamacpp, which runs it, is not installed", hint)
    return Check("built-in model", "warn", "it is not fetched yet", "aircher local pull")
