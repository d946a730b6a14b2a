"""Gemini's protocol, at Google's own address with a key, or on Vertex by project and location."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any
from urllib.parse import quote

from google.auth.exceptions import GoogleAuthError, TransportError
from google.genai.errors import APIError

from aircher.domain.chat import ChatRequest, Chunk
from aircher.domain.errors import AuthenticationFailed, InvalidRequest, ProviderError
from aircher.domain.models import ListedModel
from aircher.providers.bodies import facts_from_body, facts_from_error
from aircher.providers.connection import Connection
from aircher.providers.dialects.gemini.reply import Reader
from aircher.providers.dialects.gemini.request import chat_body, model_path, prompt
from aircher.providers.dialects.gemini.wire import Told, Wire, is_vertex, objects
from aircher.providers.faults import Facts, fault, quoted
from aircher.providers.jsonish import arr, count, obj, text
from aircher.providers.limits import rate_limits
from aircher.providers.sse import NotAnAnswer
from aircher.providers.transport import foreign, lower, malformed, network_fault

FEATURES = frozenset(
    {"vision", "documents", "tools", "json", "thinking", "streaming", "long_context"}
)

GRACE_S = 2.0
"""How long a body may stay open after the finish reason: usage may still follow it, but a
server that forgets to close must not hold the answer back."""

PAGE = 1_000
"""Models asked for at once (the API's limit)."""


class Gemini:
    """A connection to Gemini or Vertex."""

    def __init__(self, connection: Connection, wire: Wire) -> None:
        self._connection = connection
        self._wire = wire

    @property
    def name(self) -> str:
        """The name in the configuration."""
        return self._connection.provider

    @property
    def features(self) -> frozenset[str]:
        """What the protocol carries."""
        return FEATURES

    async def stream(self, asked: ChatRequest) -> AsyncIterator[Chunk]:
        """Chunks of one reply; see ``ChatPort``.

        A reply that a filter withheld ends with its usage, its ``Finish``, and then
        ``ContentFiltered``.
        """
        verb = "streamGenerateContent?alt=sse" if asked.stream else "generateContent"
        path = f"{model_path(asked.model, vertex=self._wire.vertex)}:{verb}"
        reader = Reader()
        with self._crossing(asked.model):
            response = await self._wire.send("post", path, chat_body(asked, self.name))
            opened = False
            try:
                async with aclosing(_until_finished(objects(response), reader)) as parts:
                    async for data in parts:
                        self._check(data, asked.model)
                        if not opened:
                            opened = True
                            yield reader.opened(data, rate_limits(lower(response.headers)))
                        for chunk in reader.read(data):
                            yield chunk
            finally:
                await response.aclose()
            if not reader.reason:
                raise malformed("it ended before its finish reason", self._connection, asked.model)
            for chunk in reader.end():
                yield chunk
            if reader.withheld:
                raise self._withheld(reader, asked.model)

    async def models(self) -> Sequence[ListedModel]:
        """All models that the key may see, by the names that the API gives ("models/...")."""
        path, rows = ("publishers/google/models", "publisherModels")
        if not self._wire.vertex:
            path, rows = ("models", "models")
        found: dict[str, ListedModel] = {}
        page = ""
        with self._crossing():
            while True:
                data = await self._wire.ask("get", f"{path}?pageSize={PAGE}{page}", {})
                self._check(data)
                if not isinstance(data.get(rows), list):
                    raise malformed("it is not a list of models", self._connection)
                before = len(found)
                found |= {row.id: row for row in map(_listed, arr(data[rows])) if row.id}
                token = text(data.get("nextPageToken"))
                if not token or len(found) == before:
                    return list(found.values())
                page = f"&pageToken={quote(token, safe='')}"

    async def count_tokens(self, asked: ChatRequest) -> int | None:
        """The prompt's size by Google's own count (a free call)."""
        path = model_path(asked.model, vertex=self._wire.vertex)
        body = prompt(asked, self.name)
        if not self._wire.vertex and len(body) > 1:
            # Gemini, unlike Vertex, counts system prompt and tools only within a whole request.
            body = {"generateContentRequest": {"model": path} | body}
        with self._crossing(asked.model):
            data = await self._wire.ask("post", f"{path}:countTokens", body)
            self._check(data, asked.model)
            if "totalTokens" not in data and "promptTokensDetails" not in data:
                raise malformed("it is not a count", self._connection, asked.model)
            return count(data.get("totalTokens")) or 0

    async def aclose(self) -> None:
        """Closes connections."""
        await self._wire.aclose()

    def _check(self, data: dict[str, Any], model: str = "") -> None:
        """Raises the error that an object tells of (its status was 200)."""
        if data.get("error"):
            raise fault(
                facts_from_error(
                    self.name,
                    model,
                    data,
                    status=200,
                    in_stream=True,
                    secret=self._connection.key,
                    key_place=self._connection.key_place,
                )
            )

    def _withheld(self, reader: Reader, model: str) -> ProviderError:
        reason = reader.explanation or reader.reason
        return fault(
            Facts(
                self.name,
                model,
                type="content_filter",
                message=reason,
                request_id=reader.request_id,
                secret=self._connection.key,
            )
        )

    @contextmanager
    def _crossing(self, model: str = "") -> Iterator[None]:
        """Lets nothing foreign through: Google's errors, HTTP's, JSON's."""
        try:
            yield
        except Told as told:
            raise fault(
                facts_from_body(
                    self.name,
                    model,
                    told.status,
                    told.headers,
                    told.body,
                    secret=self._connection.key,
                    key_place=self._connection.key_place,
                )
            ) from told
        except GoogleAuthError as error:
            raise _signed_out(error, self._connection, model) from error
        except APIError as error:
            raise malformed(str(error.message), self._connection, model) from error
        except foreign() as error:
            raise network_fault(error, self._connection, model) from error


async def _until_finished(
    parts: AsyncIterator[dict[str, Any]], reader: Reader
) -> AsyncGenerator[dict[str, Any]]:
    """All objects of a body; once the finish reason came, its end is not waited for long, and
    a connection that breaks then has lost nothing.
    """
    while True:
        finished = bool(reader.reason)
        try:
            async with asyncio.timeout(GRACE_S if finished else None):
                data = await anext(parts)
        except StopAsyncIteration:
            return
        except foreign() as error:
            if finished and not isinstance(error, NotAnAnswer):
                return
            raise
        yield data


def _listed(raw: Any) -> ListedModel:
    row = obj(raw)
    thinking = frozenset({"thinking"}) if row.get("thinking") is True else frozenset[str]()
    return ListedModel(
        id=text(row.get("name")),
        context_window=count(row.get("inputTokenLimit")),
        max_output=count(row.get("outputTokenLimit")),
        features=thinking,
    )


def _signed_out(error: GoogleAuthError, connection: Connection, model: str = "") -> ProviderError:
    """Google's sign-in failed: no credentials, expired ones, or no way to its server."""
    if isinstance(error, TransportError):
        return network_fault(ConnectionError(str(error)), connection, model)
    return AuthenticationFailed(
        f"Google Cloud credentials cannot be used: {quoted(str(error))}",
        hint="Sign in with `gcloud auth application-default login`, and set project and location"
        f" in [providers.{connection.provider}].",
        provider=connection.provider,
        model=model,
    )


def connect(connection: Connection) -> Gemini:
    """A provider that speaks to Gemini, or to Vertex where the options say so.

    Options: ``cloud`` "vertex", ``project``, ``location``.  Raises ``AuthenticationFailed``
    without a key or Google Cloud credentials (another address may need none),
    ``InvalidRequest`` for an address that is none.
    """
    if not connection.key and not connection.base_url and not is_vertex(connection):
        raise AuthenticationFailed(
            "Gemini needs a key.",
            hint=f"Set GEMINI_API_KEY, or api_key_env in [providers.{connection.provider}].",
            provider=connection.provider,
        )
    try:
        return Gemini(connection, Wire(connection))
    except GoogleAuthError as error:
        raise _signed_out(error, connection) from error
    except ValueError as error:
        raise InvalidRequest(
            f"The settings for {connection.provider} cannot be used: {quoted(str(error))}",
            hint=f"Check base_url, project and location in [providers.{connection.provider}].",
            provider=connection.provider,
        ) from error
