"""Message parts as JSON text, and back.  Bytes are written in base64."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from aircher.domain.errors import StorageError
from aircher.domain.inert import encodable
from aircher.domain.messages import Document, Image, Part, Text, Thinking, ToolCall, ToolResult

_KINDS: dict[str, type[Part]] = {
    "text": Text,
    "thinking": Thinking,
    "image": Image,
    "document": Document,
    "tool_call": ToolCall,
    "tool_result": ToolResult,
}
_NAMES: dict[type[Part], str] = {cls: name for name, cls in _KINDS.items()}
_FIELDS: dict[str, tuple[str, ...]] = {
    name: tuple(f.name for f in fields(cls)) for name, cls in _KINDS.items()
}
_BYTES = "data"
"""The one field, of images and documents, that holds bytes."""


def _written(part: Part) -> dict[str, Any]:
    name = _NAMES[type(part)]
    written: dict[str, Any] = {"type": name}
    for field in _FIELDS[name]:
        value = getattr(part, field)
        written[field] = base64.b64encode(value).decode("ascii") if field == _BYTES else value
    return written


def _read(written: dict[str, Any]) -> Part:
    name = written["type"]
    values = {field: written[field] for field in _FIELDS[name] if field in written}
    if _BYTES in values:
        values[_BYTES] = base64.b64decode(values[_BYTES])
    return _KINDS[name](**values)


def dump_parts(parts: Iterable[Part]) -> str:
    """The parts as one JSON array."""
    written = [_written(part) for part in parts]
    text = json.dumps(written, ensure_ascii=False, separators=(",", ":"))
    return text if encodable(text) is text else json.dumps(written, separators=(",", ":"))


def load_parts(text: str) -> tuple[Part, ...]:
    """The parts in a JSON array.  Raises ``StorageError`` for anything else."""
    try:
        return tuple(_read(written) for written in json.loads(text))
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(
            "A message in the data file cannot be read.",
            hint="Run `aircher doctor` to check the file.",
        ) from error
