"""What a reply costs: exact arithmetic over one model's price rows.

The rules are those of genai-prices (MIT, https://github.com/pydantic/genai-prices), whose data
we use; its own code is not called here because importing it takes 0.4 s.  A property test
holds both to the same nano-dollar.  In short:

- A price belongs to a *unit*, described by dimensions ("input tokens, read from a cache").
  Tokens are charged once, at the most specific unit that has a price; the rest of the wider
  unit is charged at the wider price.
- A tier's price applies to all tokens as soon as the whole prompt is larger than its start.
- Of several dated or time-of-day prices the last one that is active counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from operator import attrgetter
from typing import Any

from aircher.domain.classes import dataclass
from aircher.domain.prices import PriceLine
from aircher.domain.usage import UNKNOWN_COST, Cost, CostTag, Tokens, usd_to_nano

REPORTED = {
    "input_tokens": "input",
    "cache_read_tokens": "cached",
    "cache_write_tokens": "cache_write",
    "cache_write_1h_tokens": "cache_write_1h",
    "output_tokens": "output",
    "output_reasoning_tokens": "reasoning",
    "input_audio_tokens": "input_audio",
    "output_audio_tokens": "output_audio",
}
"""genai-prices' unit -> the field of ``Tokens`` that reports it."""

_REPORTS = attrgetter(*REPORTED.values())


@dataclass(frozen=True, slots=True)
class Unit:
    """Something that can have a price: its price key, how many a price is for, its dimensions."""

    key: str
    price_key: str
    per: int
    dimensions: frozenset[tuple[str, str]]


class Units:
    """All units of the price data, found by key or by price key."""

    def __init__(self, raw: Mapping[str, Sequence[Any]]) -> None:
        """``raw``: unit key -> [price key, per, {dimension: value}]."""
        self._by_key = {
            key: Unit(key, price_key, per, frozenset(dimensions.items()))
            for key, (price_key, per, dimensions) in raw.items()
        }
        self._by_price_key = {unit.price_key: unit for unit in self._by_key.values()}
        self._reported = [self._by_key[key] for key in REPORTED]

    def priced(self, price_key: str) -> Unit:
        """The unit that ``price_key`` is the price of.  Raises ``KeyError``."""
        return self._by_price_key[price_key]

    def overlaps(self, unit: Unit) -> tuple[tuple[str, str], ...]:
        """Pairs of reported units whose overlap is exactly ``unit``.

        Vendors report "cached" and "audio" but not "cached audio"; where that has a price of
        its own, the split can only be estimated.
        """
        if unit.key in REPORTED:
            return ()
        found = [
            (a.key, b.key)
            for i, a in enumerate(self._reported)
            for b in self._reported[i + 1 :]
            if a.dimensions | b.dimensions == unit.dimensions
            and not a.dimensions <= b.dimensions
            and not b.dimensions <= a.dimensions
        ]
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Rate:
    """One unit's price in USD per ``per`` units.

    ``tiers`` are (start, price), highest start first.  ``within`` are the places, in the same
    list of rates, of the more specific units that are charged apart.
    """

    unit: str
    per: int
    price: Decimal
    tiers: tuple[tuple[int, Decimal], ...] = ()
    within: tuple[int, ...] = ()
    overlaps: tuple[tuple[str, str], ...] = ()

    def at(self, prompt: int) -> Decimal:
        """The price per ``per`` units for a prompt of that many tokens."""
        for start, price in self.tiers:
            if prompt > start:
                return price
        return self.price


