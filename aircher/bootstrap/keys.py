"""``aircher keys``: keys stored, found, tried and taken away.  No function here shows one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from aircher.bootstrap.choosing import row_of
from aircher.bootstrap.configuring import load_config, require_sound
from aircher.bootstrap.opening import database_path, records
from aircher.bootstrap.passphrase import nobody
from aircher.bootstrap.reaching import key_places, setup_of
from aircher.bootstrap.sources import FILES, Ask, Stores, key_use, stores_of
from aircher.config.atomic import one_writer, private_folder
from aircher.config.load import Config
from aircher.config.values import looks_secret
from aircher.domain.classes import dataclass
from aircher.domain.errors import (
    AuthenticationFailed,
    ConfigError,
    StorageError,
    TimedOut,
    UsageError,
)
from aircher.domain.keys import KeyPlace, KeyUse
from aircher.providers.registry import Registry
from aircher.providers.vendors import Vendor, canonical, vendors
from aircher.secrets.keys import Key, checked

Target = Literal["keyring", "file"]

LAST_USE_DAYS = 90
"""How far back the ledger is searched for a key's last use."""

_TRY_S = 15.0
_SHORTEST_PASSPHRASE = 8


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One provider's key without the key: where it is, where it may go, how old, when used."""

    provider: str
    source: str
    origin: str
    stored_at: datetime | None
    last_used: datetime | None


@dataclass(frozen=True, slots=True)
class Stored:
    """What ``store`` did; ``before`` is a source that still comes first, "" for none."""

    place: KeyPlace
    before: str


def found() -> list[KeyRow]:
    """Every provider's key that was found; nothing is unlocked, run or sent."""
    config = load_config()
    stores = stores_of(config, nobody)
    used = _last_uses()
    return [
        KeyRow(name, place.source, place.origin, place.stored_at, used.get(name))
        for name, place in key_places(config, stores)
    ]


def _last_uses() -> Mapping[str, datetime]:
    """Provider -> its last call in the ledger; looking makes no file."""
    if not database_path().exists():
        return {}
    since = datetime.now(UTC) - timedelta(days=LAST_USE_DAYS)
    try:
        with records() as opened:
            return {row.ref.provider: row.at for row in opened.usage.rows(since)}
    except StorageError:
        return {}


def provider_for_key(name: str) -> str:
    """The provider's own name.

    Raises ``UsageError`` for an unknown one; what looks like a key is not repeated.
    """
    config = load_config()
    known = canonical(name)
    row = row_of(known, config, vendors())
    if row is None:
        if looks_secret(name):
            raise UsageError(
                "A key is never given as an argument: others can read it in the process list.",
                hint="Give the provider's name; the key is asked for.  Make a new key: that one"
                " is in your shell's history.",
            )
        raise UsageError(
            f"No provider is named {name!r}.", hint="`aircher provider list` shows their names."
        )
    return known


def place_of(provider: str) -> KeyPlace | None:
    """Where the provider's key is now."""
    config = load_config()
    stores = stores_of(config, nobody)
    return stores.chain.place(key_use(provider, vendors().get(provider), config))


def stored_places() -> Mapping[str, KeyPlace]:
    """What was stored by us: provider -> place."""
    return stores_of(load_config(), nobody).kept()


def store(provider: str, text: str, target: Target | None, ask: Ask) -> Stored:
    """Stores a key for the provider's present address.

    ``target`` None: the keyring where there is one that may be used, else the encrypted file.
    Raises ``ConfigError`` for a key that cannot be right or a store that does not take it,
    ``UsageError`` where the provider has no address yet, ``StorageError``.
    """
    config = require_sound(load_config())
    stores = stores_of(config, ask)
    use = _use(provider, config)
    key = checked(text.strip(), "what was given")
    if target is None:
        target = "keyring" if stores.keyring.usable() else "file"
    now = datetime.now(UTC).replace(microsecond=0)
    try:
        with one_writer(stores.sealed.path):
            if target == "keyring":
                stores.keyring.put(provider, key, use.origin, now)
                stores.register.add(provider, use.origin, now)
                stores.sealed.remove(provider)
            else:
                _seal(stores, config, use, key, now, ask)
                _forget_in_keyring(stores, provider)
    except OSError as error:
        raise StorageError(
            f"The key cannot be stored: {error.strerror or error}.",
            hint=f"Look at the folder {stores.sealed.path.parent}.",
        ) from error
    first = stores.chain.place(use)
    source = {"keyring": "keyring", "file": "encrypted file"}[target]
    before = first.source if first and first.source != source else ""
    return Stored(KeyPlace(source, use.origin, now), before)


