"""What routing saved: the same tokens at the price of one model for everything."""

from __future__ import annotations

from collections.abc import Iterable

from aircher.domain.classes import dataclass
from aircher.domain.models import ModelRef
from aircher.domain.ports import Catalog
from aircher.domain.usage import UsageRow


@dataclass(frozen=True, slots=True)
class Savings:
    """``nano_usd`` is baseline minus actual over the compared calls: negative if dearer.

    None where no call could be compared.  ``unknown`` counts the calls left out because
    tokens, the price paid or the baseline's price is not known; ``estimated`` those among
    the compared whose figures are estimates.
    """

    nano_usd: int | None
    compared: int
    unknown: int
    estimated: int


def saved(rows: Iterable[UsageRow], catalog: Catalog, baseline: ModelRef) -> Savings:
    """The difference to having sent every call to ``baseline``, at its price on that day."""
    difference = compared = unknown = estimated = 0
    for row in rows:
        would = catalog.cost(baseline, row.tokens, row.at)
        if row.cost.nano_usd is None or would.nano_usd is None or not row.tokens.known:
            unknown += 1
            continue
        compared += 1
        difference += would.nano_usd - row.cost.nano_usd
        estimated += "estimated" in (would.tag, row.cost.tag)
    return Savings(difference if compared else None, compared, unknown, estimated)
