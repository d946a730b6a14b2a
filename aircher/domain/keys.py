"""API keys as the rest of the program speaks of them: what one is wanted for, and where it is.

No value here holds a key.
"""

from __future__ import annotations

from datetime import datetime

from aircher.domain.classes import dataclass


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What a key is wanted for.

    ``variables`` may hold it in the environment.  ``origin`` is where it would be sent ("" = the
    address that the vendor's SDK knows).  ``home`` is the origin that the variables' keys are
    for; None where the user named variable and address together, or the vendor has no address
    of its own.  ``command`` prints the key (key_command), () for none.
    """

    provider: str
    variables: tuple[str, ...] = ()
    origin: str = ""
    home: str | None = None
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """A key that was found, without the key.

    ``source`` is "OPENAI_API_KEY", "keyring", "encrypted file" or "key_command"; ``origin`` the
    one it may be sent to ("" = the vendor's own); ``stored_at`` None where nobody knows.
    """

    source: str
    origin: str = ""
    stored_at: datetime | None = None


def shown_origin(origin: str) -> str:
    """An origin for a sentence."""
    return origin or "the vendor's own address"
