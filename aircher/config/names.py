"""Provider names: what counts as one, and which names mean the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping

Names = Mapping[str, str]
"""Every name or alias of a known provider -> the name it goes by here."""

BUILT_IN: Names = {name: name for name in ("openai", "claude", "gemini", "ollama", "local")} | {
    "anthropic": "claude",
    "google": "gemini",
}
"""The providers that are known without the vendors' table."""


def canonical(names: Names, name: str) -> str:
    """The provider's one name ("anthropic" is "claude"); an unknown name as it is."""
    return names.get(name.lower(), name)


def split_model(text: str, providers: Collection[str], names: Names = BUILT_IN) -> tuple[str, str]:
    """Provider and model of "provider/model"; provider "" where the first part names none.

    A model's own name may hold slashes ("meta-llama/llama-4" at OpenRouter).
    """
    first, slash, rest = text.partition("/")
    name = canonical(names, first)
    return (name, rest) if slash and rest and name in providers else ("", text)


def split_limit(key: str, names: Names = BUILT_IN) -> tuple[str, str]:
    """Provider and window of "openai_daily": ("openai", "day"); ("", "") for another shape."""
    provider, _, window = key.rpartition("_")
    span = {"daily": "day", "monthly": "month"}.get(window, "")
    return (canonical(names, provider), span) if provider and span else ("", "")
