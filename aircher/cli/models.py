"""``aircher models``: what can be used, with windows and list prices."""

from __future__ import annotations

import argparse
import asyncio
import sys
from decimal import Decimal
from typing import Any

from aircher.bootstrap.services import Services
from aircher.cli.naming import provider_named
from aircher.cli.printing import print_json
from aircher.cli.table import table
from aircher.domain.errors import EXIT_FAILED, EXIT_OK, AircherError
from aircher.domain.inert import inert
from aircher.domain.models import ListedModel, ModelFacts, ModelRef


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("provider", nargs="?", default="", help="only this provider")
    parser.add_argument("--all", action="store_true",
                        help="ask the providers for their whole lists (a free call)")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="a JSON array on stdout")


def run(args: argparse.Namespace) -> int:
    """Lists models; returns the exit code."""
    from aircher.bootstrap.compose import open_services

    services = open_services()
    return asyncio.run(_list(services, args))


async def _list(services: Services, args: argparse.Namespace) -> int:
    code = EXIT_OK
    try:
        rules = services.settings.rules
        names = list(rules.order)
        if args.provider:
            names = [provider_named(args.provider, rules, usable=True)]
        refs = [ref for name in names for ref in rules.named if ref.provider == name]
        if args.all:
            for name in names:
                try:
                    provider = await services.providers.get(name)
                    refs += [_ref(name, model) for model in await provider.models()]
                except AircherError as error:
                    code = EXIT_FAILED
                    print(inert(f"{name}: {error.message}"), file=sys.stderr)
        rows = [services.catalog.facts(ref) for ref in dict.fromkeys(refs)]
    finally:
        await services.aclose()
    if args.json:
        print_json([_json(facts) for facts in rows])
    elif rows:
        lines = [_row(facts) for facts in rows]
        print(inert(table(_HEAD, lines, right=frozenset({1, 2, 3, 4}))))
    elif code == EXIT_OK:
        why = "`aircher provider list` says what each provider lacks."
        print(f"No model is set up: {why}", file=sys.stderr)
    return code


def _ref(provider: str, model: ListedModel) -> ModelRef:
    return ModelRef(provider, model.id.removeprefix("models/"))


_HEAD = ("MODEL", "WINDOW", "MAX OUT", "IN $/M", "OUT $/M", "FEATURES")


def _row(facts: ModelFacts) -> tuple[str, ...]:
    def price(value: Decimal | None) -> str:
        return "free" if facts.free else "?" if value is None else f"{value.normalize():f}"

    def count(value: int | None) -> str:
        return "?" if value is None else f"{value:,}"

    features = "?" if facts.features is None else " ".join(sorted(facts.features))
    return (
        str(facts.ref),
        count(facts.context_window),
        count(facts.max_output),
        price(facts.input_price),
        price(facts.output_price),
        features,
    )


def _json(facts: ModelFacts) -> dict[str, Any]:
    return {
        "provider": facts.ref.provider,
        "model": facts.ref.model,
        "context_window": facts.context_window,
        "max_output": facts.max_output,
        "input_usd_per_million": _text(facts.input_price),
        "output_usd_per_million": _text(facts.output_price),
        "features": None if facts.features is None else sorted(facts.features),
        "free": facts.free,
        "quality": facts.quality.score if facts.quality else None,
        "source": facts.source,
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"
