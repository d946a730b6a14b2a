"""The openai SDK as both of its dialects use it: the client, a call's events, errors, models."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from typing import Any, Protocol, Self

import httpx2
import openai

from aircher.domain.chat import ChatRequest, Opened
from aircher.domain.errors import ConfigError, InvalidRequest, ProviderError
from aircher.domain.models import ListedModel
from aircher.providers.bodies import facts_from_body, facts_from_error, parsed
from aircher.providers.connection import Connection
from aircher.providers.faults import fault
from aircher.providers.jsonish import arr, count, first_count, obj, text
from aircher.providers.limits import rate_limits
from aircher.providers.patterns import matches
from aircher.providers.sse import Event, NotAnAnswer, read_events
from aircher.providers.transport import (
    foreign,
    http_client,
    lower,
    malformed,
    network_fault,
    opened_id,
    timeout,
)
from aircher.providers.words import hint_values


class _Client(openai.AsyncOpenAI):
    """The SDK's client, without what it would take from the environment.

    OPENAI_ORG_ID, OPENAI_PROJECT_ID and OPENAI_CUSTOM_HEADERS belong to OpenAI; the SDK would
    send them to every vendor.  A server that needs no key is sent none.
    """

    def __init__(self, connection: Connection, **kwargs: Any) -> None:
        options = connection.options
        self._key = connection.key
        self._carrier = text(connection.quirks.get("auth_header"))
        # The SDK looks for OPENAI_API_KEY when the key is None, and refuses an empty one.
        super().__init__(
            base_url=connection.base_url or "https://api.openai.com/v1",
            api_key=connection.key or "none",
            **kwargs,
        )
        self.organization = options.get("org_id")
        self.project = options.get("project_id")
        self._custom_headers = dict(obj(connection.quirks.get("headers")))

    def _auth_headers(self, security: object) -> dict[str, str]:  # noqa: ARG002 - the SDK's signature
        """The key, in the header that this vendor wants."""
        if not self._key:
            return {}
        if self._carrier:
            return {self._carrier: self._key}
        return {"Authorization": f"Bearer {self._key}"}

    def _validate_headers(self, headers: object, custom_headers: object) -> None:
        """The SDK's own check insists on an Authorization header."""


def client(connection: Connection) -> openai.AsyncOpenAI:
    """An SDK client for one provider: no retries, no redirects, explicit timeouts.

    Raises ``ConfigError`` for an address or a proxy that cannot be used.
    """
    common: dict[str, Any] = {
        "max_retries": 0,
        "timeout": timeout(connection),
        "http_client": http_client(connection),
    }
    try:
        return _made(connection, common)
    except httpx2.InvalidURL as error:
        raise ConfigError(
            f"base_url of {connection.provider} is not an address.",
            hint=f"Give an address such as https://host/v1 in [providers.{connection.provider}].",
        ) from error


def _made(connection: Connection, common: dict[str, Any]) -> openai.AsyncOpenAI:
    if version := connection.options.get("api_version"):
        return openai.AsyncAzureOpenAI(
            azure_endpoint=re.sub(r"/openai(/v1)?/?$", "", connection.base_url),
            api_version=str(version),
            api_key=connection.key or "none",
            **common,
        )
    return _Client(connection, **common)


class _Response(Protocol):
    """What is used of the SDK's raw response."""

    @property
    def headers(self) -> Mapping[str, str]: ...

    def iter_bytes(self) -> AsyncIterator[bytes]: ...


def _refused(error: openai.APIStatusError, connection: Connection, model: str) -> ProviderError:
    return fault(
        facts_from_body(
            connection.provider,
            model,
            error.status_code,
            lower(error.response.headers),
            error.response.text,
            secret=connection.key,
            key_place=connection.key_place,
        )
    )


class Edge:
    """The one place where foreign errors become ours, around everything a call does."""

    def __init__(self, connection: Connection, model: str = "") -> None:
        self._connection = connection
        self._model = model

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, openai.APIStatusError):
            raise _refused(error, self._connection, self._model) from error
        if isinstance(error, NotAnAnswer):
            raise malformed(str(error), self._connection, self._model) from error
        if error is not None and isinstance(error, (openai.OpenAIError, *foreign())):
            raise network_fault(error, self._connection, self._model) from error


def stream_fault(data: Mapping[str, Any], connection: Connection, model: str) -> ProviderError:
    """Our error for an error event inside a stream, or an error in a body of status 200."""
    return fault(
        facts_from_error(
            connection.provider,
            model,
            data,
            status=200,
            in_stream=True,
            secret=connection.key,
            key_place=connection.key_place,
        )
    )


