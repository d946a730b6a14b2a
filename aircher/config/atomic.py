"""Reading and writing small private files; a crash leaves either the old or the new one."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

LARGEST = 4 * 1024 * 1024
"""Bytes; no private file of ours comes near."""


def read_private(file: Path) -> bytes:
    """A file that nobody but the user can have written or read.

    Raises ``OSError`` whose ``strerror`` is a clause: for a link, anything but a plain file,
    another owner, a file that others may write.  One that others may read is made 0600.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(file, flags)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a link") from None
        raise
    with os.fdopen(handle, "rb") as stream:
        facts = os.fstat(stream.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, "it is not a plain file")
        if facts.st_size > LARGEST:
            raise OSError(errno.EFBIG, "it is far too large")
        if sys.platform != "win32":
            if facts.st_uid != os.geteuid():
                raise OSError(errno.EPERM, "it belongs to another user")
            if facts.st_mode & 0o022:
                raise OSError(errno.EPERM, "others may write it")
            if facts.st_mode & 0o077:
                os.fchmod(stream.fileno(), 0o600)
        return stream.read(LARGEST)


def private_folder(folder: Path) -> None:
    """Makes the folder and all that are missing above it, 0700 each.  Raises ``OSError``."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)


def write_private(file: Path, data: bytes, *, through_link: bool = False) -> None:
    """Replaces ``file`` by ``data``, readable by its owner alone (0600; new folders 0700).

    A crash leaves the old file or the new one.  A symbolic link is refused; with
    ``through_link`` the file that it names is replaced and the link stays, as whoever keeps
    settings in a folder of dotfiles wants it.  A file, or its folder, of another user is refused.
    Raises ``OSError``; nothing is left behind then.
    """
    import tempfile  # here, since it is slow to import and most runs write nothing

    if not through_link and file.is_symlink():
        raise OSError(errno.ELOOP, "it is a link")
    target = Path(os.path.realpath(file))
    private_folder(target.parent)
    _require_own(file, target)
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:  # mkstemp made it 0600, with O_EXCL
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(target.parent)


def _require_own(*files: Path) -> None:
    """Raises ``OSError`` for a link or file of another user's, and for a folder of a stranger's
    (root's is none), or one in which anyone may replace files.
    """
    if sys.platform == "win32":
        return
    for file in files:
        try:
            facts = file.lstat()
        except FileNotFoundError:
            continue
        if facts.st_uid != os.geteuid():
            raise OSError(errno.EPERM, "it belongs to another user")
    folder = files[-1].parent.stat()
    if folder.st_uid not in {os.geteuid(), 0}:
        raise OSError(errno.EPERM, "its folder belongs to another user")


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
