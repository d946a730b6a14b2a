"""``aircher provider compare``: what the configured models cost, hold and can do, side by side.

Facts and prices are the catalogue's, speeds were measured here; what is not known is "?".  With a
task, the models stand in the order in which it would ask them, and those it leaves out say why.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from aircher.bootstrap.services import Services
from aircher.cli.printing import print_json
from aircher.cli.table import table
from aircher.domain.errors import EXIT_NO_MODEL, EXIT_OK, AircherError
from aircher.domain.inert import inert
from aircher.domain.models import ModelFacts, ModelRef, Speed
from aircher.domain.routes import Wish
from aircher.domain.tasks import Signals
from aircher.engine.speeds import Speeds

_FEATURES = ("vision", "documents", "tools", "json", "thinking", "long_context", "local")
_SHORT = ("VIS", "DOC", "TOOL", "JSON", "THINK", "LONG", "LOCAL")
_HEAD = ("MODEL", "$/M IN/OUT", "WINDOW", "LONGEST", *_SHORT, "QUALITY", "FIRST", "TOK/S")


def compare(services: Services, task: str, *, as_json: bool) -> int:
    """Prints the comparison; 8 where no model is set up."""
    rules = services.settings.rules
    places = _places(services, task) if task else {}
    refs = sorted(rules.named, key=lambda ref: rules.order.index(ref.provider))
    if task:
        last = len(places)
        refs = sorted(
            dict.fromkeys([*places, *refs]), key=lambda ref: list(places).index(ref) if ref in places else last
        )  # fmt: skip
    speeds = Speeds(services.usage, services.clock).all()
    found = [(services.catalog.facts(ref), speeds.get(ref), places.get(ref, "")) for ref in refs]
    if as_json:
        print_json([_json(facts, speed, place) for facts, speed, place in found])
    elif found:
        head = (*_HEAD, "FOR THE TASK") if task else _HEAD
        rows = [
            (*_row(facts, speed), place) if task else _row(facts, speed)
            for facts, speed, place in found
        ]
        print(inert(table(head, rows, right=frozenset({1, 2, 3, 11, 12, 13}))))
        print("\n? is not known; FIRST and TOK/S were measured here.")
    return EXIT_OK if found else EXIT_NO_MODEL


def _places(services: Services, task: str) -> dict[ModelRef, str]:
    """Each model's place for the task, or why it is left out; in the order of asking."""
    _, plan = services.engine.weigh(Signals(""), Wish(task=task))
    if isinstance(plan, AircherError):
        return {}
    places = {c.ref: f"{n}. {c.reason}" for n, c in enumerate(plan.candidates, 1)}
    for item in plan.rejected:
        places.setdefault(item.ref, f"no: {item.reason}")
    return places


def _row(facts: ModelFacts, speed: Speed | None) -> tuple[str, ...]:
    marks = [
        "?" if facts.features is None else "yes" if name in facts.features else "-"
        for name in _FEATURES
    ]
    return (
        str(facts.ref),
        _prices(facts),
        _count(facts.context_window),
        _count(facts.max_output),
        *marks,
        f"{facts.quality.score:.2f}" if facts.quality else "?",
        f"{speed.first_token_s:.2f} s" if speed else "?",
        f"{speed.tokens_per_s:.0f}" if speed and speed.tokens_per_s else "?",
    )


def _prices(facts: ModelFacts) -> str:
    if facts.free:
        return "free"
    sides = (facts.input_price, facts.output_price)
    return "/".join("?" if side is None else f"{side.normalize():f}" for side in sides)


def _count(value: int | None) -> str:
    """1.05M, 128k, 950; "?" where it is not known."""
    if value is None:
        return "?"
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return str(value)


def _json(facts: ModelFacts, speed: Speed | None, place: str) -> dict[str, Any]:
    quality, carbon = facts.quality, facts.carbon
    return {
        "provider": facts.ref.provider,
        "model": facts.ref.model,
        "input_usd_per_million": _text(facts.input_price),
        "output_usd_per_million": _text(facts.output_price),
        "free": facts.free,
        "context_window": facts.context_window,
        "max_output": facts.max_output,
        "features": None if facts.features is None else sorted(facts.features),
        "quality": quality and {
            "score": quality.score, "source": quality.source, "date": quality.date or None,
        },
        "carbon_g_per_1k_tokens": carbon and [carbon.low, carbon.high],
        "first_token_ms": round(speed.first_token_s * 1000) if speed else None,
        "tokens_per_s": round(speed.tokens_per_s, 1) if speed and speed.tokens_per_s else None,
        "calls_measured": speed.calls if speed else 0,
        "source": facts.source,
        "for_task": place or None,
    }  # fmt: skip


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"