@dataclass(frozen=True, slots=True)
class Price:
    """One price entry: when it is active, and its rates, the most specific units first.

    ``since`` is a date in UTC; ``between`` a daily interval in UTC, which may pass midnight.
    ``units`` are those of its rates.
    """

    rates: tuple[Rate, ...]
    since: date | None = None
    between: tuple[time, time] | None = None
    units: frozenset[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", frozenset(rate.unit for rate in self.rates))

    def active(self, at: datetime) -> bool:
        """True if this price counts at that instant (an aware datetime; naive means UTC)."""
        utc = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        if self.since is not None:
            return utc.date() >= self.since
        if self.between is not None:
            start, end = self.between
            now = utc.time()
            return now >= start or now < end if end < start else start <= now < end
        return True

    @property
    def condition(self) -> str:
        """When it counts, in words; "" for always."""
        if self.since is not None:
            return f"from {self.since.isoformat()}"
        if self.between is not None:
            start, end = (moment.isoformat("minutes") for moment in self.between)
            return f"{start}-{end} UTC"
        return ""

    def plain(self, unit: str) -> Decimal | None:
        """The list price of a unit without tiers, None where it has none."""
        return next((rate.price for rate in self.rates if rate.unit == unit), None)


def read_price(raw: Sequence[Any], units: Units) -> Price:
    """A price from the index: [condition, {price key: price}].

    A condition is None, ["date", "2026-02-01"] or ["time", "16:30:00", "00:30:00"] (UTC);
    a price is "0.25", or ["0.25", [[200000, "0.5"]]] with tiers.
    """
    condition, prices = raw
    found = sorted(
        ((units.priced(key), value) for key, value in prices.items()),
        key=lambda pair: (-len(pair[0].dimensions), pair[0].key),
    )
    rates = []
    for unit, value in found:
        base, tiers = (value, []) if isinstance(value, str) else value
        rates.append(
            Rate(
                unit.key,
                unit.per,
                Decimal(base),
                tuple((start, Decimal(price)) for start, price in reversed(tiers)),
                tuple(
                    i for i, (other, _) in enumerate(found) if unit.dimensions < other.dimensions
                ),
                units.overlaps(unit),
            )
        )
    match condition:
        case ["date", day]:
            return Price(tuple(rates), since=date.fromisoformat(day))
        case ["time", start, end]:
            between = (time.fromisoformat(start), time.fromisoformat(end))
            return Price(tuple(rates), between=between)
        case _:
            return Price(tuple(rates))


def choose(prices: Sequence[Price], at: datetime) -> Price:
    """The last price that is active at that instant; the first one where none is."""
    return next((price for price in reversed(prices) if price.active(at)), prices[0])


_WORDS = {
    "input_tokens": "input",
    "output_tokens": "output",
    "cache_read_tokens": "cached input",
    "cache_write_tokens": "cache write",
    "cache_write_1h_tokens": "cache write, 1 hour",
    "output_reasoning_tokens": "reasoning",
}


def price_lines(prices: Sequence[Price], at: datetime) -> tuple[PriceLine, ...]:
    """Every stated price in words, the newest entry last."""
    present = choose(prices, at)
    return tuple(
        PriceLine(
            _WORDS.get(rate.unit) or rate.unit.removesuffix("_tokens").replace("_", " "),
            usd,
            rate.per,
            above,
            price.condition,
            price is present,
        )
        for price in prices
        for rate in sorted(price.rates, key=lambda rate: len(rate.within), reverse=True)
        for above, usd in ((None, rate.price), *reversed(rate.tiers))
    )


def charge(price: Price, tokens: Tokens) -> tuple[Decimal, bool] | None:
    """USD for these tokens, and whether that is exact; None where this price cannot say.

    It cannot say when input or output were not reported, or when the entry prices other
    things only (audio by the hour).  It is an estimate where counts contradict each other
    (more cached than read), where a share that has its own price was not reported, or where
    the entry has no price for a side that was used.
    """
    counts = _counts(tokens)
    if counts is None:
        return None
    units = price.units
    if units and units.isdisjoint(REPORTED):
        return None
    prompt = counts["input_tokens"]
    exact = not (prompt and "input_tokens" not in units) and not (
        counts["output_tokens"] and "output_tokens" not in units
    )
    leaves: list[int] = []
    total = Decimal(0)
    for rate in price.rates:
        known = True
        count = counts.get(rate.unit, -1)
        if count < 0:
            if not rate.overlaps and not rate.within and rate.unit != "requests":
                leaves.append(0)  # most rates of a price are for what was not used
                continue
            count, known = _count(rate, counts)
        for place in rate.within:
            count -= leaves[place]
        if not known or count < 0:
            exact = False
        if count > 0:  # most of a bill's lines are for nothing
            leaves.append(count)
            usd = rate.at(prompt) if rate.tiers else rate.price
            total += usd * count / rate.per
        else:
            leaves.append(0)
    return total, exact


def _counts(tokens: Tokens) -> dict[str, int] | None:
    """Reported counts by unit (0 where not reported); None without input and output."""
    if tokens.input is None or tokens.output is None:
        return None
    counts = dict.fromkeys(REPORTED, 0)
    for unit, count in zip(REPORTED, _REPORTS(tokens), strict=True):
        if count:
            counts[unit] = count
    if tokens.cache_write is None:  # the 1-hour share alone was reported
        counts["cache_write_tokens"] = counts["cache_write_1h_tokens"]
    return counts


def _count(rate: Rate, counts: Mapping[str, int]) -> tuple[int, bool]:
    """How much was used of a unit that is not reported itself, and whether that is known."""
    if rate.unit == "requests":
        return 1, True
    for one, other in rate.overlaps:
        if counts[one] and counts[other]:
            whole = counts["input_tokens" if "input" in one or "cache" in one else "output_tokens"]
            return max(0, counts[one] + counts[other] - whole), False
    return 0, True


def bill(price: Price, tokens: Tokens, price_id: str, *, listed_free: bool = False) -> Cost:
    """The charge as a ``Cost``, rounded up to a nano-dollar once, at the very end.

    An entry without any price is 0 by the list; it is only called exact if the model's name
    says so too (``listed_free``), because lists leave prices out for other reasons as well.
    """
    charged = charge(price, tokens)
    if charged is None:
        return UNKNOWN_COST
    usd, exact = charged
    tag: CostTag = "exact" if exact or (listed_free and not price.rates) else "estimated"
    return Cost(usd_to_nano(usd), tag, price_id)
