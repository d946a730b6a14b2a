"""The strategies: each one pure function that orders models, and the table of them.

A strategy yields proposals, the best first: a model, the reason in words, how well founded the
place is (0..1), and the figure that was compared.  What the user asked for by name, and what a
rule of the user's names, comes before any strategy; what cannot take the request is left out
after it.  How well a place is founded:

    1.0          the user's own word, or a known price for a counted prompt
    0.9 .. 0.5   measured here: more calls, more certain
    0.7          a published score, or a price for an estimated prompt
    0.4          an estimate by others (carbon), or a vendor's own tier
    0.2          nothing is known of the model that the strategy asks for
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeVar

from aircher.domain.models import ModelRef
from aircher.domain.preferences import TIERS
from aircher.domain.routes import Rules
from aircher.domain.usage import dollars
from aircher.policy.route.board import BEST, board_of
from aircher.policy.route.fitness import response_time
from aircher.policy.route.pool import model_of, pool, rank, tier_for
from aircher.policy.route.situation import Situation

UNKNOWN = 0.2

DEFAULT_PROVIDER = "the default provider"
"""The reason of the first of the user's order."""

V = TypeVar("V")


class Proposal(NamedTuple):
    """A model, why it is proposed, how well founded that is, and the figure that was compared."""

    ref: ModelRef
    reason: str
    confidence: float = 1.0
    figure: str = ""


Strategy = Callable[[Rules, Situation], Iterable[Proposal]]

Order = Callable[[Iterable[ModelRef], Rules, Situation, int], Iterator[Proposal]]
"""Puts these models in order; the number says how many stand before the first of them."""


def by_task(rules: Rules, situation: Situation) -> Iterator[Proposal]:
    """The task's rule and its fallbacks, then every provider's model of the task's tier.

    The providers stand in the user's order, or by [routing] prioritise where that is set.
    """
    task, sure = situation.task, situation.confidence
    rule = rules.tasks.get(task)
    if rule is not None:
        yield Proposal(rule.preferred, f"{task} ({rule.origin})", sure)
        for ref in rule.fallbacks:
            yield Proposal(ref, f"fallback of {task} ({rule.origin})", sure)
    tier, why = tier_for(rules, situation)
    moved = f"; {tier} tier by {why}" if why else ""
    if tier in rules.tiers.models:
        yield Proposal(rules.tiers.models[tier], f"the {tier} tier (routing.tiers){moved}", sure)
    # With --local the order holds only what is on this machine, not the default provider.
    first = "the first on this machine" if situation.wish.local else DEFAULT_PROVIDER
    rest = []
    for number, provider in enumerate(rules.order):
        ref = model_of(provider, rules, situation)
        of_tier = rules.provider_tiers.get(provider, {}).get(tier) == ref.model
        which = f"; its {tier} model" if of_tier and not moved else moved
        order_word = first if number == 0 else "next in fallback_order"
        rest.append(Proposal(ref, order_word + which, sure))
    order = _PRIORITIES.get(rules.preferences.prioritise)
    if order is None:
        yield from rest
        return
    for proposal in order((item.ref for item in rest), rules, situation, 0):
        yield proposal._replace(reason=f"{proposal.reason} (routing.prioritise){moved}")


def by_cost(rules: Rules, situation: Situation) -> Iterator[Proposal]:
    """The cheapest for this very prompt first; unknown prices last."""
    return _compared(_cheapest, "cost", rules, situation)


def by_quality(rules: Rules, situation: Situation) -> Iterator[Proposal]:
    """The highest published or own quality score first; then, by tier, those without one."""
    return _compared(_best, "quality", rules, situation)


def by_performance(rules: Rules, situation: Situation) -> Iterator[Proposal]:
    """The shortest expected time to the whole answer first, as measured here; unmeasured last."""
    return _compared(_fastest, "speed", rules, situation)


def by_carbon(rules: Rules, situation: Situation) -> Iterator[Proposal]:
    """The fewest grams CO2e first, by estimates (catalog/carbon.toml); unknown last."""
    return _compared(_cleanest, "carbon", rules, situation)


def balanced(rules: Rules, situation: Situation) -> Iterator[Proposal]:
    """Cost, quality and speed together, by [routing.weights].

    Each is scaled over the models at hand, the best 1 and the worst 0; what is not known counts
    as the middle, 0.5.
    """
    return _compared(_balanced, "balance", rules, situation)


# -- orders, shared by strategies and by [routing] prioritise


def _compared(order: Order, by: str, rules: Rules, situation: Situation) -> Iterator[Proposal]:
    """The pool in that order; of a large one the front first (``board``), then all the others."""
    board = board_of(rules, situation)
    front = board.front(by, situation)
    if front is None:
        yield from order(pool(rules, situation), rules, situation, 0)
        return
    told: set[ModelRef] = set()
    for proposal in islice(order(front, rules, situation, 0), BEST):
        told.add(proposal.ref)
        yield proposal
    rest = [ref for ref in board.pool(situation) if ref not in told]
    yield from order(rest, rules, situation, len(told))


def _cheapest(
    refs: Iterable[ModelRef], rules: Rules, situation: Situation, place: int
) -> Iterator[Proposal]:
    del rules
    known, unknown = _split(refs, lambda ref: _nano(ref, situation))
    for number, (ref, nano) in enumerate(sorted(known, key=lambda item: item[1]), place):
        estimate = situation.estimate(ref)
        sure = 1.0 if estimate.exact or nano == 0 else 0.7
        reason = _nth(number, "cheapest for this prompt")
        yield Proposal(ref, reason, sure, dollars(nano) if nano else "free")
    for ref in unknown:
        yield Proposal(ref, "its price is not known", UNKNOWN)


