"""What a key may look like, and keeping it out of sight."""

from __future__ import annotations

from aircher.domain.errors import ConfigError

LONGEST = 16 * 1024
"""Characters; servers take no longer header."""


class Key(str):
    """A key: text for those who send it, hidden in ``repr`` (tracebacks, dataclasses, logs)."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Key(hidden)"


def fault_of(text: str) -> str:
    """What is wrong with a key, in words that do not show it; "" for a usable one.

    Keys travel in HTTP headers, so only visible ASCII can be right; anything else is a slip of
    copying that a server would answer with a puzzling error.
    """
    if len(text) > LONGEST:
        return "is longer than any key"
    if any(c in "\r\n" for c in text):
        return "holds a line break"
    if any(c.isspace() for c in text):
        return "holds a blank"
    if not text.isascii():
        return "holds a character outside ASCII"
    if not text.isprintable():
        return "holds a control character"
    return ""


def checked(text: str, where: str) -> Key:
    """The key; raises ``ConfigError`` naming ``where`` it stands, never what it is."""
    fault = fault_of(text)
    if fault:
        raise ConfigError(
            f"The key in {where} {fault}, so it cannot be right.",
            hint="Copy it again, without blanks or line breaks around it.",
        )
    return Key(text)
