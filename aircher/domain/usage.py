"""Tokens, money, and rows of spending.

Money is an integer number of nano-dollars (1 USD = 1_000_000_000), so sums are exact.
None means unknown and is shown as unknown, never as zero.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from aircher.domain.classes import dataclass
from aircher.domain.models import ModelRef

NANO_PER_USD = 1_000_000_000

CostTag = Literal["exact", "estimated", "unknown"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token counts of one reply.  None: the provider did not say.

    ``input`` is the whole prompt, cached tokens included; ``cached`` the part of it read
    from the vendor's cache; ``cache_write`` the part written to it (5 minutes and 1 hour
    together) and ``cache_write_1h`` the 1-hour share of that; ``output`` is everything the
    model wrote, reasoning included; ``reasoning`` the hidden part of it.
    ``input_audio`` and ``output_audio`` are audio tokens within input and output.
    """

    input: int | None = None
    cached: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    output: int | None = None
    reasoning: int | None = None
    input_audio: int | None = None
    output_audio: int | None = None

    def merged(self, later: Tokens) -> Tokens:
        """These counts, replaced by whatever ``later`` says (vendors report cumulatively)."""
        values = {
            f.name: mine if (new := getattr(later, f.name)) is None else new
            for f in fields(self)
            for mine in (getattr(self, f.name),)
        }
        return Tokens(**values)

    @property
    def known(self) -> bool:
        """True when both sides were reported."""
        return self.input is not None and self.output is not None


NO_TOKENS = Tokens()


@dataclass(frozen=True, slots=True)
class Cost:
    """What a reply cost: nano-dollars, how sure that is, and the price used.

    ``price_id`` names the matched price entry so that a bill can be explained later.
    """

    nano_usd: int | None
    tag: CostTag
    price_id: str | None = None

    @property
    def usd(self) -> Decimal | None:
        """The amount in USD, exact to the nano-dollar."""
        return None if self.nano_usd is None else Decimal(self.nano_usd) / NANO_PER_USD


UNKNOWN_COST = Cost(None, "unknown")
FREE = Cost(0, "exact", "on-this-machine")


def usd_to_nano(usd: Decimal | int | str) -> int:
    """USD to nano-dollars, rounded up: a limit or a price is never understated by rounding."""
    scaled = Decimal(usd) * NANO_PER_USD
    whole = int(scaled)
    return whole if whole == scaled or scaled < 0 else whole + 1


def dollars(nano_usd: int) -> str:
    """An amount for people: "$12.34", "$0.0042" below a dollar, "$0.00" for nothing.

    Rounded half up; a positive amount too small for four places is "<$0.0001".
    """
    usd = Decimal(nano_usd) / NANO_PER_USD
    if 0 < usd < Decimal("0.00005"):
        return "<$0.0001"
    places = Decimal("0.0001") if 0 < abs(usd) < 1 else Decimal("0.01")
    return f"${usd.quantize(places, ROUND_HALF_UP):,}"


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One priced call, as the ledger keeps it for ever."""

    at: datetime
    ref: ModelRef
    task: str
    tokens: Tokens
    cost: Cost
    session_id: str = ""
    message_id: int | None = None
    duration_s: float = 0.0
    first_token_s: float | None = None
    outcome: str = "complete"
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Spend:
    """Sums over some rows.  ``unknown`` counts rows whose cost is not known."""

    nano_usd: int = 0
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    unknown: int = 0
    estimated: int = 0
