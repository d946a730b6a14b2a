"""What of a choice depends on no request: who is in the pool, who stands first in it, who is stronger.

A ``Board`` belongs to one configuration and one catalogue.  Whoever plans again and again makes one
and hands it in with each ``Situation``; what it says is worked out when first asked for and kept.
All of it are pure functions of the rules and the facts.

A pool of a few dozen models is simply compared.  Of a larger one a strategy compares the *front*:
those that can be among the first ``BEST`` for some request, because fewer than ``BEST`` others are
at least as good in everything that counts (list prices in and out, score, grams).  Only where most
of these cannot take a request are all the others looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from aircher.domain.models import ModelFacts, ModelRef
from aircher.domain.routes import Rules
from aircher.policy.route.fitness import LASTING, unsure
from aircher.policy.route.pool import all_of, rank, tier_for
from aircher.policy.route.situation import Situation

FEW = 32
"""A pool of so many models is compared as a whole."""

BEST = 8
"""So many places of a front are right for any request; a plan takes six of them."""

Aspects = Callable[[ModelFacts], tuple[float | None, ...]]
"""What counts of a model, less being better; None where it is not known."""

T = TypeVar("T")


def _price(facts: ModelFacts) -> tuple[float | None, ...]:
    if facts.free:
        return 0.0, 0.0
    sides = (facts.input_price, facts.output_price)
    return tuple(None if side is None else float(side) for side in sides)


def _score(facts: ModelFacts) -> tuple[float | None, ...]:
    return (-facts.quality.score if facts.quality else None,)


def _grams(facts: ModelFacts) -> tuple[float | None, ...]:
    return (facts.carbon.middle if facts.carbon else None,)


ASPECTS: Mapping[str, Aspects] = {
    "cost": _price,
    "quality": _score,
    "carbon": _grams,
    "speed": lambda _: (None,),
    "balance": lambda facts: (*_price(facts), *_score(facts)),
}
"""By what is compared.  Speeds are measured, and change: who has one is always looked at."""


class Board:
    """The table of one configuration."""

    def __init__(self, rules: Rules, facts: Callable[[ModelRef], ModelFacts]) -> None:
        self.rules = rules
        self._facts = facts
        self._pools: dict[tuple[str, str], dict[ModelRef, None]] = {}
        self._lasting: dict[tuple[object, ...], tuple[ModelRef, ...]] = {}
        self._fronts: dict[tuple[object, ...], tuple[ModelRef, ...]] = {}
        self._stronger: dict[tuple[object, ...], tuple[ModelRef, ...]] = {}

    def pool(self, situation: Situation) -> Mapping[ModelRef, None]:
        """Every model that may be compared, each once, in the user's order."""
        key = situation.task, tier_for(self.rules, situation)[0]
        if key not in self._pools:
            self._pools[key] = dict.fromkeys(all_of(self.rules, situation))
        return self._pools[key]

    def front(self, by: str, situation: Situation) -> Sequence[ModelRef] | None:
        """Those that can come first by ``by`` (a key of ``ASPECTS``), with all that were measured
        where speed counts; None where the pool is small.
        """
        pool = self.pool(situation)
        if len(pool) <= FEW:
            return None
        key = (*self._key(situation), by)
        if key not in self._fronts:
            self._fronts[key] = tuple(self._front(by, situation))
        if by not in {"speed", "balance"}:
            return self._fronts[key]
        measured = (ref for ref in situation.speeds() if ref in pool)
        return tuple(dict.fromkeys((*measured, *self._fronts[key])))

    def stronger(self, first: ModelRef, situation: Situation) -> Sequence[ModelRef]:
        """Models better than the first: of a higher tier, or where none is known of a higher
        quality.  The same provider's come first, and the next step up before a larger one.
        """
        key = (first, *self._key(situation))
        if key not in self._stronger:
            self._stronger[key] = tuple(self._stronger_than(first, situation))
        return self._stronger[key]

    def _key(self, situation: Situation) -> tuple[object, ...]:
        """What ``LASTING`` and the pool depend on."""
        tier, _ = tier_for(self.rules, situation)
        return situation.task, tier, situation.needs, situation.local

    def _able(self, situation: Situation) -> Sequence[ModelRef]:
        """The pool without those that could never take a request of this kind, or might not."""
        key = self._key(situation)
        if key not in self._lasting:
            self._lasting[key] = tuple(
                ref
                for ref in self.pool(situation)
                if not unsure(ref, self.rules, situation)
                and not any(
                    check(ref, self._facts(ref), self.rules, situation) for check in LASTING
                )
            )
        return self._lasting[key]

    def _front(self, by: str, situation: Situation) -> Iterable[ModelRef]:
        """Models are compared with those of which the same is known."""
        kinds: dict[tuple[bool, ...], list[tuple[tuple[float, ...], ModelRef]]] = {}
        for ref in self._able(situation):
            aspects = ASPECTS[by](self._facts(ref))
            known = tuple(value is None for value in aspects)
            values = tuple(value for value in aspects if value is not None)
            kinds.setdefault(known, []).append((values, ref))
        return (ref for alike in kinds.values() for ref in undominated(alike, BEST))

    def _stronger_than(self, first: ModelRef, situation: Situation) -> Iterable[ModelRef]:
        here, quality = rank(first, self.rules), self._facts(first).quality
        found: list[tuple[bool, float, ModelRef]] = []
        for ref in self.pool(situation):
            there, other = rank(ref, self.rules), self._facts(ref).quality
            if ref == first:
                continue
            if here is not None and there is not None:
                step = float(there - here)
            elif quality is not None and other is not None:
                step = other.score - quality.score
            else:
                continue
            if step > 0:
                found.append((ref.provider != first.provider, step, ref))
        found.sort()
        return (ref for _, _, ref in found)


def board_of(rules: Rules, situation: Situation) -> Board:
    """The situation's own board where it is of these rules, else a new one."""
    board = situation.board
    if isinstance(board, Board) and board.rules is rules:
        return board
    return Board(rules, situation.facts)


def undominated(items: Iterable[tuple[tuple[float, ...], T]], depth: int) -> list[T]:
    """The items than which fewer than ``depth`` others are at least as good in every value.

    Whatever sum of the values (none weighed below nothing) is asked for, the ``depth`` items with
    the least of it are among them.
    """
    kept: list[tuple[tuple[float, ...], T]] = []
    for values, item in sorted(items, key=lambda pair: pair[0]):
        better = 0
        for others, _ in kept:  # sorted: none that follows is better in all
            if all(mine <= own for mine, own in zip(others, values, strict=True)):
                better += 1
                if better == depth:
                    break
        else:
            kept.append((values, item))
    return [item for _, item in kept]