def _best(
    refs: Iterable[ModelRef], rules: Rules, situation: Situation, place: int
) -> Iterator[Proposal]:
    known, unknown = _split(refs, lambda ref: situation.facts(ref).quality)
    for number, (ref, quality) in enumerate(sorted(known, key=lambda item: -item[1].score), place):
        source = " ".join(filter(None, (quality.source, quality.date)))
        figure = f"{quality.score:g} ({source})"
        yield Proposal(ref, _nth(number, "best quality score"), 0.7, figure)

    def tier(ref: ModelRef) -> int:
        place = rank(ref, rules)
        return -1 if place is None else place

    for ref in sorted(unknown, key=lambda ref: -tier(ref)):
        if tier(ref) < 0:
            yield Proposal(ref, "its quality is not known", UNKNOWN)
        else:
            words = f"its quality is not known; the provider's {TIERS[tier(ref)]} model"
            yield Proposal(ref, words, 0.4)


def _fastest(
    refs: Iterable[ModelRef], rules: Rules, situation: Situation, place: int
) -> Iterator[Proposal]:
    del rules
    known, unknown = _split(refs, lambda ref: response_time(ref, situation))
    for number, (ref, expected) in enumerate(sorted(known, key=lambda item: item[1]), place):
        speed = situation.speed(ref)
        calls = speed.calls if speed else 0
        sure = 0.9 - 0.4 / max(calls, 1)
        of = f"measured over {calls} call{'s' if calls != 1 else ''}"
        reason = _nth(number, "fastest as measured here")
        yield Proposal(ref, reason, sure, f"about {expected:.{1 if expected >= 1 else 2}f} s, {of}")
    for ref in unknown:
        yield Proposal(ref, "its speed was not measured yet", UNKNOWN)


def _cleanest(
    refs: Iterable[ModelRef], rules: Rules, situation: Situation, place: int
) -> Iterator[Proposal]:
    del rules

    def grams(ref: ModelRef) -> tuple[float, float] | None:
        carbon = situation.facts(ref).carbon
        if carbon is None:
            return None
        share = situation.estimate(ref).likely_output / 1000
        return carbon.low * share, carbon.high * share

    known, unknown = _split(refs, grams)
    ordered = sorted(known, key=lambda item: sum(item[1]))
    for number, (ref, (low, high)) in enumerate(ordered, place):
        figure = f"{low:.2g} to {high:.2g} g CO2e, an estimate"
        yield Proposal(ref, _nth(number, "least carbon by estimate"), 0.4, figure)
    for ref in unknown:
        yield Proposal(ref, "its carbon is not known", UNKNOWN)


def _balanced(
    refs: Iterable[ModelRef], rules: Rules, situation: Situation, place: int
) -> Iterator[Proposal]:
    refs = list(refs)
    costs = [_nano(ref, situation) for ref in refs]
    scores = [q.score if (q := situation.facts(ref).quality) else None for ref in refs]
    times = [response_time(ref, situation) for ref in refs]
    weights = rules.preferences.weights
    parts = (
        ("cost", weights.cost, _scaled(costs, less_is_better=True)),
        ("quality", weights.quality, _scaled(scores)),
        ("speed", weights.speed, _scaled(times, less_is_better=True)),
    )
    total = sum(weight for _, weight, _ in parts) or 1.0
    ranked = sorted(
        ((sum([w * scale[at][0] for _, w, scale in parts]) / total, at) for at in range(len(refs))),
        key=lambda item: -item[0],
    )
    for number, (score, at) in enumerate(ranked, place):
        words = ", ".join(
            f"{name} {scale[at][0]:.2f}{'' if scale[at][1] else ' (unknown)'}"
            for name, weight, scale in parts
            if weight
        )
        known = sum(w for _, w, scale in parts if scale[at][1]) / total
        founded = UNKNOWN + 0.7 * known
        reason = _nth(number, "best balance of what counts")
        yield Proposal(refs[at], reason, founded, f"{score:.2f}: {words}")


NEXT = "next: "
"""How the reason begins of one that is not the best itself."""


def _nth(number: int, reason: str) -> str:
    return f"{NEXT}{reason}" if number else reason


def _nano(ref: ModelRef, situation: Situation) -> int | None:
    return situation.estimate(ref).likely.nano_usd


def _split(
    refs: Iterable[ModelRef], value: Callable[[ModelRef], V | None]
) -> tuple[list[tuple[ModelRef, V]], list[ModelRef]]:
    """The models with a value, and those without, both in the order given."""
    known: list[tuple[ModelRef, V]] = []
    unknown: list[ModelRef] = []
    for ref in refs:
        found = value(ref)
        if found is None:
            unknown.append(ref)
        else:
            known.append((ref, found))
    return known, unknown


def _scaled(
    values: Sequence[float | None], *, less_is_better: bool = False
) -> list[tuple[float, bool]]:
    """Each value between 0 (the worst) and 1, and whether it is known at all."""
    known = [value for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)

    def scale(value: float) -> float:
        if high == low:
            return 1.0
        share = (value - low) / (high - low)
        return 1 - share if less_is_better else share

    return [(0.5, False) if value is None else (scale(value), True) for value in values]


_PRIORITIES: dict[str, Order] = {
    "cost": _cheapest,
    "quality": _best,
    "speed": _fastest,
}

STRATEGIES: dict[str, Strategy] = {
    "task": by_task,
    "cost": by_cost,
    "quality": by_quality,
    "performance": by_performance,
    "balanced": balanced,
    "carbon": by_carbon,
}
