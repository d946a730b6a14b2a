"""Sums of usage rows, whole and by group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import Literal

from aircher.domain.ports import SpendGroup
from aircher.domain.usage import Spend, UsageRow

GroupKey = Literal["provider", "model", "task", "day"]

GROUP_KEYS: tuple[GroupKey, ...] = ("provider", "model", "task", "day")


def total(rows: Iterable[UsageRow]) -> Spend:
    """The sum.  Unknown costs and token counts are left out of it; unknown costs are counted."""
    nano = calls = tokens_in = tokens_out = unknown = estimated = 0
    for row in rows:
        calls += 1
        nano += row.cost.nano_usd or 0
        tokens_in += row.tokens.input or 0
        tokens_out += row.tokens.output or 0
        unknown += row.cost.nano_usd is None
        estimated += row.cost.nano_usd is not None and row.cost.tag == "estimated"
    return Spend(nano, calls, tokens_in, tokens_out, unknown, estimated)


def grouped(rows: Iterable[UsageRow], key: GroupKey, zone: tzinfo) -> Sequence[SpendGroup]:
    """One sum per group: days in order, anything else the most expensive first.

    ``zone`` is the user's time zone, in which days are cut.
    """
    names: Mapping[GroupKey, Callable[[UsageRow], str]] = {
        "provider": lambda row: row.ref.provider,
        "model": lambda row: str(row.ref),
        "task": lambda row: row.task,
        "day": lambda row: row.at.astimezone(zone).date().isoformat(),
    }
    name = names[key]
    groups: dict[str, list[UsageRow]] = {}
    for row in rows:
        groups.setdefault(name(row), []).append(row)
    sums = [SpendGroup(group, total(members)) for group, members in groups.items()]
    if key == "day":
        return sorted(sums, key=lambda group: group.key)
    return sorted(sums, key=lambda group: (-group.spend.nano_usd, -group.spend.calls, group.key))
