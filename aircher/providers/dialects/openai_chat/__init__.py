"""The chat completions protocol, spoken by OpenAI and most other vendors, through OpenAI's SDK."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from aircher.domain.chat import ChatRequest, Chunk
from aircher.domain.models import ListedModel
from aircher.domain.ports import Provider
from aircher.providers.connection import Connection
from aircher.providers.dialects.openai_chat.reply import ChatReader
from aircher.providers.dialects.openai_chat.request import parameters
from aircher.providers.openai_http import Edge, client, exchange, list_models, protocol_features


class OpenAIChat:
    """One provider of chat completions."""

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
        reader = ChatReader(self._connection, request.model, usage_asked="stream_options" in call)
        done = False
        completions = self._client.chat.completions.with_streaming_response
        with Edge(self._connection, request.model):
            async with exchange(completions.create(**call)) as (opened, events):
                yield opened
                async for event in events:
                    if event.done:
                        done = True
                        break
                    for chunk in reader.feed(event):
                        yield chunk
                    done = event.whole
            yield reader.end(done=done)

    async def models(self) -> Sequence[ListedModel]:
        """The vendor's list."""
        return await list_models(self._client, self._connection)

    async def count_tokens(self, request: ChatRequest) -> int | None:  # noqa: ARG002 - the port's signature
        """None: the protocol has no count of its own."""
        return None

    async def aclose(self) -> None:
        """Closes connections."""
        await self._client.close()


def connect(connection: Connection) -> Provider:
    """The provider behind a connection; nothing is sent yet."""
    return OpenAIChat(connection)
