"""Writing a small private file so that a crash leaves either the old or the new one."""

from __future__ import annotations

import contextlib
import os
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


def _sync_folder(folder: Path) -> None:
    """Makes the rename itself durable, where the system can do that."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
