"""``aircher route``: what would be chosen, and why.  No call is made."""

from __future__ import annotations

import argparse
import asyncio
import sys

from aircher.cli.ask import add_wish_arguments, openers, wish_of
from aircher.cli.contract import detection_json, plan_json
from aircher.cli.naming import checked_model, checked_task
from aircher.cli.narration import money
from aircher.cli.printing import print_json
from aircher.cli.reading import stdin_text
from aircher.domain.errors import EXIT_OK, UsageError
from aircher.domain.inert import inert
from aircher.domain.routes import Candidate
from aircher.domain.turns import Preview, TurnRequest


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    add_wish_arguments(parser)
    parser.add_argument("words", nargs="*", metavar="TEXT", help="the question; stdin is added")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    """Shows the choice; returns the exit code."""
    from aircher.bootstrap.compose import open_services

    text = "\n\n".join(part for part in (" ".join(args.words), stdin_text()) if part)
    if not text.strip():
        raise UsageError("There is nothing to route.", hint='Try: aircher route "fix this test"')
    services = open_services()

    async def look() -> Preview:
        try:
            checked_task(args.task, services.settings.rules)
            checked_model(args.model, services.settings.rules)
            request = TurnRequest(
                text=text,
                attachments=tuple(services.workspace.attach(path) for path in args.file),
                files=tuple(args.file),
                wish=wish_of(args),
            )
            return await services.engine.preview(request)
        finally:
            await services.aclose()

    for line in openers(services):
        print(line, file=sys.stderr)
    preview = asyncio.run(look())
    if args.json:
        shown = {"detection": detection_json(preview.detection), "plan": plan_json(preview.plan)}
        print_json(shown)
    else:
        print(inert("\n".join(explain(preview))))
    return EXIT_OK


def explain(preview: Preview) -> list[str]:
    """The choice in lines for people."""
    detection, plan = preview.detection, preview.plan
    lines = [f"task        {detection.task}  (confidence {detection.confidence:.2f})"]
    lines += [
        f"  because   {item.source}: {item.detail}  -> {item.task}" for item in detection.evidence
    ]
    for number, candidate in enumerate(plan.candidates):
        label = "model" if number == 0 else "then"
        lines.append(f"{label:<11} {candidate.ref}  ({candidate.reason}){_price(candidate)}")
    lines += [f"left out    {item.ref}  ({item.reason})" for item in plan.rejected]
    lines.append(
        "change it   -m MODEL, --provider NAME, --task NAME, or [models.tasks] in the config"
    )
    return lines


def _price(candidate: Candidate) -> str:
    estimate = candidate.estimate
    if estimate is None:
        return ""
    size = f"{'' if estimate.exact else '~'}{estimate.prompt:,} tokens in"
    if not estimate.worst.nano_usd:
        return f"  {size}, {money(estimate.likely)}"
    return f"  {size}, about {money(estimate.likely)}, at most {money(estimate.worst)}"
