"""One OpenAI-speaking provider of which some models need the Responses API."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Sequence

from aircher.domain.chat import ChatRequest, Chunk
from aircher.domain.models import ListedModel
from aircher.domain.ports import Provider
from aircher.providers.connection import Connection
from aircher.providers.patterns import matches

CHAT = "aircher.providers.dialects.openai_chat"
RESPONSES = "aircher.providers.dialects.openai_responses"


def made(connection: Connection, module: str) -> Provider:
    """The provider that a dialect's module makes of a connection (imports its SDK)."""
    provider: Provider = importlib.import_module(module).connect(connection)
    return provider


class EitherApi:
    """Chat completions, except for the models that the row's ``responses_models`` match."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._chat = made(connection, CHAT)
        self._responses: Provider | None = None

    @property
    def name(self) -> str:
        """The name in the configuration."""
        return self._chat.name

    @property
    def features(self) -> frozenset[str]:
        """What both protocols carry."""
        return self._chat.features

    async def stream(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        """Chunks of one reply, by the protocol that the model needs."""
        chosen = self._chat
        if matches(self._connection.quirks.get("responses_models"), request.model):
            if self._responses is None:
                self._responses = await asyncio.to_thread(made, self._connection, RESPONSES)
            chosen = self._responses
        chunks = chosen.stream(request)
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            # Closing this iterator early must close the connection at once.
            if (close := getattr(chunks, "aclose", None)) is not None:
                await close()

    async def models(self) -> Sequence[ListedModel]:
        """The vendor's list."""
        return await self._chat.models()

    async def count_tokens(self, request: ChatRequest) -> int | None:
        """The vendor's own count, where it has one."""
        return await self._chat.count_tokens(request)

    async def aclose(self) -> None:
        """Closes connections."""
        try:
            await self._chat.aclose()
        finally:
            if self._responses is not None:
                await self._responses.aclose()


def connect(connection: Connection) -> Provider:
    """By ``options["api"]``: "chat", "responses", or "auto" (by the model)."""
    api = connection.options.get("api") or "auto"
    if api == "responses":
        return made(connection, RESPONSES)
    if api == "chat" or not connection.quirks.get("responses_models"):
        return made(connection, CHAT)
    return EitherApi(connection)
