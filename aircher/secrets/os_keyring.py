"""Keys in the operating system's keyring, under service "aircher", user = the provider's name.

The ``keyring`` package falls back to whatever it finds, files in plain text included, and its
configuration can name any class.  So only backends known to be kept by the system itself are
used; with any other the keyring counts as absent, and ``note`` says why.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Any

from aircher.domain.classes import dataclass
from aircher.domain.errors import ConfigError
from aircher.domain.keys import KeyPlace, KeyUse
from aircher.secrets.binding import require_same, store_hint
from aircher.secrets.keys import Key, checked
from aircher.secrets.record import Record, record_of, text_of

SERVICE = "aircher"

ALLOWED = frozenset(
    {
        "keyring.backends.SecretService.Keyring",
        "keyring.backends.libsecret.Keyring",
        "keyring.backends.kwallet.DBusKeyring",
        "keyring.backends.macOS.Keyring",
        "keyring.backends.Windows.WinVaultKeyring",
    }
)
"""Backends whose keys are kept by the system: Secret Service, KWallet, Keychain, Windows."""

_CHAIN = "keyring.backends.chainer.ChainerBackend"


def plausible(environ: Mapping[str, str], platform: str = sys.platform) -> bool:
    """True where a keyring may exist at all; on Linux it needs a D-Bus session.

    Looking costs nothing, while importing ``keyring`` takes about 60 ms.
    """
    if environ.get("PYTHON_KEYRING_BACKEND", "").endswith((".null.Keyring", ".fail.Keyring")):
        return False
    if platform in {"darwin", "win32"} or environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return True
    runtime = environ.get("XDG_RUNTIME_DIR")
    return bool(runtime and (Path(runtime) / "bus").exists())


@dataclass(slots=True)
class OsKeyring:
    """The keyring, opened when first asked; each provider is looked up once."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    allowed: frozenset[str] = ALLOWED
    note: str = ""
    """Why the keyring is not used, in a sentence; "" while nothing speaks against it."""
    _backend: Any = None
    _opened: bool = False
    _found: dict[str, str | None] = field(default_factory=dict, repr=False)

    def get(self, use: KeyUse) -> Key | None:
        """The provider's key.

        Raises ``ConfigError`` for one that cannot be right, ``AuthenticationFailed`` for one
        that belongs to another address.
        """
        text = self._look_up(use.provider)
        if not text:
            return None
        record = record_of(text)
        origin = use.home if record.origin is None else record.origin
        if origin is not None:
            require_same(origin, use, "the keyring", allow=store_hint(use))
        return checked(record.key, f"the keyring for {use.provider}")

    def where(self, use: KeyUse) -> KeyPlace | None:
        """That the keyring holds a key for the provider, and for which origin."""
        text = self._look_up(use.provider)
        if not text:
            return None
        record = record_of(text)
        origin = use.home if record.origin is None else record.origin
        return KeyPlace("keyring", use.origin if origin is None else origin, record.stored_at)

    def usable(self) -> bool:
        """True where keys can be kept there; ``note`` says why not."""
        return self._ready() is not None

    def put(self, provider: str, key: str, origin: str, at: datetime) -> None:
        """Stores a key.  Raises ``ConfigError`` where the keyring does not take it."""
        self._change(provider, "set_password", text_of(Record(key, origin, at)))

    def remove(self, provider: str) -> bool:
        """Takes a key out; False if there was none.  Raises as ``put``."""
        if not self._look_up(provider):
            return False
        self._change(provider, "delete_password")
        return True

    def _change(self, provider: str, method: str, *text: str) -> None:
        backend = self._ready()
        if backend is None:
            raise ConfigError(self.note, hint="Keep keys in the encrypted file: --to file")
        try:
            getattr(backend, method)(SERVICE, provider, *text)
        except _failures() as error:
            raise ConfigError(
                f"The keyring did not take it ({type(error).__name__}).",
                hint="Unlock it, or keep keys in the encrypted file: --to file",
            ) from None
        self._found.pop(provider, None)

    def _look_up(self, provider: str) -> str | None:
        if provider not in self._found:
            self._found[provider] = self._ask(provider)
        return self._found[provider]

    def _ask(self, provider: str) -> str | None:
        if (backend := self._ready()) is None:
            return None
        try:
            answer = backend.get_password(SERVICE, provider)
        except _failures() as error:
            self.note = f"The keyring did not answer ({type(error).__name__})."
            return None
        return answer if isinstance(answer, str) else None

    def _ready(self) -> Any:
        """The backend, opened once; None where there is none that may be used."""
        if not self._opened:
            self._opened = True
            self._backend = self._open()
        return self._backend

    def _open(self) -> Any:
        if not plausible(self.environ):
            self.note = "There is no keyring in this session."
            return None
        try:
            backend = importlib.import_module("keyring").get_keyring()
        except _failures() as error:
            self.note = f"The keyring cannot be opened ({type(error).__name__})."
            return None
        unknown = [name for name in _names(backend) if name not in self.allowed]
        if unknown:
            self.note = f"The keyring is not used: {unknown[0]} is not known to keep keys safe."
            return None
        return backend


def _names(backend: Any) -> Iterator[str]:
    """The class of a backend; of each of its parts if it is a chain."""
    name = f"{type(backend).__module__}.{type(backend).__qualname__}"
    parts = list(backend.backends) if name == _CHAIN else []
    if not parts:
        yield name
    for part in parts:
        yield from _names(part)


def _failures() -> tuple[type[BaseException], ...]:
    """What backends raise when a session, a daemon or an unlocking is missing.

    Besides keyring's own errors the D-Bus libraries let theirs through.
    """
    known: list[type[BaseException]] = [ImportError, LookupError, OSError, RuntimeError, ValueError]
    for module, name in (
        ("keyring.errors", "KeyringError"),
        ("jeepney.wrappers", "DBusErrorResponse"),
    ):
        loaded = sys.modules.get(module)
        if loaded is not None:
            known.append(getattr(loaded, name))
    return tuple(known)
