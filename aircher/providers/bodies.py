"""Error bodies in all the shapes that vendors give them, taken apart into plain facts.

OpenAI and most     {"error": {"message", "type", "code"}}
Anthropic           {"type": "error", "error": {"type", "message"}, "request_id"}
Google              {"error": {"code": 400, "status", "message", "details"}}, or in a list
OpenRouter          {"error": {"code": 429, "message", "metadata": {"raw"}}}
xAI                 {"code", "error": "sentence"}          Ollama  {"error": "sentence"}
Mistral, FastAPI    {"detail": "sentence" | [{"loc", "msg"}]}, {"message", "type", "code"}
Bedrock             {"message"}                            gateways  a page of HTML
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from aircher.domain.regexes import regex
from aircher.providers.faults import Facts
from aircher.providers.waits import duration_seconds

_TITLE = regex(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_TAG = regex(r"<[^>]{0,500}>")


def _word(value: Any) -> str:
    """A type or code as text; vendors write strings, numbers or null."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)


def _sentence(value: Any) -> str:
    """A message as text: a string, a list of validation errors, or an object holding one."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(filter(None, (_sentence(item) for item in value[:5])))
    if isinstance(value, dict):
        place = value.get("loc")
        where = ".".join(map(str, place)) + ": " if isinstance(place, list) else ""
        for name in ("msg", "message", "detail", "Message", "error"):
            if found := _sentence(value.get(name)):
                return where + found
    return ""


def _details(error: Mapping[str, Any]) -> tuple[str, float | None]:
    """Google's machine-readable reason ("API_KEY_INVALID") and delay in seconds."""
    reason, wait = "", None
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict):
            reason = reason or _word(detail.get("reason"))
            delay = detail.get("retryDelay")
            wait = duration_seconds(delay) if isinstance(delay, str) else wait
    return reason, wait


def _upstream(error: Mapping[str, Any]) -> str:
    """What the vendor behind a router said (OpenRouter)."""
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    return raw if isinstance(raw, str) else ""


def _plain_text(body: str) -> str:
    """The words of an HTML page or of any other text."""
    title = _TITLE.search(body)
    return (title[1] if title else _TAG.sub(" ", body)).strip()


def parsed(body: str | bytes) -> Any:
    """The JSON value of a body, or None where it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def facts_from_error(provider: str, model: str, data: Any, **more: Any) -> Facts:
    """Facts from an error body (or the error event of a stream) that is already parsed.

    ``more`` are further fields of ``Facts``: status, headers, in_stream, secret ...
    """
    if isinstance(data, list):
        data = data[0] if data else {}
    data = data if isinstance(data, dict) else {}
    error = data.get("error")
    inner = error if isinstance(error, dict) else data
    reason, wait = _details(inner)
    message = error if isinstance(error, str) else _sentence(inner)
    upstream = _upstream(inner)
    status = more.pop("status", None)
    if (status or 200) == 200 and isinstance(inner.get("status_code"), int):
        status = inner["status_code"]
    return Facts(
        provider=provider,
        model=model,
        status=status,
        type=_word(inner.get("type") or inner.get("__type") or inner.get("status")),
        code=reason or _word(inner.get("code")),
        message=f"{message}: {upstream}" if upstream else message,
        request_id=_word(data.get("request_id")),
        retry_after=wait,
        **more,
    )


def facts_from_body(
    provider: str,
    model: str,
    status: int,
    headers: Mapping[str, str],
    body: str | bytes,
    *,
    secret: str = "",
    key_place: str = "",
) -> Facts:
    """Facts from a whole HTTP answer that tells of an error; ``headers`` in lower case."""
    data = parsed(body)
    text = body if isinstance(body, str) else body.decode("utf-8", "replace")
    facts = facts_from_error(
        provider,
        model,
        data,
        status=status,
        headers=headers,
        secret=secret,
        key_place=key_place,
    )
    if facts.message or isinstance(data, dict | list):
        return facts
    return Facts(
        provider,
        model,
        status,
        message=_plain_text(text[:20_000]),
        headers=headers,
        secret=secret,
        key_place=key_place,
    )
