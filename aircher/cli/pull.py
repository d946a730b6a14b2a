"""``aircher pull``: have a server on this machine fetch a model (Ollama)."""

from __future__ import annotations

import argparse
import asyncio
import sys

from aircher.bootstrap.services import Services
from aircher.cli.naming import provider_named
from aircher.cli.progress import ProgressLine
from aircher.domain.errors import EXIT_OK, UsageError
from aircher.domain.inert import inert
from aircher.domain.ports import PullsModels


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("model", metavar="MODEL", help='such as "qwen3:4b"')
    parser.add_argument("--provider", default="ollama", help="whose server (default: ollama)")


def run(args: argparse.Namespace) -> int:
    """Fetches the model; returns the exit code."""
    from aircher.bootstrap.compose import open_services

    return asyncio.run(_pull(open_services(), args.provider, args.model))


async def _pull(services: Services, wanted: str, model: str) -> int:
    line = ProgressLine(sys.stderr, inert(f"Fetching {model}"))
    try:
        name = provider_named(wanted, services.settings.rules, usable=True)
        provider = await services.providers.get(name)
        if not isinstance(provider, PullsModels):
            raise UsageError(f"{name} does not fetch models.", hint="Ollama does: start it first.")
        async for step in provider.pull(model):
            if step.total:
                line(step.completed or 0, step.total)
    finally:
        line.close()
        await services.aclose()
    print(inert(f"{model} is there; ask it: aircher ask -m {name}/{model} ..."), file=sys.stderr)
    return EXIT_OK
