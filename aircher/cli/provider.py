"""``aircher provider``: who is set up, how they are, and which is asked first."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from aircher.bootstrap.services import Services
from aircher.cli.naming import provider_named
from aircher.cli.printing import print_json
from aircher.cli.table import table
from aircher.domain.errors import EXIT_FAILED, EXIT_OK
from aircher.domain.health import Health
from aircher.domain.inert import inert
from aircher.engine.probe import probe


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    status = actions.add_parser("status", help="ask each for its model list (a free call)")
    status.add_argument("names", nargs="*", metavar="NAME", help="only these")
    status.add_argument("--json", action="store_true", help="a JSON array on stdout")
    listing = actions.add_parser("list", help="who is set up and who could be; no call is made")
    listing.add_argument("--json", action="store_true", help="a JSON array on stdout")
    switch = actions.add_parser("switch", help="ask this provider first from now on")
    switch.add_argument("name", metavar="NAME")


def run(args: argparse.Namespace) -> int:
    """Does what was asked; returns the exit code."""
    from aircher.bootstrap.compose import open_services

    services = open_services()
    if args.action == "switch":
        return _switch(services, args.name)
    if args.action == "list":
        rows = services.health.all()
        asyncio.run(services.aclose())
        _show(rows, as_json=args.json)
        return EXIT_OK
    return asyncio.run(_status(services, args))


async def _status(services: Services, args: argparse.Namespace) -> int:
    rules = services.settings.rules
    try:
        wanted = [provider_named(name, rules, usable=False) for name in args.names]
        names = [name for name in rules.order if not wanted or name in wanted]
        await asyncio.gather(
            *(probe(services.providers, services.health, services.clock, name) for name in names)
        )
        rows = [row for row in services.health.all() if not wanted or row.provider in wanted]
    finally:
        await services.aclose()
    _show(rows, as_json=args.json)
    return EXIT_OK if any(row.state == "healthy" for row in rows) else EXIT_FAILED


def _switch(services: Services, name: str) -> int:
    from aircher.bootstrap.configuring import set_value

    asyncio.run(services.aclose())
    name = provider_named(name, services.settings.rules, usable=True)
    set_value("providers.default", name)
    print(f"{name} is asked first from now on.", file=sys.stderr)
    return EXIT_OK


_HEAD = ("PROVIDER", "STATE", "MODEL", "LATENCY", "NOTE")


def _show(rows: Sequence[Health], *, as_json: bool) -> None:
    if as_json:
        print_json([_json(row) for row in rows])
        return
    lines = [
        (
            row.provider,
            row.state,
            row.model or "-",
            "-" if row.latency_p50 is None else f"{row.latency_p50 * 1000:.0f} ms",
            row.last_error or row.note,
        )
        for row in rows
    ]
    print(inert(table(_HEAD, lines, right=frozenset({3}))))


def _json(row: Health) -> dict[str, object]:
    return {
        "provider": row.provider,
        "state": row.state,
        "model": row.model,
        "breaker": row.breaker,
        "latency_ms": None if row.latency_p50 is None else round(row.latency_p50 * 1000),
        "calls": row.calls,
        "failures": row.failures,
        "last_error": row.last_error,
        "note": row.note,
    }
