"""A file as a message part: text, image or PDF, told apart by its bytes."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path

from aircher.domain.errors import UsageError
from aircher.domain.inert import inert
from aircher.domain.messages import Document, Image, Part

MOST_BYTES = 10 * 1024 * 1024
_LOOKED_AT = 8_192

_IMAGES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_ENCODINGS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TEXT_TYPES = {
    ".csv": "text/csv",
    ".css": "text/css",
    ".htm": "text/html",
    ".html": "text/html",
    ".md": "text/markdown",
    ".xml": "text/xml",
}
"""By suffix; anything else is ``text/plain``."""


def part_from(name: str, data: bytes, called: str = "") -> Part:
    """The message part, ``called`` so (or ``name``), for a file's bytes.  Raises ``UsageError`` for an unsupported kind."""
    media_type = _image_type(data)
    if media_type:
        return Image(media_type, data, name=called or name)
    if data.startswith(b"%PDF-"):
        return Document(called or name, "application/pdf", data)
    suffix = Path(name).suffix.lower()
    text = _text(data)
    if text is None:
        raise UsageError(
            f"{name} is neither text nor an image nor a PDF.",
            hint="Models take text, PNG, JPEG, GIF, WebP and PDF files.",
        )
    return Document(
        called or name, _TEXT_TYPES.get(suffix, "text/plain"), text.encode(errors="replace")
    )


def read_part(path: Path, name: str, called: str = "") -> Part:
    """The file at ``path``, which the user wrote as ``name``, as a part that is ``called`` so.

    Raises ``UsageError`` for what is missing, unreadable, too large or no plain file.
    """
    shown = inert(name)
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            plain = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            data = file.read(MOST_BYTES + 1) if plain else b""
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"There is no file {shown}.", hint=_did_you_mean(path)) from error
    except IsADirectoryError as error:
        raise UsageError(f"{shown} is a folder.", hint="Name a file in it.") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL or half a character in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{shown} cannot be read: {reason}.", hint="Check the path.") from error
    if not plain:
        raise UsageError(f"{shown} is not a plain file.", hint="Name a text, image or PDF file.")
    if len(data) > MOST_BYTES:
        raise UsageError(
            f"{shown} is larger than {MOST_BYTES // 1024 // 1024} MB.",
            hint="Attach a part of it, for example with head or sed into a smaller file.",
        )
    return part_from(shown, data, inert(called or name))


def _without_waiting(path: str, flags: int) -> int:
    """Opens a named pipe, too, at once, where it would block until somebody writes."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _image_type(data: bytes) -> str:
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _IMAGES if data.startswith(magic)), "")


def _text(data: bytes) -> str | None:
    """The text in these bytes; None if they are no text."""
    for mark, encoding in _ENCODINGS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    if b"\0" in data[:_LOOKED_AT]:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _did_you_mean(path: Path) -> str:
    try:
        names = sorted(entry.name for entry in path.parent.iterdir())
    except (OSError, ValueError):
        return "Check the path."
    import difflib

    close = difflib.get_close_matches(path.name, names, n=3)
    return inert(f"Did you mean {' or '.join(close)}?") if close else "Check the path."
