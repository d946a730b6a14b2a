"""Token counts and costs as OpenAI-speaking vendors report them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aircher.domain.usage import Tokens
from aircher.providers.jsonish import count, first_count, obj


def find(data: Mapping[str, Any], choice: Mapping[str, Any]) -> dict[str, Any]:
    """The usage object of a chunk or body: mostly on top, in old Groq under ``x_groq``,
    at Moonshot in the choice.
    """
    return (
        obj(data.get("usage"))
        or obj(obj(data.get("x_groq")).get("usage"))
        or obj(choice.get("usage"))
    )


def _totals(usage: Mapping[str, Any], reasoning: int | None) -> tuple[int | None, int | None]:
    """Tokens in and out, made whole where ``total_tokens`` shows that something is missing.

    xAI leaves reasoning out of ``completion_tokens`` and says how much it was; Mistral leaves
    audio out of ``prompt_tokens``.  Any other gap is hidden output of unknown size and kind
    (Gemini's thoughts): then the output is unknown rather than wrong.
    """
    into, out = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    total = count(usage.get("total_tokens"))
    if into is None or out is None or total is None or total <= into + out:
        return into, out
    gap = total - into - out
    if gap == reasoning:
        return into, out + gap
    if usage.get("prompt_audio_seconds"):
        return into + gap, out
    return into, None


def tokens(usage: Mapping[str, Any]) -> Tokens:
    """The counts of a usage object; what it does not say stays None."""
    prompt = obj(usage.get("prompt_tokens_details"))
    completion = obj(usage.get("completion_tokens_details"))
    reasoning = first_count(completion.get("reasoning_tokens"), usage.get("reasoning_tokens"))
    into, out = _totals(usage, reasoning)
    return Tokens(
        input=into,
        cached=first_count(
            prompt.get("cached_tokens"),
            usage.get("prompt_cache_hit_tokens"),
            usage.get("cached_tokens"),
            usage.get("num_cached_tokens"),
            usage.get("cache_read_input_tokens"),
        ),
        cache_write=first_count(
            prompt.get("cache_write_tokens"),
            prompt.get("cache_creation_tokens"),
            usage.get("cache_creation_input_tokens"),
        ),
        output=out,
        reasoning=reasoning,
        input_audio=count(prompt.get("audio_tokens")),
        output_audio=count(completion.get("audio_tokens")),
    )
