"""What the user reads when a provider fails: one sentence and one next step per kind."""

from __future__ import annotations

from aircher.domain.spans import lasting
from aircher.providers.vendors import canonical, vendors

SENTENCES = {
    "auth": "{title} did not accept the key",
    "permission": "{title} does not allow this with your key",
    "quota": "The {title} account has no credit or allowance left",
    "invalid_request": "{title} did not accept the request",
    "not_found": "{title} does not know {model}",
    "context_length": "The conversation is too long for {model} at {title}",
    "content_filter": "A content filter at {title} withheld the answer",
    "address": "The address of {title} cannot be used",
    "rate_limit": "{title} got too many requests or tokens within a minute",
    "overloaded": "{title} has no capacity at the moment",
    "server": "{title} failed while answering",
    "network": "The connection to {title} failed",
    "timeout": "{title} did not answer in time",
    "malformed": "{title} sent an answer that cannot be understood",
}
"""Kind -> what happened.  ``{title}`` is the provider, ``{model}`` the model."""

HINTS = {
    "auth": "Check the key in {env}.",
    "permission": "Choose another model, or give the key the rights in {title}'s console.",
    "quota": "Add credit in {title}'s console, or use another provider.",
    "invalid_request": "Choose another model, or change the option that is named here.",
    "not_found": "See the names with `aircher models`, or correct the model in the configuration.",
    "context_length": "Start a new chat, shorten it with /compact, or use a model with a longer window.",
    "content_filter": "Say it differently, or use another model.",
    "address": "Correct base_url in [providers.{name}].",
    "rate_limit": "Wait {wait}, or use another provider.",
    "overloaded": "Try again in {again}, or use another provider.",
    "server": "Try again; if it stays so, use another provider.",
    "network": "Check the network and base_url in [providers.{name}], if it is set.",
    "timeout": "Try again, or raise timeout in [providers.{name}].",
    "malformed": "Try again; if it stays so, check base_url in [providers.{name}].",
}
"""Kind -> what to do next."""


def key_variable(name: str) -> str:
    """The environment variable that usually holds a provider's key."""
    row = vendors().get(canonical(name))
    if row is not None and row.key_env:
        return row.key_env[0]
    return f"{name.upper().replace('-', '_')}_API_KEY"


def _variables(name: str) -> str:
    """Where the key is kept, true for whatever the user configured."""
    row = vendors().get(canonical(name))
    own = f"the variable that api_key_env in [providers.{name}] names"
    return " or ".join((*row.key_env, own)) if row is not None else own


def hint_values(
    name: str, model: str, wait_s: float | None = None, key_place: str = ""
) -> dict[str, str]:
    """What sentences and hints may name.

    ``wait_s`` is how long the vendor asks to wait, ``key_place`` where the key is from.
    """
    row = vendors().get(canonical(name))
    return {
        "title": row.title if row is not None else name,
        "name": name,
        "model": model or "this model",
        "env": key_place or _variables(name),
        "wait": "a little" if wait_s is None else lasting(wait_s),
        "again": "a while" if wait_s is None else lasting(wait_s),
    }
