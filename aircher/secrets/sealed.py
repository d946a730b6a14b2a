"""Keys in an encrypted file: one record each, sealed with a passphrase or a key file.

Format 1 is a JSON object: ``kdf`` (scrypt with its cost and salt), ``lock`` (what opens it),
``check`` (an empty record, so that a wrong passphrase is told from a damaged key) and ``keys``:
provider -> origin, time, nonce, data.  Sealed by ChaCha20-Poly1305 (RFC 8439); provider, origin
and time are its associated data, so a record moved to another provider does not open.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from aircher.domain.classes import dataclass
from aircher.domain.errors import AuthenticationFailed, ConfigError
from aircher.domain.keys import KeyPlace, KeyUse
from aircher.secrets.binding import require_same, store_hint
from aircher.secrets.keys import Key, checked

Lock = Literal["passphrase", "key file"]

COST = {"n": 2**17, "r": 8, "p": 1}
"""scrypt's cost: 128 MB and a third of a second (OWASP Password Storage Cheat Sheet, scrypt)."""

_LEAST_N, _MOST_N = 2**14, 2**20
_SOURCE = "encrypted file"


class Unreadable(ConfigError):
    """The file cannot be used: newer, damaged, or not ours."""


@dataclass(frozen=True, slots=True)
class Files:
    """How private files are read and written; both raise ``OSError``."""

    read: Callable[[Path], bytes]
    write: Callable[[Path, bytes], None]


def _nothing(_lock: Lock) -> bytes | None:
    return None


@dataclass(slots=True)
class SealedFile:
    """The file at ``path``; it need not exist.

    ``opener`` gives the passphrase, or the key file's content, when it is first needed; None
    where there is nobody to ask.
    """

    path: Path
    files: Files
    opener: Callable[[Lock], bytes | None] = _nothing
    cost: Mapping[str, int] = field(default_factory=lambda: COST)
    _cipher: Any = field(default=None, repr=False)

    # -- as one of the stores

    def get(self, use: KeyUse) -> Key | None:
        """The key.

        Raises ``AuthenticationFailed`` where the file cannot be opened or the key is for another
        origin, ``ConfigError`` for a damaged or newer file.
        """
        if not self.path.exists():
            return None
        content = self._content()
        raw = content["keys"].get(use.provider)
        if raw is None:
            return None
        require_same(str(raw["origin"]), use, "the encrypted file", allow=store_hint(use))
        cipher = self._opened(content, use.provider)
        return checked(self._open(cipher, raw, use.provider), "the encrypted file")

    def where(self, use: KeyUse) -> KeyPlace | None:
        """That it holds a key for the provider; nothing is opened."""
        return self.places().get(use.provider)

    def places(self) -> Mapping[str, KeyPlace]:
        """Every provider with a key here; nothing is opened."""
        if not self.path.exists():
            return {}
        return {
            provider: KeyPlace(_SOURCE, str(raw["origin"]), datetime.fromisoformat(raw["set"]))
            for provider, raw in self._content()["keys"].items()
        }

    # -- changing

    @property
    def lock(self) -> Lock | None:
        """What opens the file; None while there is no file."""
        return self._content()["lock"] if self.path.exists() else None

    def put(self, provider: str, key: str, origin: str, at: datetime, lock: Lock) -> None:
        """Seals a key; ``lock`` says what opens a file that is made now.

        Raises ``AuthenticationFailed`` where it cannot be opened, ``ConfigError``, ``OSError``.
        """
        content = self._content() if self.path.exists() else self._new(lock)
        cipher = self._opened(content, provider)
        raw = {"origin": origin, "set": at.isoformat()}
        content["keys"][provider] = raw | _sealed(cipher, key, _bound(provider, raw))
        self._save(content)

    def remove(self, provider: str) -> bool:
        """Takes a key out; False if there was none.  Raises ``ConfigError``, ``OSError``."""
        if not self.path.exists():
            return False
        content = self._content()
        if content["keys"].pop(provider, None) is None:
            return False
        self._save(content)
        return True

    def open(self) -> None:
        """Asks for what opens the file and tries it; raises as ``get``."""
        if self.path.exists():
            self._opened(self._content(), "")

    # -- inside

    def _content(self) -> dict[str, Any]:
        try:
            return _valid(self.files.read(self.path), self.path)
        except OSError as error:
            raise Unreadable(
                f"The key file {self.path} cannot be read: {error.strerror or error}.",
                hint="It must be a plain file of your own that nobody else may read.",
            ) from None

    def _save(self, content: Mapping[str, Any]) -> None:
        self.files.write(self.path, json.dumps(content, indent=1, sort_keys=True).encode())

    def _new(self, lock: Lock) -> dict[str, Any]:
        kdf = {"name": "scrypt", **self.cost, "salt": _text(os.urandom(16))}
        content: dict[str, Any] = {"aircher_keys": 1, "kdf": kdf, "lock": lock, "keys": {}}
        self._cipher = self._derived(content, "")
        content["check"] = _sealed(self._cipher, "", _bound("", {}))
        return content

    def _derived(self, content: Mapping[str, Any], provider: str) -> Any:
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        secret = self.opener(content["lock"])
        if not secret:
            raise AuthenticationFailed(
                f"The keys in {self.path} are locked by a {content['lock']}, which was not given.",
                hint="Start Aircher in a terminal, or name a key file with secrets.key_file.",
                provider=provider,
            )
        kdf = content["kdf"]
        scrypt = Scrypt(salt=b64decode(kdf["salt"]), length=32, n=kdf["n"], r=kdf["r"], p=kdf["p"])
        return ChaCha20Poly1305(scrypt.derive(secret))

    def _opened(self, content: Mapping[str, Any], provider: str) -> Any:
        """The cipher, once it has opened the empty record."""
        if self._cipher is None:
            from cryptography.exceptions import InvalidTag

            cipher = self._derived(content, provider)
            try:
                _unsealed(cipher, content["check"], _bound("", {}))
            except InvalidTag:
                raise AuthenticationFailed(
                    f"That is not the {content['lock']} of {self.path}.",
                    hint="Try again; without it the keys cannot be read, only set anew.",
                    provider=provider,
                ) from None
            self._cipher = cipher
        return self._cipher

    def _open(self, cipher: Any, raw: Mapping[str, str], provider: str) -> str:
        from cryptography.exceptions import InvalidTag

        try:
            return _unsealed(cipher, raw, _bound(provider, raw))
        except InvalidTag:
            raise Unreadable(
                f"The key of {provider} in {self.path} was changed by someone, or is damaged.",
                hint=f"Set it anew: aircher keys set {provider}",
            ) from None


