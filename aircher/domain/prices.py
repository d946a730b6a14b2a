"""A model's price as its list states it, for people who want to check a bill."""

from __future__ import annotations

from decimal import Decimal

from aircher.domain.classes import dataclass
from aircher.domain.models import ModelRef


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One stated price: ``usd`` for ``per`` units of ``what`` ("input", "cache read" ...).

    ``above`` is the prompt's size in tokens from which on it counts for the whole prompt (None:
    from the first); ``when`` says in words when it counts ("" = always); ``now`` is True for
    what counts at present.
    """

    what: str
    usd: Decimal
    per: int
    above: int | None = None
    when: str = ""
    now: bool = True


@dataclass(frozen=True, slots=True)
class PriceSheet:
    """All stated prices of a model.  ``price_id`` is what a bill made now would name as its price.

    Without ``lines`` the price is not known, unless ``free``.
    """

    ref: ModelRef
    price_id: str
    lines: tuple[PriceLine, ...] = ()
    free: bool = False


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A price per million tokens that an updated list states differently; None = not stated."""

    model: str
    what: str
    before: Decimal | None
    after: Decimal | None


@dataclass(frozen=True, slots=True)
class PriceList:
    """Which list prices come from: its version, and for one that was fetched when and whence.

    ``unused`` says why a fetched list is there but not used ("" if it is, or none is there).
    """

    version: str
    models: int
    fetched: str = ""
    source: str = ""
    unused: str = ""
