"""Amazon Bedrock's Converse: one protocol for all models there, through boto3.

``request`` maps what we ask, ``reply`` what comes back, ``threads`` makes blocking calls async.
"""

from __future__ import annotations

import gzip
import json
import threading
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from functools import partial
from typing import Any

from aircher.domain.chat import ChatRequest, Chunk, Opened
from aircher.domain.errors import (
    AuthenticationFailed,
    InvalidRequest,
    MalformedReply,
    NetworkFailed,
    ProviderError,
    TimedOut,
)
from aircher.domain.models import ListedModel
from aircher.domain.ports import Provider
from aircher.domain.sending import is_connecting
from aircher.providers.connection import Connection
from aircher.providers.dialects.bedrock_converse import reply, request
from aircher.providers.dialects.bedrock_converse.threads import items
from aircher.providers.faults import Facts, fault, quoted
from aircher.providers.limits import rate_limits
from aircher.providers.transport import ca_file_of, foreign, malformed, network_fault

try:
    import boto3
    import botocore
    import botocore.exceptions as aws
    import botocore.session
    import urllib3.exceptions as urls
    from botocore.config import Config
    from botocore.eventstream import ParserError
    from botocore.parsers import ResponseParserError
except ImportError:
    raise InvalidRequest(
        "Bedrock needs a package that is not installed.",
        hint="Install it: pip install 'aircher[bedrock]'",
        provider="bedrock",
    ) from None

FEATURES = frozenset(
    {"vision", "documents", "tools", "json", "long_context", "thinking", "streaming"}
)

DEFAULT_REGION = "us-east-1"
"""Where no option, environment variable or profile names one: the region with all models."""

_KEYS = {
    "aws_access_key": "aws_access_key_id",
    "aws_secret_key": "aws_secret_access_key",
    "aws_session_token": "aws_session_token",
}

_TIMEOUTS = (aws.ConnectTimeoutError, aws.ReadTimeoutError, urls.TimeoutError)
_UNCONNECTED = (aws.ConnectTimeoutError, aws.EndpointConnectionError, aws.ProxyConnectionError)
"""Nothing of the request has left."""

_BROKEN = (
    aws.HTTPClientError,
    aws.ConnectionError,
    aws.IncompleteReadError,
    aws.ResponseStreamingError,
    urls.HTTPError,
)
_GARBLED = (ParserError, ResponseParserError, urls.DecodeError)
_KEYLESS = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.CredentialRetrievalError,
    aws.TokenRetrievalError,
    aws.UnauthorizedSSOTokenError,
    aws.SSOError,
    aws.ProfileNotFound,
    aws.NoAuthTokenError,
)
_WHAT: tuple[tuple[tuple[type[Exception], ...], type[ProviderError]], ...] = (
    (_TIMEOUTS, TimedOut),
    (_KEYLESS, AuthenticationFailed),
    (_BROKEN, NetworkFailed),
    ((aws.BotoCoreError,), InvalidRequest),  # the rest is what boto3 will not send
)
"""boto3's errors and ours; read from the top."""

_REDIRECTS = range(300, 400)

_MODALITIES = {"IMAGE": "vision"}


class Edge:
    """Knows whose errors these are; nothing foreign passes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def malformed(self, what: str, model: str) -> ProviderError:
        """The answer is not the protocol."""
        return malformed(what, self._connection, model)

    def _reported(self, error: aws.ClientError, model: str) -> ProviderError:
        """What Bedrock says, by status or in the stream."""
        said, meta = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
        status = meta.get("HTTPStatusCode")
        return fault(
            Facts(
                provider=self._connection.provider,
                model=model,
                status=status,
                type=str(said.get("Code", "")),
                message=str(said.get("Message") or said.get("message") or ""),
                headers=meta.get("HTTPHeaders", {}),
                request_id=meta.get("RequestId", ""),
                in_stream=status is None,
                secret=self._connection.key,
                key_place=self._connection.key_place,
            )
        )

    @contextmanager
    def crossing(self, model: str = "") -> Iterator[None]:
        """Turns boto3's, urllib3's and the system's errors into ours."""
        try:
            yield
        except aws.ClientError as error:
            raise self._reported(error, model) from error
        except _GARBLED as error:
            raise self.malformed(str(error), model) from error
        except (aws.BotoCoreError, urls.HTTPError) as error:
            raise self._failed(error, model) from error
        except foreign() as error:
            raise network_fault(error, self._connection, model) from error
        except (AttributeError, LookupError, TypeError) as error:
            raise self.malformed("it has another shape", model) from error

    def _failed(self, error: Exception, model: str) -> ProviderError:
        kind = next(ours for theirs, ours in _WHAT if isinstance(error, theirs))
        name, said = self._connection.provider, quoted(str(error), self._connection.key)
        if isinstance(error, _UNCONNECTED):
            is_connecting()
        if kind in {TimedOut, NetworkFailed}:
            below: Exception = TimeoutError(said) if kind is TimedOut else OSError(said)
            return network_fault(below, self._connection, model)
        return kind(
            f"The request to {name} could not be made: {said}",
            hint=f"Check the keys and the region in [providers.{name}] or in ~/.aws.",
            provider=name,
            model=model,
        )


