"""Keys in environment variables."""

from __future__ import annotations

from collections.abc import Mapping

from aircher.domain.classes import dataclass
from aircher.domain.keys import KeyPlace, KeyUse
from aircher.secrets.binding import require_same
from aircher.secrets.keys import Key, checked


@dataclass(frozen=True, slots=True)
class Environment:
    """The first of the given variables that is set and not empty counts."""

    variables: Mapping[str, str]

    def get(self, use: KeyUse) -> Key | None:
        """The key.

        Raises ``ConfigError`` for one that cannot be right, ``AuthenticationFailed`` for one
        that belongs to another address.
        """
        name = self._name(use)
        if name is None:
            return None
        if use.home is not None:
            beside = f'api_key_env = "{name}" beside base_url in [providers.{use.provider}]'
            require_same(use.home, use, name, allow=f"To send it there all the same, set {beside}.")
        return checked(self.variables[name], name)

    def where(self, use: KeyUse) -> KeyPlace | None:
        """The variable."""
        name = self._name(use)
        home = use.origin if use.home is None else use.home
        return KeyPlace(name, home) if name else None

    def _name(self, use: KeyUse) -> str | None:
        return next((name for name in use.variables if self.variables.get(name)), None)
