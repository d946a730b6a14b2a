"""The configured providers: made when first asked for, one client each."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import field
from hashlib import blake2b
from typing import Any

from aircher.domain.classes import dataclass
from aircher.domain.errors import AuthenticationFailed, ConfigError
from aircher.domain.ports import Provider
from aircher.providers.addresses import checked_url, is_loopback
from aircher.providers.connection import Connection
from aircher.providers.vendors import Vendor, canonical, vendors
from aircher.providers.words import key_variable

__all__ = ["DIALECTS", "ProviderSetup", "Registry", "Vendor", "canonical", "vendors"]

DIALECTS: Mapping[str, str] = {
    "openai": "aircher.providers.either",
    "anthropic": "aircher.providers.dialects.anthropic",
    "gemini": "aircher.providers.dialects.gemini",
    "ollama": "aircher.providers.dialects.ollama",
    "bedrock": "aircher.providers.dialects.bedrock_converse",
    "local": "aircher.providers.local",
}
"""Kind of a row -> the module whose ``connect(connection)`` makes the provider."""


def _no_key() -> str | None:
    return None


def _nowhere() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class ProviderSetup:
    """One provider as the user configured it.

    ``row`` is the vendor's, or one made up for a name that is no known vendor.  ``base_url``
    "" means the row's.  ``key`` is asked once, when the provider is first used, and then
    ``key_place``, in words, for a sentence about it; ``key_env`` names the variables it may come
    from (() = the row's).  Timeouts are in seconds.  ``options`` go over the row's.
    """

    row: Vendor
    base_url: str = ""
    key: Callable[[], str | None] = _no_key
    key_place: Callable[[], str] = _nowhere
    key_env: tuple[str, ...] = ()
    idle_timeout_s: float = 120.0
    connect_timeout_s: float = 10.0
    options: Mapping[str, Any] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)

    @property
    def tiers(self) -> Mapping[str, str]:
        """The row's models for "cheap", "medium" and "powerful", with the user's over them."""
        return {**self.row.models, **self.models}


def _address(name: str, setup: ProviderSetup, options: Mapping[str, Any]) -> str:
    """The address to use; "" leaves it to the SDK."""
    region = str(options.get("region") or "us-east-1")
    url = (setup.base_url or setup.row.base_url).replace("{region}", region)
    if url:
        return checked_url(name, url, allow_http=options.get("allow_http") is True)
    if setup.row.kind == "openai":
        raise ConfigError(
            f"{setup.row.title} has no address.",
            hint=f"Set base_url in [providers.{name}].",
        )
    return ""


def _key(name: str, setup: ProviderSetup, options: Mapping[str, Any], url: str) -> str:
    """The key; "" where none is needed: on this machine, or where a cloud signs in itself."""
    key = (setup.key() or "").strip()
    if key or not setup.row.needs_key or options.get("cloud") or is_loopback(url):
        return key
    variable = (*setup.key_env, key_variable(setup.row.name))[0]
    raise AuthenticationFailed(
        f"There is no key for {setup.row.title}.",
        hint=f"Set {variable} in the environment, or: aircher keys set {name}",
        provider=name,
    )


def connection_of(name: str, setup: ProviderSetup) -> Connection:
    """Everything a dialect needs.

    Raises ``AuthenticationFailed`` where a needed key is missing, ``ConfigError`` for an
    address that is not allowed or missing.
    """
    options = {**setup.row.options, **setup.options}
    url = _address(name, setup, options)
    key = _key(name, setup, options, url)
    return Connection(
        provider=name,
        base_url=url,
        key=key,
        key_place=setup.key_place() if key else "",
        idle_timeout_s=setup.idle_timeout_s,
        connect_timeout_s=setup.connect_timeout_s,
        quirks=setup.row.quirks,
        options=options,
        local=setup.row.local,
    )


def _made(kind: str, connection: Connection) -> Provider:
    """Imports the dialect (and its SDK, which takes up to seconds) and makes the client."""
    try:
        provider: Provider = importlib.import_module(DIALECTS[kind]).connect(connection)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{connection.provider} needs the Python package {error.name}, which is not installed.",
            hint="Install Aircher with the extra that brings it: bedrock, vertex or local.",
        ) from error
    return provider


class Registry:
    """Implements ``Providers``.  For one event loop."""

    def __init__(self, setups: Mapping[str, ProviderSetup]) -> None:
        self._setups = dict(setups)
        self._made: dict[str, Provider] = {}
        self._marks: dict[str, str] = {}
        self._locks = {name: asyncio.Lock() for name in self._setups}

    @property
    def names(self) -> Sequence[str]:
        """All configured names, in the user's order."""
        return tuple(self._setups)

    def setup(self, name: str) -> ProviderSetup:
        """How a provider is configured; aliases are understood.  Raises ``ConfigError``."""
        return self._setups[self._known(name)]

    def fingerprint(self, name: str) -> str:
        """A mark that changes with the provider's key and address, and tells neither.

        32 bits: enough to see a change, too few to tell a key by.  "" for an unknown name.
        """
        if name not in self._marks and name in self._setups:
            setup = self._setups[name]
            told = f"{setup.key() or ''}\n{setup.base_url or setup.row.base_url}"
            self._marks[name] = blake2b(told.encode(), digest_size=4).hexdigest()
        return self._marks.get(name, "")

    def _known(self, name: str) -> str:
        for known in (name, canonical(name)):
            if known in self._setups:
                return known
        raise ConfigError(
            f"There is no provider named {name!r}.",
            hint="The configured ones are: " + (", ".join(self._setups) or "none") + ".",
        )

    async def get(self, name: str) -> Provider:
        """The provider; imports its SDK in a worker thread the first time.

        Raises ``AuthenticationFailed`` where its key is missing, ``ConfigError`` for an
        unknown name, kind or address.
        """
        name = self._known(name)
        async with self._locks[name]:
            if name not in self._made:
                setup = self._setups[name]
                kind = setup.row.kind
                if kind not in DIALECTS:
                    raise ConfigError(
                        f"{name} has an unknown kind, {kind!r}.",
                        hint=f"Set kind in [providers.{name}] to one of: {', '.join(DIALECTS)}.",
                    )
                # A key may come from a command, or from a person who types a passphrase.
                connection = await asyncio.to_thread(connection_of, name, setup)
                self._made[name] = await asyncio.to_thread(_made, kind, connection)
            return self._made[name]

    async def aclose(self) -> None:
        """Closes all that were made."""
        made, self._made = self._made, {}
        async with AsyncExitStack() as stack:
            for provider in made.values():
                stack.push_async_callback(provider.aclose)
