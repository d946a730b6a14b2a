"""``aircher provider``: who is set up, how they are, and which is asked first."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime

from aircher.bootstrap.services import Services
from aircher.cli.naming import checked_task, provider_named
from aircher.cli.printing import print_json
from aircher.cli.streams import drawing
from aircher.cli.table import table
from aircher.domain.errors import EXIT_FAILED, EXIT_NO_MODEL, EXIT_OK
from aircher.domain.health import Health, ModelHealth
from aircher.domain.inert import inert
from aircher.domain.limits import RateLimit
from aircher.engine.probe import probe
from aircher.policy.health import models_seen
from aircher.policy.route import provider_or_model

WATCH_EVERY_S = 2.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    status = actions.add_parser("status", help="how they are doing, from what was seen of them")
    status.add_argument("names", nargs="*", metavar="NAME", help="only these")
    status.add_argument("--probe", action="store_true",
                        help="ask each for its model list now (a free call)")  # fmt: skip
    status.add_argument("--watch", action="store_true", help="show it again every two seconds")
    status.add_argument("--json", action="store_true", help="a JSON array on stdout")
    listing = actions.add_parser("list", help="who is set up and who could be; no call is made")
    listing.add_argument("--json", action="store_true", help="a JSON array on stdout")
    compare = actions.add_parser("compare", help="prices, windows, features, speeds side by side")
    compare.add_argument("--task", default="", metavar="NAME",
                         help="in the order in which this task would ask them")  # fmt: skip
    compare.add_argument("--json", action="store_true", help="a JSON array on stdout")
    switch = actions.add_parser("switch", help="ask this provider first from now on")
    switch.add_argument("name", metavar="NAME")
    reset = actions.add_parser("reset", help="forget its failures: let it be tried again now")
    reset.add_argument("name", metavar="NAME[/MODEL]")


def run(args: argparse.Namespace) -> int:
    """Does what was asked; returns the exit code."""
    from aircher.bootstrap.compose import open_services

    services = open_services()
    if args.action == "switch":
        return _switch(services, args.name)
    if args.action == "reset":
        return _reset(services, args.name)
    if args.action == "compare":
        return asyncio.run(_compare(services, args))
    if args.action == "list":
        rows = services.health.all()
        asyncio.run(services.aclose())
        _show(rows, as_json=args.json)
        return EXIT_OK
    return asyncio.run(_status(services, args))


async def _compare(services: Services, args: argparse.Namespace) -> int:
    from aircher.cli.comparing import compare

    try:
        checked_task(args.task, services.settings.rules)
        return compare(services, args.task, as_json=args.json)
    finally:
        await services.aclose()


async def _status(services: Services, args: argparse.Namespace) -> int:
    rules = services.settings.rules
    try:
        wanted = [provider_named(name, rules, usable=False) for name in args.names]
        if args.probe:
            names = [name for name in rules.order if not wanted or name in wanted]
            looks = (probe(services.providers, services.health, services.clock, n) for n in names)
            await asyncio.gather(*looks)
        if args.watch:
            await _watch(services, wanted, as_json=args.json)
        rows = _rows(services, wanted)
    finally:
        await services.aclose()
    _show(rows, as_json=args.json)
    return _exit_code(rows)


def _rows(services: Services, wanted: Sequence[str]) -> list[Health]:
    return [row for row in services.health.all() if not wanted or row.provider in wanted]


def _exit_code(rows: Sequence[Health]) -> int:
    """0: one of them can be asked now; 1: none can; 8: none is set up."""
    usable = [row for row in rows if row.state != "unconfigured"]
    if not usable:
        return EXIT_NO_MODEL
    return EXIT_OK if any(row.state != "unhealthy" for row in usable) else EXIT_FAILED


async def _watch(services: Services, wanted: Sequence[str], *, as_json: bool) -> None:
    """Until it is stopped: in place on a terminal, else a line each time."""
    lines = 0
    while True:
        rows, now = _rows(services, wanted), services.clock.now()
        if as_json:
            print_json([_json(row) for row in rows])
        elif sys.stdout.isatty():
            text = f"{now:%H:%M:%S}  every {WATCH_EVERY_S:.0f} s, Ctrl+C ends\n\n{_text(rows, now)}"
            again = f"\x1b[{lines}F\x1b[J" if lines else ""
            print(f"{again}{inert(text)}", file=drawing(sys.stdout), flush=True)
            lines = text.count("\n") + 1
        else:
            states = "; ".join(f"{row.provider} {_state(row, now)}" for row in rows)
            print(inert(f"{now:%H:%M:%S} {states}"), flush=True)
        await asyncio.sleep(WATCH_EVERY_S)


def _switch(services: Services, name: str) -> int:
    from aircher.bootstrap.configuring import set_value

    asyncio.run(services.aclose())
    name = provider_named(name, services.settings.rules, usable=True)
    set_value("providers.default", name)
    print(f"{name} is asked first from now on.", file=sys.stderr)
    return EXIT_OK


def _reset(services: Services, wanted: str) -> int:
    try:
        ref = provider_or_model(wanted, services.settings.rules, models_seen(services.health.all()))
        services.health.reset(ref.provider, ref.model)
    finally:
        asyncio.run(services.aclose())
    print(inert(f"{ref} may be asked again; its failures are forgotten."), file=sys.stderr)
    return EXIT_OK


_HEAD = ("PROVIDER", "STATE", "MODEL", "P50", "P95", "CALLS", "NOTE")


def _show(rows: Sequence[Health], *, as_json: bool) -> None:
    if as_json:
        print_json([_json(row) for row in rows])
    else:
        print(_text(rows, datetime.now().astimezone()))


def _text(rows: Sequence[Health], now: datetime) -> str:
    lines = [
        (
            row.provider,
            _state(row, now),
            row.model or "-",
            _ms(row.latency_p50),
            _ms(row.latency_p95),
            f"{row.calls} ({row.failures} failed)" if row.failures else str(row.calls),
            "; ".join(part for part in (row.note, row.last_error) if part),
        )
        for row in rows
    ]
    return inert(table(_HEAD, lines, right=frozenset({3, 4, 5})))


def _state(row: Health, now: datetime) -> str:
    """The state's word; while calls are kept away, how long still."""
    if row.breaker == "half_open":
        return "trying again"
    if row.breaker == "open" and row.breaker_until is not None:
        return f"paused {max(0, round((row.breaker_until - now).total_seconds()))} s"
    return row.state


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.0f} ms"


def _rounded(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _json(row: Health) -> dict[str, object]:
    return {
        "provider": row.provider,
        "state": row.state,
        "model": row.model,
        "breaker": row.breaker,
        "breaker_until": _moment(row.breaker_until),
        "latency_ms": _rounded(row.latency_p50),
        "latency_p95_ms": _rounded(row.latency_p95),
        "latency_p99_ms": _rounded(row.latency_p99),
        "calls": row.calls,
        "failures": row.failures,
        "only_probed": row.probed,
        "last_error": row.last_error,
        "last_seen": _moment(row.last_seen),
        "note": row.note,
        "models": [_model_json(one) for one in row.models if one.model],
    }


def _model_json(one: ModelHealth) -> dict[str, object]:
    return {
        "model": one.model,
        "breaker": one.breaker,
        "breaker_until": _moment(one.breaker_until),
        "note": one.note,
        "limits": [_limit_json(limit) for limit in one.limits],
    }


def _limit_json(limit: RateLimit) -> dict[str, object]:
    return {"counted": limit.counted, "remaining": limit.remaining, "limit": limit.limit}


def _moment(at: datetime | None) -> str | None:
    return at.astimezone().isoformat(timespec="seconds") if at is not None else None