class _Pieces:
    """An event stream, as boto3 reads it: unpacked, and each piece as soon as it is there."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def stream(self) -> Iterator[bytes]:
        """The pieces."""
        if self._raw.chunked:
            yield from self._raw.stream(decode_content=True)
        # urllib3 would wait for 64 KB of a body that is not in chunks.
        while piece := self._raw.read1(decode_content=True):
            yield piece

    def close(self) -> None:
        """Closes the answer."""
        self._raw.close()


class Call(threading.local):
    """The answer that the current thread's call is reading, as it comes from the network."""

    raw: Any = None


class Bedrock:
    """A connection to Bedrock in one region."""

    def __init__(self, connection: Connection, client: Any, catalog: Callable[[], Any]) -> None:
        self._connection = connection
        self._client = client
        self._catalog = catalog
        self._edge = Edge(connection)
        self._vendors = {request.VENDOR, connection.provider}
        self._call = Call()
        client.meta.events.register("before-parse.bedrock-runtime", self._keep)

    def _keep(self, response_dict: dict[str, Any], **_: Any) -> None:
        """Keeps hold of the answer below boto3, which can neither say that it is no event
        stream nor stop reading it, and does not unpack what a gateway compressed.
        """
        body = self._call.raw = response_dict.get("body")
        if not isinstance(body, bytes):
            response_dict["body"] = _Pieces(body)
        elif response_dict["status_code"] in _REDIRECTS:
            response_dict["body"] = b"{}"  # a page for people, which boto3 would call garbled
        elif response_dict["headers"].get("content-encoding") == "gzip":
            with suppress(OSError, EOFError, zlib.error):  # then boto3 complains of the bytes
                response_dict["body"] = gzip.decompress(body)

    @property
    def name(self) -> str:
        """The name in the configuration."""
        return self._connection.provider

    @property
    def features(self) -> frozenset[str]:
        """What the protocol carries."""
        return FEATURES

    async def stream(self, asked: ChatRequest) -> AsyncIterator[Chunk]:
        """Chunks of one reply; see ``ChatPort``."""
        reading: list[Any] = []
        arguments = request.arguments(asked, self._vendors)
        open_ = self._events if asked.stream else self._whole
        reader = reply.Reader()
        try:
            async with aclosing(items(partial(open_, arguments, reading))) as events:
                async for event in events:
                    if isinstance(event, Opened):
                        yield event
                        continue
                    for chunk in reader.read(event):
                        yield chunk
                    if reader.finished:
                        break
        finally:
            if not reader.finished:
                _hang_up(reading)
        end = reader.end()
        if end is None:
            raise self._edge.malformed("it ended before its end marker", asked.model)
        yield end

    def _events(
        self, arguments: dict[str, Any], reading: list[Any]
    ) -> Iterator[Opened | reply.Event]:
        """Opened, then the events, in the calling thread."""
        model = arguments["modelId"]
        with self._edge.crossing(model):
            answer = self._client.converse_stream(**arguments)
            reading.append(self._call.raw)
            try:
                kind = self._kind(answer)
                if kind == "application/json":
                    body = json.loads(self._call.raw.read(decode_content=True))
                    yield self._opened(answer)
                    yield from reply.as_events(body)
                elif kind in {"application/vnd.amazon.eventstream", ""}:
                    yield self._opened(answer)
                    yield from answer["stream"]
                else:
                    raise self._edge.malformed(f"its type is {kind}", model)
            finally:
                answer["stream"].close()

    def _whole(
        self,
        arguments: dict[str, Any],
        reading: list[Any],  # noqa: ARG002 - boto3 has read it all when it returns
    ) -> Iterator[Opened | reply.Event]:
        """The same of an answer in one body."""
        with self._edge.crossing(arguments["modelId"]):
            answer = self._client.converse(**arguments)
            yield self._opened(answer)
            yield from reply.as_events(answer)

    def _kind(self, answer: Mapping[str, Any]) -> str:
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        return str(headers.get("content-type", "")).partition(";")[0].strip().lower()

    def _opened(self, answer: Mapping[str, Any]) -> Opened:
        meta = answer["ResponseMetadata"]
        limits = rate_limits(meta.get("HTTPHeaders", {}))
        return Opened(request_id=meta.get("RequestId", ""), limits=limits)

    async def _single(self, call: Callable[[], Any], model: str = "") -> Any:
        """One blocking call's result."""

        def work() -> Iterator[Any]:
            with self._edge.crossing(model):
                yield call()

        async for answer in items(work):
            return answer
        raise self._edge.malformed("there is none", model)

    async def models(self) -> Sequence[ListedModel]:
        """The models offered in this region."""
        answer = await self._single(lambda: self._catalog().list_foundation_models())
        rows = answer.get("modelSummaries")
        return [_listed(row) for row in rows or () if "TEXT" in row.get("outputModalities", ())]

    async def count_tokens(self, asked: ChatRequest) -> int | None:
        """The prompt's size by Bedrock's own count (Claude models only, says Amazon)."""
        question = {"converse": request.prompt(asked, self._vendors)}
        call = partial(self._client.count_tokens, modelId=asked.model, input=question)
        count = (await self._single(call, asked.model)).get("inputTokens")
        if not isinstance(count, int):
            raise self._edge.malformed("there is no count in it", asked.model)
        return count

    async def aclose(self) -> None:
        """Closes connections."""
        self._client.close()


