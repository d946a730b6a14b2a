"""How each provider is reached: where its key is, and the user's settings over its vendor's row."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from aircher.bootstrap.sources import Stores, key_use
from aircher.config.load import Config
from aircher.config.provider_schema import ProviderConfig
from aircher.domain.keys import KeyPlace, KeyUse
from aircher.providers.local.discover import Server
from aircher.providers.registry import ProviderSetup
from aircher.providers.vendors import Vendor, vendors


def key_places(config: Config, stores: Stores) -> Iterator[tuple[str, KeyPlace]]:
    """Where each provider's key is, as far as there is one.

    Every vendor's variables are looked at, and what `aircher keys set` noted, which is free; the
    keyring, which is slow to open, is asked only for providers that the user named.
    """
    named = {config.providers.default, *config.providers.named}
    rows = vendors()
    for name in dict.fromkeys((*rows, *config.providers.named, *stores.kept())):
        use = key_use(name, rows.get(name), config)
        place = stores.quick(use) or (stores.chain.place(use) if name in named else None)
        if place:
            yield name, place


_KEPT = {
    "keyring": "the system's keyring (aircher keys set {name})",
    "encrypted file": "the encrypted file (aircher keys set {name})",
    "key_command": "what key_command of [providers.{name}] prints",
}
"""Places for keys that are no variable, for a sentence."""


def _place(stores: Stores, use: KeyUse) -> str:
    """Where the key that is used comes from, for a sentence; "" for nowhere."""
    place = stores.chain.place(use)
    source = place.source if place else ""
    return _KEPT.get(source, source).format(name=use.provider)


_CONNECTION_OPTIONS = (
    "org_id", "project", "location", "region", "num_ctx", "num_predict", "allow_http", "cloud", "api",
    "api_version",
)  # fmt: skip


def setup_of(
    row: Vendor, config: Config, stores: Stores, servers: Sequence[Server]
) -> ProviderSetup:
    """How one provider is reached: the user's settings over the vendor's row."""
    own = config.providers.named.get(row.name, ProviderConfig())
    found = next((server.base_url for server in servers if server.name == row.name), "")
    use = key_use(row.name, row, config, found)
    options: dict[str, Any] = {
        name: value for name in _CONNECTION_OPTIONS if (value := getattr(own, name)) is not None
    }
    if own.keep_alive is not None:
        options["keep_alive"] = f"{own.keep_alive:g}s"
    if config.network.ca_file:
        options["ca_file"] = os.path.expanduser(config.network.ca_file)
    if row.kind == "local":
        options |= {
            "model": config.local.model,
            "threads": config.local.threads,
            "num_ctx": config.local.context,
            "idle_unload": config.local.idle_unload,
        }
    return ProviderSetup(
        row=row,
        base_url=own.base_url or found or row.base_url,
        key=lambda: stores.chain.get(use),
        key_place=lambda: _place(stores, use),
        key_env=use.variables,
        idle_timeout_s=own.idle_timeout or 120.0,
        options=options,
    )
