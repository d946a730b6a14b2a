"""Keys in environment variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aircher.secrets.keys import Key, checked


@dataclass(frozen=True, slots=True)
class Environment:
    """The first of the given variables that is set and not empty counts."""

    variables: Mapping[str, str]

    def get(self, provider: str, env_names: Sequence[str]) -> Key | None:
        """The key; raises ``ConfigError`` for one that cannot be right."""
        name = self.where(provider, env_names)
        return checked(self.variables[name], name) if name else None

    def where(self, provider: str, env_names: Sequence[str]) -> str | None:  # noqa: ARG002 - one of several stores that are asked alike
        """The variable's name."""
        return next((name for name in env_names if self.variables.get(name)), None)
