"""OpenAI's Responses API, for the models that need it, through OpenAI's SDK."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from aircher.domain.chat import ChatRequest, Chunk
from aircher.domain.models import ListedModel
from aircher.domain.ports import Provider
from aircher.providers.connection import Connection
from aircher.providers.dialects.openai_responses.reply import ResponseReader
from aircher.providers.dialects.openai_responses.request import parameters
from aircher.providers.openai_http import Edge, client, exchange, list_models, protocol_features


class OpenAIResponses:
    """One provider of responses."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client = client(connection)

    @property
    def name(self) -> str:
        """The name in the configuration."""
        return self._connection.provider

    @property
    def features(self) -> frozenset[str]:
        """What the protocol carries; PDF files only where the vendor takes them."""
        return protocol_features(self._connection)

    async def stream(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        """Chunks of one reply; see ``ChatPort``."""
        call = parameters(request, self._connection)
        reader = ResponseReader(self._connection, request.model)
        responses = self._client.responses.with_streaming_response
        with Edge(self._connection, request.model):
            async with exchange(responses.create(**call)) as (opened, events):
                yield opened
                async for event in events:
                    for chunk in reader.feed(event):
                        yield chunk
                    if event.done or reader.finish is not None:
                        break
            yield reader.end()

    async def models(self) -> Sequence[ListedModel]:
        """The vendor's list."""
        return await list_models(self._client, self._connection)

    async def count_tokens(self, request: ChatRequest) -> int | None:  # noqa: ARG002 - the port's signature
        """None: the vendor's count is a call of its own price and limits."""
        return None

    async def aclose(self) -> None:
        """Closes connections."""
        await self._client.close()


def connect(connection: Connection) -> Provider:
    """The provider behind a connection; nothing is sent yet."""
    return OpenAIResponses(connection)