def _hang_up(reading: Sequence[Any]) -> None:
    """Ends a connection under another thread's hands, so that the model stops writing."""
    for raw in reading:
        # Already read to the end, or closed: nothing is left to stop.
        with suppress(OSError, ValueError, RuntimeError, AttributeError):
            raw.shutdown()


def _listed(row: Mapping[str, Any]) -> ListedModel:
    modalities = row.get("inputModalities", ())
    features = {_MODALITIES[word] for word in modalities if word in _MODALITIES}
    if row.get("responseStreamingSupported"):
        features.add("streaming")
    return ListedModel(id=str(row["modelId"]), features=frozenset(features))


def _session(connection: Connection) -> tuple[boto3.Session, Config]:
    """Keys from the options, else wherever boto3 finds some (environment, ~/.aws, the host)."""
    options = connection.options
    base = botocore.session.Session(profile=options.get("aws_profile") or None)
    keys = {theirs: options[ours] for ours, theirs in _KEYS.items() if options.get(ours)}
    signing = {}
    if connection.key and not keys:
        # boto3 has no parameter for a Bedrock key, and looks for other keys even beside one.
        bearer = {"Authorization": f"Bearer {connection.key}"}
        base.register("before-call", lambda params, **_: params["headers"].update(bearer))
        keys = {"aws_access_key_id": "unused", "aws_secret_access_key": "unused"}
        signing = {"signature_version": botocore.UNSIGNED}
    config = Config(
        connect_timeout=connection.connect_timeout_s,
        read_timeout=connection.idle_timeout_s,
        retries={"total_max_attempts": 1},
        **signing,
    )
    region = options.get("region") or None
    return boto3.Session(botocore_session=base, region_name=region, **keys), config


def connect(connection: Connection) -> Provider:
    """A provider that speaks Converse.

    The key is a Bedrock API key; without one, boto3's own ways of signing in are used.
    Options: ``region``, ``aws_profile``, ``aws_access_key``, ``aws_secret_key``,
    ``aws_session_token``.  Raises ``AuthenticationFailed`` for an unknown profile and
    ``InvalidRequest`` for an address that is none.
    """
    try:
        with Edge(connection).crossing():
            return _connected(connection)
    except MalformedReply as error:  # nothing was asked yet: boto3 dislikes what it was given
        raise InvalidRequest(
            f"Bedrock cannot be reached at {connection.base_url!r}.",
            hint=f"Correct base_url in [providers.{connection.provider}].",
            provider=connection.provider,
        ) from error


def _connected(connection: Connection) -> Bedrock:
    session, config = _session(connection)
    place = {
        "region_name": session.region_name or DEFAULT_REGION,
        "config": config,
        "verify": ca_file_of(connection) or None,
    }
    base = connection.base_url or None
    client = session.client("bedrock-runtime", endpoint_url=base, **place)
    other = base.replace("bedrock-runtime", "bedrock") if base else None
    return Bedrock(
        connection, client, partial(session.client, "bedrock", endpoint_url=other, **place)
    )
