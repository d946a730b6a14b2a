"""Message parts in the forms that both OpenAI protocols share."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from aircher.domain.chat import ChatRequest
from aircher.domain.errors import ProviderError
from aircher.domain.messages import Document, Image, ToolResult
from aircher.providers.connection import Connection
from aircher.providers.jsonish import obj
from aircher.providers.openai_http import untakeable

_TEXTUAL = ("text/", "application/json", "application/xml", "application/toml", "application/yaml")


def data_url(media_type: str, data: bytes) -> str:
    """Bytes as a data: URL."""
    return f"data:{media_type};base64,{b64encode(data).decode('ascii')}"


def image_url(image: Image) -> str:
    """Where the model finds the image: its https URL, or the bytes themselves."""
    return image.url or data_url(image.media_type, image.data)


def is_text(document: Document) -> bool:
    """True for a document that can stand in the prompt as text."""
    return document.media_type.startswith(_TEXTUAL)


def inlined(document: Document) -> str:
    """A text document as a named block of the prompt."""
    body = document.data.decode("utf-8", "replace")
    name = json.dumps(document.name, ensure_ascii=False)
    return f"<document name={name}>\n{body}\n</document>\n"


def no_documents(connection: Connection, model: str) -> ProviderError:
    """The error for a document that is not text, at a vendor that takes no files."""
    return untakeable("files other than text", connection, model)


def result_text(result: ToolResult) -> str:
    """A tool's result; these protocols have no field for failure."""
    return f"Error: {result.content}" if result.is_error else result.content


def strict_ready(schema: Mapping[str, Any]) -> bool:
    """True when a JSON Schema keeps the rules of OpenAI's strict mode: every object lists all
    its properties as required and allows no others.
    """
    properties = schema.get("properties")
    if schema.get("type") == "object" or properties is not None:
        if schema.get("additionalProperties") is not False:
            return False
        if set(obj(properties)) != set(schema.get("required", ())):
            return False
    below = [*obj(properties).values(), schema.get("items"), *schema.get("anyOf", ())]
    below += [*obj(schema.get("$defs")).values()]
    return all(strict_ready(part) for part in below if isinstance(part, dict))


def plain_options(request: ChatRequest, connection: Connection) -> dict[str, Any]:
    """The user's own extra parameters, as JSON can carry them."""
    try:
        json.dumps(dict(request.options))
    except (TypeError, ValueError):
        raise untakeable("dates in options", connection, request.model) from None
    return dict(request.options)
