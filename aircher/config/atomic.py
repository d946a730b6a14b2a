"""Writing a small private file so that a crash leaves either the old or the new one."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


def write_private(file: Path, data: bytes) -> None:
    """Replaces ``file`` by ``data``, readable by its owner alone (0600; new folders 0700).

    A symbolic link is followed, so that the file it names is replaced and the link stays.
    Raises ``OSError``; nothing is left behind then.
    """
    import tempfile  # here, since it is slow to import and most runs write nothing

    target = Path(os.path.realpath(file))
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:  # mkstemp made it 0600
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(target.parent)


@contextlib.contextmanager
def one_writer(file: Path) -> Iterator[None]:
    """Lets no other process change ``file`` between our reading and writing it.

    The lock is its folder's, so nothing is left behind; where the system has no such locks, or
    there is no folder yet, it goes without.
    """
    handle = -1
    with contextlib.suppress(OSError):
        handle = os.open(Path(os.path.realpath(file)).parent, os.O_RDONLY)
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if handle >= 0:
            os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Makes the rename itself durable, where the system can do that."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
