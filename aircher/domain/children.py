"""The environment that programs started by Aircher get: the user's, without keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping

_ENDINGS = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_PASSPHRASE", "_CREDENTIALS", "APIKEY")
_BEGINNINGS = ("AWS_BEARER_TOKEN",)  # AWS_BEARER_TOKEN_BEDROCK


def names_a_secret(name: str) -> bool:
    """True for a variable that by its name holds a key, a token or a password."""
    upper = name.upper()
    return upper.endswith(_ENDINGS) or upper.startswith(_BEGINNINGS)


def child_environment(
    environ: Mapping[str, str], hidden: Collection[str] = (), *, kept: tuple[str, ...] = ()
) -> dict[str, str]:
    """``environ`` without the variables in ``hidden`` and those named like secrets.

    Names that begin with one of ``kept`` stay, unless they are hidden by name.
    """
    return {
        name: value
        for name, value in environ.items()
        if name not in hidden and (name.startswith(kept) or not names_a_secret(name))
    }
