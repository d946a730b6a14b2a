"""What a dialect needs to reach one provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from aircher.domain.classes import dataclass


@dataclass(frozen=True, slots=True)
class Connection:
    """One provider's address, key and declared facts; made by the registry.

    ``base_url`` "" means the SDK's own.  ``idle_timeout_s`` is how long a stream may be
    silent, ``connect_timeout_s`` how long a connection may take to open.  ``quirks`` are the
    facts of the vendor's row in vendors.toml; ``options`` the user's settings that only some
    dialects know (org_id, project, location, region, keep_alive, num_ctx, num_predict, api ...).

    ``key_place`` names where the key is from, for a sentence ("" = nobody knows).  ``local`` marks
    a server on this machine.
    """

    provider: str
    base_url: str = ""
    key: str = field(default="", repr=False)
    idle_timeout_s: float = 120.0
    connect_timeout_s: float = 10.0
    quirks: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    local: bool = False
    key_place: str = ""
