"""The places for keys, asked in turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aircher.domain.classes import dataclass
from aircher.domain.keys import KeyPlace, KeyUse
from aircher.secrets.environment import Environment
from aircher.secrets.keys import Key
from aircher.secrets.os_keyring import OsKeyring


class KeyStore(Protocol):
    """One place where keys may be kept."""

    def get(self, use: KeyUse) -> Key | None:
        """The key, or None.

        Raises ``ConfigError`` for one that cannot be right, ``AuthenticationFailed`` for one
        that cannot be had or may not go there.
        """
        ...

    def where(self, use: KeyUse) -> KeyPlace | None:
        """Where it stands, without the key; nothing is unlocked or run."""
        ...


@dataclass(frozen=True, slots=True)
class Secrets:
    """``aircher.domain.ports.SecretSource``: the first store that has a key wins."""

    stores: tuple[KeyStore, ...]

    def get(self, use: KeyUse) -> str | None:
        """The key, or None; raises as the stores do."""
        for store in self.stores:
            if key := store.get(use):
                return key
        return None

    def place(self, use: KeyUse) -> KeyPlace | None:
        """Where the key was found, without the key."""
        for store in self.stores:
            if place := store.where(use):
                return place
        return None


def secrets_from(variables: Mapping[str, str], *, keyring: bool = True) -> Secrets:
    """Environment and keyring.  Without ``keyring`` only the environment is looked at, which is
    free.
    """
    stores: tuple[KeyStore, ...] = (Environment(variables),)
    return Secrets((*stores, OsKeyring(variables)) if keyring else stores)
