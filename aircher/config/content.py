"""A configuration file's bytes to text, and its text to TOML values."""

from __future__ import annotations

import errno
import os
import stat
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from aircher.domain.classes import dataclass
from aircher.domain.regexes import regex
from aircher.domain.settings import ConfigProblem

LARGEST_FILE = 1_000_000
"""Bytes; a configuration is a few kilobytes, so anything larger is a mistake or a trap."""


@dataclass(frozen=True, slots=True)
class Content:
    """A file's bytes and text; ``problem`` is set where it cannot be used."""

    data: bytes = b""
    text: str = ""
    problem: ConfigProblem | None = None
    missing: bool = False


def read_content(file: Path, *, follow: bool = True) -> Content:
    """Reads a file as UTF-8; never waits for a pipe and never reads a huge file.

    Without ``follow`` a link is refused.
    """
    name = str(file)

    def unusable(message: str, hint: str = "", line: int = 0) -> Content:
        return Content(problem=ConfigProblem(name, line, "", message, hint))

    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(file, flags if follow else flags | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(handle, "rb") as stream:
            facts = os.fstat(stream.fileno())
            if not stat.S_ISREG(facts.st_mode):
                return unusable("is not a regular file")
            if facts.st_size > LARGEST_FILE:
                return unusable("is larger than 1 MB; a configuration is a few kilobytes")
            data = stream.read(LARGEST_FILE)
    except FileNotFoundError:
        return Content(missing=True)
    except IsADirectoryError:
        return unusable("is a folder, not a file")
    except OSError as error:
        if error.errno == errno.ELOOP and not follow:
            return unusable("is a link, so nothing in it counts", "copy what it names")
        return unusable(f"cannot be read: {error.strerror}", "check its permissions")
    try:
        return Content(data, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return unusable("is not UTF-8 text", "save it as UTF-8", line)


_AT = regex(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def parse(name: str, text: str) -> tuple[dict[str, Any], ConfigProblem | None]:
    """TOML text to values, floats as ``Decimal``; a syntax error becomes one problem."""
    try:
        return tomllib.loads(text, parse_float=Decimal), None
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        where = _AT.search(said)
        line = int(where[1]) if where and where[1] else text.count("\n") + 1
        column = f" (column {where[2]})" if where and where[2] else ""
        message = f"not valid TOML: {_AT.sub('', said)}{column}"
        return {}, ConfigProblem(name, line, "", message)
    except RecursionError:
        return {}, ConfigProblem(name, 0, "", "not usable: brackets are nested too deeply")
