"""The places for keys, asked in turn."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aircher.secrets.environment import Environment
from aircher.secrets.keys import Key
from aircher.secrets.os_keyring import OsKeyring


class KeyStore(Protocol):
    """One place where keys may be kept."""

    def get(self, provider: str, env_names: Sequence[str]) -> Key | None:
        """The key, or None; raises ``ConfigError`` for one that cannot be right."""
        ...

    def where(self, provider: str, env_names: Sequence[str]) -> str | None:
        """Where it stands, in a word, without the key."""
        ...


@dataclass(frozen=True, slots=True)
class Secrets:
    """``aircher.domain.ports.SecretSource``: the first store that has a key wins.

    A further kind of store (an encrypted file) is one more entry in ``stores``.
    """

    stores: tuple[KeyStore, ...]

    def get(self, provider: str, env_names: Sequence[str]) -> str | None:
        """The key, or None; raises ``ConfigError`` for one that cannot be right."""
        for store in self.stores:
            if key := store.get(provider, env_names):
                return key
        return None

    def origin(self, provider: str, env_names: Sequence[str]) -> str | None:
        """Where the key was found ("OPENAI_API_KEY", "keyring"), without the key."""
        for store in self.stores:
            if where := store.where(provider, env_names):
                return where
        return None


def secrets_from(environ: Mapping[str, str] | None = None, *, keyring: bool = True) -> Secrets:
    """The usual stores.  Without ``keyring`` only the environment is looked at, which is free."""
    variables = os.environ if environ is None else environ
    stores: tuple[KeyStore, ...] = (Environment(variables),)
    return Secrets((*stores, OsKeyring(variables)) if keyring else stores)
