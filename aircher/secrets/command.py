"""Keys that a command of the user's prints: ``op read ...``, ``pass show ...``, ``security ...``."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import field

from aircher.domain.children import child_environment
from aircher.domain.classes import dataclass
from aircher.domain.errors import AuthenticationFailed
from aircher.domain.keys import KeyPlace, KeyUse
from aircher.secrets.keys import Key, checked

LIMIT_S = 30.0
"""Long enough for a fingerprint; a command that waits for input would wait for ever."""

_SIGN_IN = ("OP_", "BW_", "VAULT_", "AWS_ACCESS", "AWS_SECRET", "AWS_SESSION")
"""How the variables begin that password managers sign in with; no vendor's key is among them."""

_LARGEST = 64 * 1024
"""Bytes; no key is longer."""


@dataclass(slots=True)
class Command:
    """Runs [providers.NAME] key_command, without a shell, once per program run.

    ``hidden`` are the variables of all vendors' keys, which it is not given.  What it prints
    stays in memory; what it says on stderr may hold anything, so it is dropped.
    """

    environ: Mapping[str, str]
    hidden: Collection[str] = ()
    limit_s: float = LIMIT_S
    _found: dict[tuple[str, ...], Key] = field(default_factory=dict, repr=False)

    def get(self, use: KeyUse) -> Key | None:
        """The key; None where there is no command.  Blocks: call it in a thread.

        Raises ``AuthenticationFailed`` where the command fails, ``ConfigError`` for a key that
        cannot be right.
        """
        if not use.command:
            return None
        if use.command not in self._found:
            self._found[use.command] = self._run(use)
        return self._found[use.command]

    def where(self, use: KeyUse) -> KeyPlace | None:
        """That there is a command; it is not run."""
        return KeyPlace("key_command", use.origin) if use.command else None

    def _run(self, use: KeyUse) -> Key:
        program = use.command[0]
        try:
            process = subprocess.Popen(
                use.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=child_environment(self.environ, self.hidden, kept=_SIGN_IN),
            )
        except FileNotFoundError:
            raise _failed(use, f"{program} is not installed") from None
        except (OSError, ValueError) as error:
            raise _failed(use, f"{program} cannot be run ({type(error).__name__})") from None
        with process:
            printed = _printed(process, self.limit_s)
            if printed is None or len(printed) > _LARGEST:
                process.kill()
        if printed is None:
            raise _failed(use, f"{program} did not answer within {self.limit_s:g} s")
        if len(printed) > _LARGEST:
            raise _failed(use, f"{program} printed more than any key")
        if process.returncode:
            raise _failed(use, f"{program} ended with code {process.returncode}")
        text = printed.decode("utf-8", "replace").strip()
        if not text:
            raise _failed(use, f"{program} printed nothing")
        return checked(text, f"key_command of {use.provider}")


def _printed(process: subprocess.Popen[bytes], limit_s: float) -> bytes | None:
    """What it prints, a little more than the largest at most; None if it is not done in time."""
    parts: list[bytes] = []

    def read() -> None:
        if process.stdout is not None:
            parts.append(process.stdout.read(_LARGEST + 1))

    # A thread, since what the command started may hold the pipe open when it has long been ended.
    reading = threading.Thread(target=read, name="key_command", daemon=True)
    ends = time.monotonic() + limit_s
    reading.start()
    reading.join(limit_s)
    if not parts:
        return None
    if len(parts[0]) <= _LARGEST:
        try:
            process.wait(max(0.0, ends - time.monotonic()))
        except subprocess.TimeoutExpired:
            return None
    return parts[0]


def _failed(use: KeyUse, why: str) -> AuthenticationFailed:
    return AuthenticationFailed(
        f"There is no key for {use.provider}: {why}.",
        hint=f"Try key_command of [providers.{use.provider}] by hand, without its output shown.",
        provider=use.provider,
    )