def _bound(provider: str, raw: Mapping[str, str]) -> bytes:
    """What a record is bound to."""
    return json.dumps([1, provider, raw.get("origin", ""), raw.get("set", "")]).encode()


def _sealed(cipher: Any, text: str, bound: bytes) -> dict[str, str]:
    nonce = os.urandom(12)
    return {"nonce": _text(nonce), "data": _text(cipher.encrypt(nonce, text.encode(), bound))}


def _unsealed(cipher: Any, raw: Mapping[str, str], bound: bytes) -> str:
    plain: bytes = cipher.decrypt(b64decode(raw["nonce"]), b64decode(raw["data"]), bound)
    return plain.decode()


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _valid(data: bytes, path: Path) -> dict[str, Any]:
    """The object, its shape checked."""
    damaged = Unreadable(
        f"The key file {path} is damaged.", hint="Move it away, then set the keys anew."
    )
    try:
        content = json.loads(data)
        version = content["aircher_keys"]
        if isinstance(version, int) and version > 1:
            raise Unreadable(
                f"The key file {path} was written by a newer Aircher.", hint="Upgrade Aircher."
            )
        kdf = content["kdf"]
        right = (
            version == 1
            and content["lock"] in {"passphrase", "key file"}
            and kdf["name"] == "scrypt"
            and _LEAST_N <= kdf["n"] <= _MOST_N
            and kdf["n"] & (kdf["n"] - 1) == 0
            and (kdf["r"], kdf["p"]) == (8, 1)
            and len(b64decode(kdf["salt"], validate=True)) == 16
        )
        records = [content["check"], *content["keys"].values()]
        right = right and all(_valid_record(raw) for raw in records)
        for raw in content["keys"].values():
            datetime.fromisoformat(raw["set"])
            right = right and isinstance(raw["origin"], str)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise damaged from None
    if not right:
        raise damaged
    return content  # type: ignore[no-any-return] # JSON, its shape looked at above


def _valid_record(raw: Mapping[str, str]) -> bool:
    nonce, data = (b64decode(raw[name], validate=True) for name in ("nonce", "data"))
    return len(nonce) == 12 and len(data) >= 16
