"""Where keys come from and where each may go: the stores, and what every provider's key is for."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from aircher.bootstrap.configuring import data_dir, key_variables
from aircher.bootstrap.places import SEALED_NAME
from aircher.config.atomic import read_private, write_private
from aircher.config.load import Config
from aircher.config.provider_schema import ProviderConfig
from aircher.domain.classes import dataclass
from aircher.domain.errors import ConfigError
from aircher.domain.keys import KeyPlace, KeyUse
from aircher.domain.origins import origin_of
from aircher.providers.vendors import Vendor
from aircher.secrets.command import Command
from aircher.secrets.environment import Environment
from aircher.secrets.os_keyring import OsKeyring
from aircher.secrets.register import Register
from aircher.secrets.sealed import Files, Lock, SealedFile
from aircher.secrets.source import Secrets

Ask = Callable[[str], str | None]
"""Asks the user for a passphrase: a prompt in, what was typed out; None where nobody can answer."""

FILES = Files(read_private, write_private)
_UNSET = ProviderConfig()


@dataclass(frozen=True, slots=True)
class Stores:
    """All places for keys; ``chain`` asks them in their order."""

    environment: Environment
    keyring: OsKeyring
    sealed: SealedFile
    register: Register
    command: Command

    @property
    def chain(self) -> Secrets:
        """key_command, which the user wrote for one provider; environment; keyring; file."""
        return Secrets((self.command, self.environment, self.keyring, self.sealed))

    def quick(self, use: KeyUse) -> KeyPlace | None:
        """Where a key is as far as that is free to know: the keyring is not opened."""
        for place in (self.command.where(use), self.environment.where(use)):
            if place:
                return place
        return self.kept().get(use.provider)

    def kept(self) -> Mapping[str, KeyPlace]:
        """What `aircher keys set` stored."""
        return {**self.sealed.places(), **self.register.places()}


def stores_of(config: Config, ask: Ask, environ: Mapping[str, str] | None = None) -> Stores:
    """The stores of this user; nothing is opened."""
    variables = os.environ if environ is None else environ
    folder = data_dir(variables)
    return Stores(
        Environment(variables),
        OsKeyring(variables),
        SealedFile(folder / SEALED_NAME, FILES, _opener(config, ask)),
        Register(folder / "keyring.json", FILES),
        Command(variables, key_variables(config)),
    )


def _opener(config: Config, ask: Ask) -> Callable[[Lock], bytes | None]:
    def opener(lock: Lock) -> bytes | None:
        if lock == "passphrase":
            said = ask("Passphrase of your keys: ")
            return said.encode() if said else None
        return key_file_content(config)

    return opener


def key_file_content(config: Config) -> bytes | None:
    """What the key file holds; None where none is named.  Raises ``ConfigError``."""
    if not config.secrets.key_file:
        return None
    path = Path(os.path.expanduser(config.secrets.key_file))
    try:
        content = read_private(path)
    except OSError as error:
        raise ConfigError(
            f"The key file {path} cannot be used: {error.strerror}.",
            hint="secrets.key_file names a plain file of your own with mode 0600.",
        ) from None
    if len(content) < 16:
        raise ConfigError(
            f"The key file {path} is too short to be safe.",
            hint="Make one: head -c 32 /dev/urandom > FILE; chmod 600 FILE",
        )
    return content


def key_use(name: str, row: Vendor | None, config: Config, found: str = "") -> KeyUse:
    """What this provider's key is for.  ``found`` is the address of a server that answered."""
    own = config.providers.named.get(name, _UNSET)
    region = str(own.region or "us-east-1")
    usual = (row.base_url if row else "").replace("{region}", region)
    theirs = origin_of(usual) or (row.origin if row else "")
    chosen = origin_of(own.base_url or found) or theirs
    # A vendor without an address of its own (Azure) is always at the one that the user gave.
    anywhere = own.api_key_env or row is None or (row.kind == "openai" and not row.base_url)
    variables = (own.api_key_env,) if own.api_key_env else (row.key_env if row else ())
    return KeyUse(
        provider=name,
        variables=tuple(variables),
        origin=chosen,
        home=None if anywhere else theirs,
        command=own.key_command or (),
    )
