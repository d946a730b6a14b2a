"""A key goes only to the origin it was stored for."""

from __future__ import annotations

from aircher.domain.errors import AuthenticationFailed
from aircher.domain.keys import KeyUse, shown_origin


def require_same(stored_for: str, use: KeyUse, where: str, *, allow: str) -> None:
    """Raises ``AuthenticationFailed`` where the key would go anywhere else.

    ``allow`` says what the user may do to permit it.
    """
    if stored_for == use.origin:
        return
    raise AuthenticationFailed(
        f"The key in {where} is for {shown_origin(stored_for)},"
        f" but {use.provider} is at {shown_origin(use.origin)}; it was not sent.",
        hint=allow,
        provider=use.provider,
    )


def store_hint(use: KeyUse) -> str:
    """How a stored key is given for the present address."""
    return f"To give one for that address: aircher keys set {use.provider}"
