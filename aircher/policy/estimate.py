"""Tokens and cost before anything is sent."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from aircher.domain.models import ModelFacts
from aircher.domain.routes import Estimate
from aircher.domain.usage import Cost, Tokens

LIKELY_OUTPUT = {
    "commit_messages": 80,
    "quick_questions": 250,
    "summaries": 400,
    "code_review": 700,
    "documentation": 800,
    "refactoring": 900,
    "debugging": 700,
    "code_generation": 1000,
    "default": 400,
}
"""Tokens a reply usually takes: a first guess for display only; limits use the worst case."""

LEAST_OUTPUT = 256
"""Tokens that must be free for a reply; a prompt that leaves fewer does not fit a window."""


UNSURE = 1.25
"""The worst case takes a prompt that was not counted by the model's own tables for so many times
its estimate: other vendors' tokenizers make up to a third more tokens of the same text, and what
a model's usage teaches brings the estimate closer."""


def output_room(facts: ModelFacts, prompt: int, wanted: int) -> int:
    """How many tokens the reply may take: what is wanted, as far as the model allows it."""
    room = wanted if facts.max_output is None else min(wanted, facts.max_output)
    if facts.context_window is not None:
        room = min(room, facts.context_window - prompt)
    return max(room, 0)


def fits(facts: ModelFacts, prompt: int) -> bool:
    """True when the prompt leaves room for a reply (or the window is not known)."""
    return facts.context_window is None or prompt + LEAST_OUTPUT <= facts.context_window


def estimate(
    facts: ModelFacts,
    prompt: int,
    task: str,
    wanted: int,
    price: Callable[[Tokens], Cost],
    *,
    exact: bool = False,
) -> Estimate:
    """The estimate for one model; ``price`` gives the cost of token counts at that model."""
    room = output_room(facts, prompt, wanted)
    most = prompt if exact else math.ceil(prompt * UNSURE)
    likely = min(room, LIKELY_OUTPUT.get(task, LIKELY_OUTPUT["default"]))
    return Estimate(
        prompt=prompt,
        max_output=room,
        likely=price(_tokens(prompt, likely)),
        worst=_dearest(
            price(_tokens(most, room)),
            # Where a prompt is kept for later, writing it costs more than reading it.
            price(_tokens(most, room, most)),
        ),
        exact=exact,
        likely_output=likely,
    )


@lru_cache(maxsize=64)
def _tokens(prompt: int, output: int, kept: int | None = None) -> Tokens:
    """Counts to be priced; many models are asked the price of the same ones."""
    return Tokens(input=prompt, cache_write=kept, output=output)


def _dearest(*costs: Cost) -> Cost:
    known = [cost for cost in costs if cost.nano_usd is not None]
    return max(known, key=lambda cost: cost.nano_usd or 0, default=costs[0])
