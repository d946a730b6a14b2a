"""A model's price at a time, billed in whole numbers where the bill is a plain one.

A choice prices every model of the pool three times.  Nearly all of these bills are plain: a prompt,
and its answer, with nothing read from a cache.  Such a bill is a straight line between a price's
tiers, so it is worked out once (by asking ``prices.charge`` at two points of each tier, which
keeps the rules in one place) and is then three products of integers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from decimal import Decimal

from aircher.catalog.prices import Price, bill, charge
from aircher.domain.classes import dataclass
from aircher.domain.usage import Cost, CostTag, Tokens

_FEMTO = 10**15
"""Femto-dollars of a dollar: $0.0375 per million tokens are 37,500,000 of them a token."""
_NANO = 10**6
"""Femto-dollars of a nano-dollar."""


@dataclass(frozen=True, slots=True)
class Line:
    """Femto-dollars of a request with a prompt of more than ``above`` tokens.

    ``fixed`` for the request, ``read`` and ``kept`` for a token of a prompt that is merely read,
    or kept in the vendor's cache as a whole, ``written`` for one of the answer.  ``sure`` is
    False where the price does not say what a prompt (or a kept one, or an answer) costs.
    """

    above: int
    fixed: int
    read: int
    kept: int
    written: int
    read_sure: bool
    kept_sure: bool
    written_sure: bool


@dataclass(frozen=True, slots=True)
class Tariff:
    """A price, its name on bills, and its lines, the highest tier first."""

    price: Price
    name: str
    listed_free: bool = False
    lines: tuple[Line, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", tuple(_lines(self.price)))

    def bill(self, tokens: Tokens) -> Cost:
        """The cost of these tokens, to the nano-dollar what ``prices.bill`` says."""
        prompt, kept, written = tokens.input, tokens.cache_write or 0, tokens.output
        if (
            prompt is None
            or written is None
            or (kept and kept != prompt)
            or tokens.cached
            or tokens.reasoning
            or tokens.cache_write_1h
            or tokens.input_audio
            or tokens.output_audio
        ):
            return bill(self.price, tokens, self.name, listed_free=self.listed_free)
        for line in self.lines:
            if prompt > line.above:
                break
        else:
            return bill(self.price, tokens, self.name, listed_free=self.listed_free)
        of_prompt, sure = (line.kept, line.kept_sure) if kept else (line.read, line.read_sure)
        femto = line.fixed + of_prompt * prompt + line.written * written
        sure = (sure or not prompt) and (line.written_sure or not written)
        tag: CostTag = "exact" if sure else "estimated"
        return Cost(-(-femto // _NANO), tag, self.name)


def _lines(price: Price) -> Iterator[Line]:
    """The price's lines; none where it prices other things, or in fractions of a femto-dollar."""
    starts = {start for rate in price.rates for start, _ in rate.tiers}
    for above in sorted({-1, *starts}, reverse=True):
        line = _line(price, above)
        if line is None:
            return
        yield line


def _line(price: Price, above: int) -> Line | None:
    low = above + 1
    asked = (
        Tokens(input=low, output=0),
        Tokens(input=low + 1, output=0),
        Tokens(input=low, output=1),
        Tokens(input=low, cache_write=low, output=0),
        Tokens(input=low + 1, cache_write=low + 1, output=0),
    )
    found = [charge(price, tokens) for tokens in asked]
    femto = [_whole(one[0]) for one in found if one is not None]
    whole = [one for one in femto if one is not None]
    if len(whole) < len(asked) or not price.rates:
        return None
    (start, more, answered, _, _), sure = whole, [one[1] for one in found if one is not None]
    read, kept = more - start, whole[4] - whole[3]
    return Line(
        above,
        fixed=start - low * read,
        read=read,
        kept=kept,
        written=answered - start,
        read_sure=sure[1],
        kept_sure=sure[4],
        # Of an answer alone nothing is unsure but the answer, if the prompt is not.
        written_sure=sure[2] or (not sure[1] and "output_tokens" in price.units),
    )


def _whole(usd: Decimal) -> int | None:
    scaled = usd * _FEMTO
    return int(scaled) if scaled == int(scaled) else None
