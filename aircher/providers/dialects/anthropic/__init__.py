"""Claude: Anthropic's Messages API through Anthropic's own SDK.

The same protocol is spoken by Claude on Amazon Bedrock and on Google's Vertex AI, with other
addresses and keys: ``options["cloud"]`` "bedrock" or "vertex" (extras of the same names).
``request`` maps what we ask, ``reply`` what comes back, ``edge`` what goes wrong.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import httpx2
from anthropic import AsyncAnthropic, AsyncAnthropicBedrock, AsyncStream
from anthropic._streaming import ServerSentEvent
from anthropic.lib.bedrock._stream_decoder import AWSEventStreamDecoder

from aircher.domain.chat import ChatRequest, Chunk, Opened
from aircher.domain.models import ListedModel
from aircher.domain.ports import Provider
from aircher.providers.connection import Connection
from aircher.providers.dialects.anthropic import reply, request
from aircher.providers.dialects.anthropic.clients import Reached, reach
from aircher.providers.dialects.anthropic.edge import Edge
from aircher.providers.limits import rate_limits
from aircher.providers.reasons import reason
from aircher.providers.transport import lower, opened_id

FEATURES = frozenset(
    {"vision", "documents", "tools", "json", "long_context", "thinking", "streaming"}
)

_STREAMS = {"text/event-stream", "application/vnd.amazon.eventstream", ""}
_JSON = "application/json"

_CAPABILITIES = {
    "image_input": "vision",
    "pdf_input": "documents",
    "structured_outputs": "json",
    "thinking": "thinking",
}
"""The names in Anthropic's model list, and ours."""
_ALWAYS = {"tools", "streaming"}
_LONG = 200_000
"""Tokens from which a context window counts as long: the window of every Claude since 2.1."""


class Claude:
    """A connection to Claude."""

    def __init__(self, connection: Connection, reached: Reached) -> None:
        self._connection = connection
        self._client = reached.client
        self._edge = Edge(connection, reached.sign_in)
        self._broken: tuple[type[Exception], ...] = (ValueError, RecursionError, *reached.garbled)
        self._vendors = {request.VENDOR, connection.provider}

    @property
    def name(self) -> str:
        """The name in the configuration."""
        return self._connection.provider

    @property
    def features(self) -> frozenset[str]:
        """What the protocol carries."""
        return FEATURES

    def prefills(self, model: str) -> bool:
        """Whether the model goes on with an answer that the last message begins."""
        return request.takes_prefill(model)

    async def stream(self, asked: ChatRequest) -> AsyncIterator[Chunk]:
        """Chunks of one reply; see ``ChatPort``."""
        model = asked.model
        # The SDK's advice on retired models would tear the screen; the API says what matters.
        # Said with each call, because whoever changes the filters meanwhile undoes it.
        warnings.filterwarnings("ignore", r"The model '.*' is deprecated", DeprecationWarning)
        with self._edge.crossing(model):
            call = self._client.messages.with_streaming_response.create(
                **request.arguments(asked, self._vendors), stream=asked.stream
            )
            async with call as response:
                headers = lower(response.headers)
                reader = reply.Reader(
                    Opened(request_id=opened_id(headers), limits=rate_limits(headers))
                )
                async for event in self._events(response.http_response, model):
                    if event.get("type") == "error":
                        raise self._edge.reported(event, model, headers)
                    for chunk in reader.read(event):
                        yield chunk
                    if reader.finished:
                        return
                raise self._edge.malformed("it ended before its end marker", model)

    async def _events(
        self, response: httpx2.Response, model: str
    ) -> AsyncIterator[Mapping[str, Any]]:
        """The events of an answer, streamed or whole: its content type says which it is."""
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            if kind == _JSON:
                for event in reply.as_events(_object(json.loads(await response.aread()))):
                    yield event
            elif kind in _STREAMS:
                async for sse in self._decoded(response):
                    if sse.data and sse.data.strip() != "[DONE]":
                        yield _object(json.loads(sse.data))
            else:
                raise self._edge.malformed(f"its type is {kind}", model)
        except self._broken as error:
            raise self._edge.malformed(reason(error), model) from error

    def _decoded(self, response: httpx2.Response) -> AsyncIterator[ServerSentEvent]:
        """Events before the SDK parses them.

        Its parser drops an event without a name, broken or not, and so takes half a reply
        for a whole one.  Bedrock wraps the same events in Amazon's binary frames.
        """
        if isinstance(self._client, AsyncAnthropicBedrock):
            return AWSEventStreamDecoder().aiter_bytes(response.aiter_bytes())
        return AsyncStream.raw_events(response)

    async def models(self) -> Sequence[ListedModel]:
        """Anthropic's own list; the clouds offer none."""
        if not isinstance(self._client, AsyncAnthropic):
            return ()
        found: dict[str, ListedModel] = {}
        with self._edge.crossing():
            try:
                async for info in self._client.models.list(limit=1000):
                    row = _listed(info.to_dict(mode="json"))
                    if row.id in found:
                        break  # a server without pages gives the first one for ever
                    found[row.id] = row
            except TypeError as error:
                raise self._edge.malformed("it is no list of models", "") from error
        return list(found.values())

    async def count_tokens(self, asked: ChatRequest) -> int | None:
        """The prompt's size by Anthropic's own count; None on Bedrock, which has none here."""
        if isinstance(self._client, AsyncAnthropicBedrock):
            return None
        with self._edge.crossing(asked.model):
            found = await self._client.messages.count_tokens(**request.prompt(asked, self._vendors))
        # The SDK hands over whatever came, a page of HTML too.
        count: Any = getattr(found, "input_tokens", None)
        if not isinstance(count, int):
            raise self._edge.malformed("there is no count in it", asked.model)
        return count

    async def aclose(self) -> None:
        """Closes connections."""
        await self._client.close()


def _object(value: Any) -> Mapping[str, Any]:
    """``value`` if it is a JSON object; else ``ValueError``."""
    if not isinstance(value, dict):
        raise ValueError("an event is not a JSON object")  # noqa: TRY004 - as json.loads does
    return value


def _listed(info: Mapping[str, Any]) -> ListedModel:
    """A row of the model list; servers that only speak the protocol give little but the id."""
    capable = info.get("capabilities")
    window, output = info.get("max_input_tokens"), info.get("max_tokens")
    features: set[str] = set(_ALWAYS)
    if isinstance(capable, Mapping):
        features |= {
            ours
            for theirs, ours in _CAPABILITIES.items()
            if isinstance(row := capable.get(theirs), Mapping) and row.get("supported")
        }
    if isinstance(window, int) and window >= _LONG:
        features.add("long_context")
    return ListedModel(
        id=str(info["id"]),
        context_window=window if isinstance(window, int) else None,
        max_output=output if isinstance(output, int) else None,
        features=frozenset(features),
    )


def connect(connection: Connection) -> Provider:
    """A provider that speaks to Claude.

    Options: ``cloud`` ("", "bedrock", "vertex"); for Bedrock ``region``, ``aws_profile``,
    ``aws_access_key``, ``aws_secret_key``, ``aws_session_token``; for Vertex ``project`` and
    ``location``.  Raises ``InvalidRequest`` where a cloud's package or setting is missing.
    """
    with Edge(connection).crossing():
        return Claude(connection, reach(connection))
