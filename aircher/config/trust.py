"""Which project files the user has read and trusts: by path and by content.

A file that changes by one byte is not trusted any more, so a pull cannot slip settings in.
"""

from __future__ import annotations

import os
from pathlib import Path

from aircher.config.atomic import read_private, write_private
from aircher.domain.classes import dataclass


@dataclass(frozen=True, slots=True)
class Trust:
    """The trust file in the data folder: a JSON object of absolute path -> SHA-256."""

    file: Path

    def allows(self, project: Path, content: bytes) -> bool:
        """True if exactly this content was trusted at this path."""
        known = self._entries().get(_name(project))
        return known is not None and known == digest(content)

    def knows(self, project: Path) -> bool:
        """True if some content was trusted at this path."""
        return _name(project) in self._entries()

    def all(self) -> dict[Path, str]:
        """Every trusted path with the SHA-256 of its content."""
        return {Path(name): digest for name, digest in self._entries().items()}

    def add(self, project: Path, content: bytes) -> None:
        """Trusts this content at this path.  Raises ``OSError``."""
        self._write(self._entries() | {_name(project): digest(content)})

    def remove(self, project: Path) -> bool:
        """Forgets the path; False if it was not known.  Raises ``OSError``."""
        entries = self._entries()
        if entries.pop(_name(project), None) is None:
            return False
        self._write(entries)
        return True

    def _entries(self) -> dict[str, str]:
        """What is trusted; a missing or damaged file trusts nothing."""
        try:
            content = read_private(self.file)
        except OSError:
            return {}
        import json  # here, since most runs find no trust file

        try:
            entries = json.loads(content)
        except (ValueError, RecursionError):
            return {}
        if not isinstance(entries, dict):
            return {}
        return {name: value for name, value in entries.items() if isinstance(value, str)}

    def _write(self, entries: dict[str, str]) -> None:
        import json

        write_private(self.file, json.dumps(entries, indent=1, sort_keys=True).encode())


def _name(project: Path) -> str:
    """The file's own place: where its folder really is, the file itself not followed."""
    return os.path.join(os.path.realpath(project.parent), project.name)


def digest(content: bytes) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    import hashlib  # here, since most runs find no project file

    return hashlib.sha256(content).hexdigest()