@asynccontextmanager
async def exchange(
    call: AbstractAsyncContextManager[Any],
) -> AsyncIterator[tuple[Opened, AsyncIterator[Event]]]:
    """Sends a prepared call; gives what its headers tell, and its events."""
    async with call as raw:
        response: _Response = raw
        headers = lower(response.headers)
        opened = Opened("", opened_id(headers), rate_limits(headers))
        yield opened, read_events(headers.get("content-type", ""), response.iter_bytes())


def effort_word(request: ChatRequest, quirks: Mapping[str, Any]) -> str | None:
    """The vendor's word for the wanted thinking effort; None where it is not to be sent."""
    if request.thinking is None or quirks.get("effort", "none") == "none":
        return None
    if (models := quirks.get("effort_models")) is not None and not matches(models, request.model):
        return None
    for row in arr(quirks.get("effort_names")):
        if re.search(row["models"], request.model):
            return str(row.get(request.thinking, request.thinking))
    return request.thinking


def untakeable(what: str, connection: Connection, model: str) -> ProviderError:
    """The error for an attachment or option that this provider's protocol cannot carry."""
    title = hint_values(connection.provider, model)["title"]
    return InvalidRequest(
        f"{title} takes no {what}.",
        hint="Leave it out, or use another provider.",
        provider=connection.provider,
        model=model,
    )


TICKS_PER_USD = 10**10
"""xAI counts cost in ten-billionths of a dollar ("cost_in_usd_ticks")."""


def _number(value: Any) -> Decimal | None:
    if isinstance(value, Decimal):
        return value
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else None


def vendor_cost(usage: Mapping[str, Any]) -> str:
    """What the vendor says the call cost, in USD as a decimal number; "" if it says nothing.

    OpenRouter: ``cost`` (with the user's own key at the vendor, that vendor's bill is on top).
    Perplexity: ``cost.total_cost``.  xAI: ``cost_in_usd_ticks``, of which 0 says nothing.
    """
    said = usage.get("cost")
    cost = _number(obj(said).get("total_cost") if isinstance(said, dict) else said)
    if cost is not None and usage.get("is_byok") is True:
        upstream = _number(obj(usage.get("cost_details")).get("upstream_inference_cost"))
        cost += upstream or 0
    if cost is None and (ticks := count(usage.get("cost_in_usd_ticks"))):
        cost = Decimal(ticks) / TICKS_PER_USD
    return "" if cost is None else format(cost, "f")


def protocol_features(connection: Connection) -> frozenset[str]:
    """What both protocols carry; PDF files only where the vendor takes them."""
    extra = {"documents": bool(connection.quirks.get("files")), "local": connection.local}
    always = {"vision", "tools", "json", "thinking", "streaming"}
    return frozenset(always | {name for name, yes in extra.items() if yes})


_FEATURE_WORDS = {
    "image": "vision",
    "vision": "vision",
    "file": "documents",
    "tools": "tools",
    "function_calling": "tools",
    "reasoning": "thinking",
    "structured_outputs": "json",
    "response_format": "json",
}


def _features(row: Mapping[str, Any]) -> frozenset[str]:
    said = {
        *map(str, arr(obj(row.get("architecture")).get("input_modalities"))),
        *map(str, arr(row.get("supported_parameters"))),
        *(name for name, yes in obj(row.get("capabilities")).items() if yes is True),
    }
    return frozenset(_FEATURE_WORDS[word] for word in said & _FEATURE_WORDS.keys())


def _listed(row: Mapping[str, Any]) -> ListedModel:
    top = obj(row.get("top_provider"))
    return ListedModel(
        id=text(row.get("id")) or text(row.get("name")) or text(row.get("model")),
        context_window=first_count(
            *(
                row.get(name)
                for name in (
                    "context_length",
                    "context_window",
                    "max_context_length",
                    "max_model_len",
                )
            ),
            top.get("context_length"),
        ),
        max_output=first_count(
            top.get("max_completion_tokens"),
            row.get("max_completion_tokens"),
            row.get("max_output_tokens"),
        ),
        features=_features(row),
    )


def _rows(data: Mapping[str, Any]) -> list[Any] | None:
    """The list inside a body, or the body itself where it is one model; None if neither."""
    for name in ("data", "models"):
        if name in data:
            return arr(data[name])
    return [data] if data.get("id") else None


async def list_models(sdk: openai.AsyncOpenAI, connection: Connection) -> Sequence[ListedModel]:
    """GET /models, in any of the shapes that vendors give it."""
    with Edge(connection):
        answer = await sdk.models.with_raw_response.list()
        data = parsed(answer.http_response.content)
    rows = data if isinstance(data, list) else _rows(obj(data))
    if rows is None:
        raise malformed("no list of models", connection)
    found = (_listed(obj(row)) for row in rows)
    return [model for model in found if model.id]
