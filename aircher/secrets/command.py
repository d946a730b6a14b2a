"""Keys that a command of the user's prints: ``op read ...``, ``pass show ...``, ``security ...``."""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from aircher.domain.children import child_environment
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

    ``hidden`` are the variables of all vendors' keys, which it is not given.  What it prints stays in memory; what it says on stderr may hold anything, so it is dropped.
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
            done = subprocess.run(
                use.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=child_environment(self.environ, self.hidden, kept=_SIGN_IN),
                timeout=self.limit_s,
                check=False,
            )
        except FileNotFoundError:
            raise _failed(use, f"{program} is not installed") from None
        except subprocess.TimeoutExpired:
            raise _failed(use, f"{program} did not answer within {self.limit_s:g} s") from None
        except (OSError, ValueError) as error:
            raise _failed(use, f"{program} cannot be run ({type(error).__name__})") from None
        if done.returncode:
            raise _failed(use, f"{program} ended with code {done.returncode}")
        text = done.stdout[:_LARGEST].decode("utf-8", "replace").strip()
        if not text:
            raise _failed(use, f"{program} printed nothing")
        return checked(text, f"key_command of {use.provider}")


def _failed(use: KeyUse, why: str) -> AuthenticationFailed:
    return AuthenticationFailed(
        f"There is no key for {use.provider}: {why}.",
        hint=f"Try key_command of [providers.{use.provider}] by hand, without its output shown.",
        provider=use.provider,
    )
