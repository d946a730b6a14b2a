"""``aircher costs``: what was spent, by provider, model, task or day."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aircher.bootstrap.clock import LOCAL
from aircher.bootstrap.opening import Records, alert_threshold, limit_states, local_now, records
from aircher.cli.contract import usd
from aircher.cli.printing import print_json
from aircher.cli.table import table
from aircher.domain.budget import CapState
from aircher.domain.classes import dataclass
from aircher.domain.errors import EXIT_OK
from aircher.domain.inert import inert
from aircher.domain.ports import SpendGroup
from aircher.domain.usage import Spend, dollars
from aircher.reports.projection import projected_month, rows_needed_since
from aircher.reports.totals import GROUP_KEYS, grouped, total
from aircher.reports.windows import window_start


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("--since", default="month", metavar="WHEN",
                        help="today, month (the default), all, or a date: 2026-03-31")  # fmt: skip
    parser.add_argument("--by", choices=GROUP_KEYS, default="model", help="one row for each")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object")
    form.add_argument("--csv", action="store_true", help="comma-separated values")


def run(args: argparse.Namespace) -> int:
    """Prints what was spent; returns the exit code."""
    now = local_now()
    since = window_start(args.since, now)
    with records() as opened:
        for notice in opened.notices:
            print(inert(f"aircher: {notice}"), file=sys.stderr)
        rows = opened.usage.rows(since)
        summary = _summary(opened, now)
    groups = grouped(rows, args.by, LOCAL)
    whole = total(rows)
    if args.json:
        print_json(_json(args.by, since, groups, whole, summary))
    elif args.csv:
        print(inert(_csv(args.by, groups)), end="")
    else:
        print(inert(_text(args.by, groups, whole, summary)))
    return EXIT_OK


@dataclass(frozen=True, slots=True)
class _Summary:
    today: Spend
    month: Spend
    projected_nano: int | None
    limits: Sequence[CapState]
    alert_at: float


def _summary(opened: Records, now: datetime) -> _Summary:
    return _Summary(
        opened.ledger.spend(window_start("today", now)),
        opened.ledger.spend(window_start("month", now)),
        projected_month(opened.usage.rows(rows_needed_since(now)), now),
        limit_states(opened.ledger, now),
        alert_threshold(),
    )


def amount(spend: Spend) -> str:
    """A sum for people: "~" if estimates are in it, and how many calls' costs are not known."""
    if spend.unknown and spend.unknown == spend.calls:
        return f"? ({spend.unknown})"
    known = ("~" if spend.estimated else "") + dollars(spend.nano_usd)
    return f"{known} + ? ({spend.unknown})" if spend.unknown else known


def _text(by: str, groups: Sequence[SpendGroup], whole: Spend, summary: _Summary) -> str:
    def row(key: str, spend: Spend) -> tuple[str, ...]:
        counts = (spend.calls, spend.input_tokens, spend.output_tokens)
        return (key, *(f"{count:,}" for count in counts), amount(spend))

    blocks: list[str] = []
    if groups:
        # A line break in a name would break the table.
        body = [
            row(" ".join(inert(group.key).split()) or "(none)", group.spend) for group in groups
        ]
        head = (by.upper(), "CALLS", "TOKENS IN", "TOKENS OUT", "COST")
        lines = [*body, row("total", whole)]
        blocks.append(table(head, lines, right=frozenset({1, 2, 3, 4})))
    else:
        blocks.append("No calls in this time.")
    facts = [("today", amount(summary.today)), ("this month", amount(summary.month))]
    if summary.projected_nano is not None:
        facts.append(("by the month's end", f"~{dollars(summary.projected_nano)}"))
    facts += [(state.cap.name, _limit(state, summary.alert_at)) for state in summary.limits]
    width = max(len(name) for name, _ in facts)
    blocks.append("\n".join(f"{name.ljust(width)}  {value}" for name, value in facts))
    return "\n\n".join(blocks)


def _limit(state: CapState, alert_at: float) -> str:
    """Spent, held and left of a limit, and in words when it is near, reached, or only warns."""
    held = f", {dollars(state.held_nano)} held" if state.held_nano else ""
    said = f"{dollars(state.spent_nano)} of {dollars(state.cap.limit_nano)}{held}"
    said += f", {dollars(state.left_nano)} left"
    word = "reached" if state.share >= 1 else "near" if state.share >= alert_at else ""
    notes = [word] * bool(word) + ["only warns"] * state.cap.soft
    return said + (f" ({', '.join(notes)})" if notes else "")


def _spend(spend: Spend) -> dict[str, Any]:
    """``usd`` sums the known costs, null where none is; ``unknown`` counts the others."""
    nothing_known = spend.unknown > 0 and spend.unknown == spend.calls
    return {
        "calls": spend.calls,
        "input_tokens": spend.input_tokens,
        "output_tokens": spend.output_tokens,
        "usd": None if nothing_known else usd(spend.nano_usd),
        "unknown": spend.unknown,
        "estimated": spend.estimated,
    }


def _json(
    by: str, since: datetime, groups: Sequence[SpendGroup], whole: Spend, summary: _Summary
) -> dict[str, Any]:
    return {
        "since": since.isoformat(),
        "by": by,
        "groups": [{"key": inert(group.key), **_spend(group.spend)} for group in groups],
        "total": _spend(whole),
        "today": _spend(summary.today),
        "month": _spend(summary.month),
        "projected_month_usd": usd(summary.projected_nano),
        "limits": [
            {
                "name": inert(state.cap.name),
                "limit_usd": usd(state.cap.limit_nano),
                "spent_usd": usd(state.spent_nano),
                "held_usd": usd(state.held_nano),
                "left_usd": usd(state.left_nano),
                "soft": state.cap.soft,
                "share": round(state.share, 4),
                "alert": state.share >= summary.alert_at,
            }
            for state in summary.limits
        ],
    }


def _csv(by: str, groups: Sequence[SpendGroup]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([by, *_spend(Spend())])
    for group in groups:
        writer.writerow([group.key, *_spend(group.spend).values()])
    return out.getvalue()
