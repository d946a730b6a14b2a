"""The SDK's client for each place where Claude can be reached."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from anthropic import (
    AsyncAnthropic,
    AsyncAnthropicBedrock,
    AsyncAnthropicVertex,
)

from aircher.domain.classes import dataclass
from aircher.domain.errors import InvalidRequest
from aircher.providers.connection import Connection
from aircher.providers.transport import http_client, timeout

ORIGIN = "https://api.anthropic.com"

Client = AsyncAnthropic | AsyncAnthropicBedrock | AsyncAnthropicVertex


def _plain(connection: Connection, shared: dict[str, Any]) -> Client:
    origin = connection.base_url.rstrip("/").removesuffix("/v1") or ORIGIN
    # Without a key the SDK would look for one in the environment and on disk, and send it to
    # this address, whichever that is.
    return AsyncAnthropic(api_key=connection.key or "none", base_url=origin, **shared)


def _bedrock(connection: Connection, shared: dict[str, Any]) -> Client:
    options = connection.options
    names = ("aws_access_key", "aws_secret_key", "aws_session_token", "aws_profile")
    keys = {name: options[name] for name in names if options.get(name)}
    if connection.key and not keys:
        keys["api_key"] = connection.key
    return AsyncAnthropicBedrock(
        aws_region=options.get("region") or None,
        base_url=connection.base_url or None,
        **keys,
        **shared,
    )


def _vertex(connection: Connection, shared: dict[str, Any]) -> Client:
    options = connection.options
    places = {"region": options.get("location"), "project_id": options.get("project")}
    return AsyncAnthropicVertex(
        access_token=connection.key or None,
        base_url=connection.base_url or None,
        **{name: place for name, place in places.items() if place},
        **shared,
    )


@dataclass(frozen=True, slots=True)
class Place:
    """How to reach Claude there.

    ``needs`` is the module of the place's sign-in library, "" if none; ``sign_in`` and
    ``garbled`` name that library's errors ("module:class") for keys and for broken frames.
    """

    make: Callable[[Connection, dict[str, Any]], Client]
    needs: str = ""
    sign_in: str = ""
    garbled: str = ""


PLACES: Mapping[str, Place] = {
    "": Place(_plain),
    "bedrock": Place(
        _bedrock,
        "botocore",
        "botocore.exceptions:BotoCoreError",
        "botocore.eventstream:ParserError",
    ),
    "vertex": Place(_vertex, "google.auth", "google.auth.exceptions:GoogleAuthError"),
}
"""By ``options["cloud"]``; the names of the clouds are also those of the extras."""

Errors = tuple[type[Exception], ...]


@dataclass(frozen=True, slots=True)
class Reached:
    """A client, and what else may be raised by it."""

    client: Client
    sign_in: Errors
    garbled: Errors


def _errors(name: str) -> Errors:
    module, _, error = name.partition(":")
    return (getattr(importlib.import_module(module), error),) if name else ()


def reach(connection: Connection) -> Reached:
    """The client for a connection: no retries, explicit time limits, no redirects.

    Raises ``InvalidRequest`` for an unknown cloud or one whose package is not installed, and
    ``ValueError`` (the SDK's) where the place wants a region.
    """
    cloud = str(connection.options.get("cloud") or "")
    place = PLACES.get(cloud)
    if place is None:
        raise InvalidRequest(
            f"Claude cannot be reached by cloud = {cloud!r}.",
            hint='Set cloud to "bedrock" or "vertex", or leave it out.',
            provider=connection.provider,
        )
    try:
        importlib.import_module(place.needs or "anthropic")
    except ImportError:
        raise InvalidRequest(
            f"Claude on {cloud.title()} needs a package that is not installed.",
            hint=f"Install it: pip install 'aircher[{cloud}]'",
            provider=connection.provider,
        ) from None
    shared = {
        "max_retries": 0,
        "timeout": timeout(connection),
        "http_client": http_client(connection),
    }
    return Reached(place.make(connection, shared), _errors(place.sign_in), _errors(place.garbled))
