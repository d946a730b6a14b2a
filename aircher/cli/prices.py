"""``aircher prices``: which prices bills are made with, and a newer list when it is wanted."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Any

from aircher.bootstrap.opening import local_now
from aircher.cli.naming import checked_model
from aircher.cli.printing import print_json
from aircher.cli.table import table
from aircher.domain.errors import EXIT_OK
from aircher.domain.inert import inert
from aircher.domain.models import ModelRef
from aircher.domain.prices import PriceChange, PriceLine, PriceList, PriceSheet
from aircher.policy.route import resolve

_SHOWN = 20
"""So many changed prices are named; --json names all."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the list in use, and the prices of your models")
    show = actions.add_parser("show", help="all that is stated of a model's price")
    show.add_argument("model", metavar="MODEL", help="a model, or provider/model")
    update = actions.add_parser("update", help="fetch the newest published list")
    update.add_argument("--url", default="", help="fetch it from here instead")
    reset = actions.add_parser("reset", help="go back to the list that came with Aircher")
    for action in (listing, show, update, reset):
        action.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    """Does what was asked; returns the exit code."""
    if args.action == "update":
        return _update(args.url, as_json=args.json)
    if args.action == "reset":
        return _reset(as_json=args.json)
    sheets = _sheets(args.model if args.action == "show" else "")
    if args.action == "show":
        _print_sheet(sheets[0], as_json=args.json)
    else:
        _print_list(sheets, as_json=args.json)
    return EXIT_OK


def _sheets(wanted: str) -> list[PriceSheet]:
    """The price of the model that is meant, or of every model that the rules name."""
    from aircher.bootstrap.compose import open_services

    services = open_services()
    try:
        rules, catalog = services.settings.rules, services.catalog
        if wanted:
            checked_model(wanted, rules)
            refs = [resolve(wanted, rules, catalog.facts), as_written(wanted)]
        else:
            refs = list(rules.named)
        sheets = [catalog.sheet(ref, services.clock.now()) for ref in refs]
        known = [sheet for sheet in sheets if sheet.price_id]
        return (known or sheets)[:1] if wanted else sheets
    finally:
        asyncio.run(services.aclose())


def as_written(name: str) -> ModelRef:
    """A model written "provider/model" as it stands, also of a provider that is not set up here."""
    provider, _, model = name.partition("/")
    return ModelRef(provider, model)


def _print_list(sheets: Sequence[PriceSheet], *, as_json: bool) -> None:
    from aircher.bootstrap.price_updates import price_list

    used = price_list()
    if as_json:
        print_json({"list": _list_json(used), "models": [_sheet_json(one) for one in sheets]})
        return
    rows = [
        (str(one.ref), _first(one, "input"), _first(one, "output"), one.price_id) for one in sheets
    ]
    lines = _about(used)
    if rows:
        head = ("MODEL", "IN", "OUT", "PRICE FROM")
        lines += ["", table(head, rows, right=frozenset({1, 2})), "", "USD per million tokens."]
    print(inert("\n".join(lines)))


def _about(used: PriceList) -> list[str]:
    lines = [f"{used.version}, {used.models:,} models"]
    if used.fetched and not used.unused:
        lines.append(f"fetched {used.fetched} from {used.source}")
    if used.unused:
        lines.append(f"A fetched list is there but not used: {used.unused}.")
    return lines


def _first(sheet: PriceSheet, what: str) -> str:
    if sheet.free:
        return "free"
    found = [line for line in sheet.lines if line.what == what and line.now and line.above is None]
    return _usd(found[0]) if found else "?"


def _usd(line: PriceLine) -> str:
    return f"${line.usd.normalize():f}"


def _print_sheet(sheet: PriceSheet, *, as_json: bool) -> None:
    if as_json:
        print_json(_sheet_json(sheet))
        return
    print(inert(f"{sheet.ref}  ({sheet.price_id or 'price unknown'})"))
    if sheet.free:
        print("costs nothing")
    for line in sheet.lines:
        size = f", prompts above {line.above:,} tokens" if line.above is not None else ""
        when = f", {line.when}" if line.when else ""
        past = "" if line.now else "  (not now)"
        unit = "million tokens" if line.per == 1_000_000 else f"{line.per:,}"
        print(inert(f"  {line.what:<20} {_usd(line):>10} per {unit}{size}{when}{past}"))


def _update(url: str, *, as_json: bool) -> int:
    from aircher.bootstrap.price_updates import update_prices

    used, changed = update_prices(url, local_now())
    if as_json:
        print_json({"list": _list_json(used), "changes": [_change_json(one) for one in changed]})
        return EXIT_OK
    print(inert("\n".join(_about(used))))
    print(f"{len(changed):,} prices differ from those used before.")
    for one in changed[:_SHOWN]:
        before, after = (
            f"${usd.normalize():f}" if usd is not None else "none"
            for usd in (one.before, one.after)
        )
        print(inert(f"  {one.model}  {one.what}: {before} -> {after}"))
    if len(changed) > _SHOWN:
        print(f"  and {len(changed) - _SHOWN:,} more (--json shows all)")
    return EXIT_OK


def _reset(*, as_json: bool) -> int:
    from aircher.bootstrap.price_updates import price_list, reset_prices

    done = reset_prices()
    if as_json:
        print_json({"reset": done, "list": _list_json(price_list())})
    else:
        said = "The fetched list was removed." if done else "No fetched list was there."
        print(said, file=sys.stderr)
    return EXIT_OK


def _list_json(used: PriceList) -> dict[str, Any]:
    return {
        "version": used.version,
        "models": used.models,
        "fetched": used.fetched or None,
        "source": used.source or None,
        "unused": used.unused or None,
    }


def _sheet_json(sheet: PriceSheet) -> dict[str, Any]:
    return {
        "provider": sheet.ref.provider,
        "model": sheet.ref.model,
        "price_id": sheet.price_id or None,
        "free": sheet.free,
        "prices": [
            {
                "what": line.what,
                "usd": f"{line.usd.normalize():f}",
                "per": line.per,
                "above_prompt_tokens": line.above,
                "when": line.when or None,
                "now": line.now,
            }
            for line in sheet.lines
        ],
    }


def _change_json(one: PriceChange) -> dict[str, Any]:
    before, after = (
        f"{usd.normalize():f}" if usd is not None else None for usd in (one.before, one.after)
    )
    return {"model": one.model, "what": one.what, "before_usd": before, "after_usd": after}