def _use(provider: str, config: Config) -> KeyUse:
    row = row_of(provider, config, vendors())
    use = key_use(provider, vendors().get(provider), config)
    if not use.origin and row is not None and row.kind == "openai":
        raise UsageError(
            f"{provider} has no address yet, and a key is stored for one.",
            hint=f"aircher config set providers.{provider}.base_url https://...",
        )
    return use


def _seal(stores: Stores, config: Config, use: KeyUse, key: Key, at: datetime, ask: Ask) -> None:
    sealed = stores.sealed
    lock = sealed.lock or ("key file" if config.secrets.key_file else "passphrase")
    if sealed.lock is None:
        private_folder(sealed.path.parent)
        if lock == "passphrase":
            chosen = _new_passphrase(ask)
            sealed = replace(sealed, opener=lambda _lock: chosen)
    sealed.put(use.provider, key, use.origin, at, lock)


def _new_passphrase(ask: Ask) -> bytes:
    first = ask("There is no keyring here.  Choose a passphrase for your keys: ")
    if first is None:
        raise ConfigError(
            "A passphrase is needed, and there is no terminal to ask at.",
            hint="Name a key file instead: aircher config set secrets.key_file FILE",
        )
    if len(first) < _SHORTEST_PASSPHRASE:
        raise UsageError(f"A passphrase has at least {_SHORTEST_PASSPHRASE} characters.")
    if ask("Once more: ") != first:
        raise UsageError("The two were not the same; nothing was stored.")
    return first.encode()


def _forget_in_keyring(stores: Stores, provider: str) -> bool:
    if provider not in stores.register.places():
        return False
    gone = stores.keyring.remove(provider)
    stores.register.remove(provider)
    return gone


def remove(provider: str) -> list[str]:
    """Takes the provider's key out of every store of ours; the sources it was in.

    Raises ``ConfigError``, ``StorageError``.
    """
    stores = stores_of(load_config(), nobody)
    gone = []
    try:
        with one_writer(stores.sealed.path):
            if stores.sealed.remove(provider):
                gone.append("encrypted file")
            if _forget_in_keyring(stores, provider) or stores.keyring.remove(provider):
                gone.append("keyring")
    except OSError as error:
        raise StorageError(f"The key cannot be taken out: {error.strerror or error}.") from error
    return gone


def try_key(provider: str, ask: Ask, candidate: str | None = None) -> int:
    """Makes the provider's free call (its model list) and returns how many models it names.

    With ``candidate`` that key is tried instead of the stored one.  Raises ``ProviderError``
    where it fails, ``ConfigError``, ``UsageError``.
    """
    config = require_sound(load_config())
    row = row_of(provider, config, vendors())
    assert row is not None, "the caller looked"
    return asyncio.run(_listed(provider, row, config, stores_of(config, ask), candidate))


async def _listed(
    provider: str, row: Vendor, config: Config, stores: Stores, candidate: str | None
) -> int:
    setup = setup_of(row, config, stores, ())
    if candidate is not None:
        key = checked(candidate.strip(), "what was given")
        setup = replace(setup, key=lambda: key)
    elif (
        row.needs_key
        and stores.chain.place(key_use(provider, vendors().get(provider), config)) is None
    ):
        raise AuthenticationFailed(
            f"There is no key for {row.title}.", hint=f"aircher keys set {provider}"
        )
    registry = Registry({provider: setup})
    try:
        port = await registry.get(provider)  # may ask for a passphrase, or a password manager
        async with asyncio.timeout(_TRY_S):
            return len(await port.models())
    except TimeoutError:
        raise TimedOut(f"{row.title} did not answer within {_TRY_S:.0f} s.") from None
    finally:
        await registry.aclose()


__all__ = ["FILES", "KeyRow", "Stored", "Target", "found", "place_of", "provider_for_key",
           "remove", "store", "stored_places", "try_key"]  # fmt: skip
