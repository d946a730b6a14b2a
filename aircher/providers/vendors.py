"""The rows of vendors.toml, typed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from aircher.domain.classes import dataclass


@dataclass(frozen=True, slots=True)
class Vendor:
    """One provider that Aircher knows by name.

    ``kind`` names the protocol (see ``registry.DIALECTS``).  ``origin`` is
    where the SDK goes by itself where there is no base_url.  ``key_env`` are the environment
    variables that may hold its key, first wins.  ``local`` marks a server on this machine,
    whose models cost nothing; ``needs_key`` is False where calls work without one.
    ``models`` maps "cheap", "medium" and "powerful" to a current model's name.  ``quirks``
    are facts for the dialect (the comment at the top of vendors.toml lists them), ``options``
    its default settings.
    """

    name: str
    title: str
    kind: str
    base_url: str = ""
    key_env: tuple[str, ...] = ()
    local: bool = False
    needs_key: bool = True
    aliases: tuple[str, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)
    quirks: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    origin: str = ""


def _row(name: str, raw: Mapping[str, Any]) -> Vendor:
    local = bool(raw.get("local", False))
    return Vendor(
        name=name,
        title=raw["title"],
        kind=raw["kind"],
        base_url=raw.get("base_url", ""),
        origin=raw.get("origin", ""),
        key_env=tuple(raw.get("key_env", ())),
        local=local,
        needs_key=bool(raw.get("needs_key", not local)),
        aliases=tuple(raw.get("aliases", ())),
        models=MappingProxyType(raw.get("models", {})),
        quirks=MappingProxyType(raw.get("quirks", {})),
        options=MappingProxyType(raw.get("options", {})),
    )


@cache
def vendors() -> Mapping[str, Vendor]:
    """Every known vendor by its name, in the file's order; read once."""
    # A path, not importlib.resources: that would bring zipfile and tempfile to every start.
    text = Path(__file__).with_name("vendors.toml").read_text(encoding="utf-8")
    return MappingProxyType({name: _row(name, raw) for name, raw in tomllib.loads(text).items()})


@cache
def _names() -> Mapping[str, str]:
    names = {name: name for name in vendors()}
    for vendor in vendors().values():
        names.update(dict.fromkeys(vendor.aliases, vendor.name))
    return names


def canonical(name: str) -> str:
    """The name a vendor goes by here: "anthropic" is "claude", "google" is "gemini".

    A name that is not known comes back in lower case, otherwise unchanged.
    """
    plain = name.strip().lower()
    return _names().get(plain, plain)
