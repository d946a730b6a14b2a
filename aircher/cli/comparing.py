"""``aircher provider compare``: what the configured models cost, hold and can do, side by side.

Facts and prices are the catalogue's, speeds were measured here; what is not known is "?", and below
it is said where the figures are from and how old they are.  With a task, the models stand in the
order in which it would ask them, and those it leaves out say why.  On a narrow terminal the columns
are dealt out to several tables.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any

from aircher.bootstrap.services import Services
from aircher.cli.printing import print_json
from aircher.cli.table import table
from aircher.domain.errors import EXIT_NO_MODEL, EXIT_OK, AircherError
from aircher.domain.inert import inert
from aircher.domain.models import ModelFacts, ModelRef, Speed
from aircher.domain.routes import Wish
from aircher.domain.tasks import Signals
from aircher.engine.speeds import DAYS, Speeds

_FEATURES = ("vision", "documents", "tools", "json", "thinking", "long_context", "local")
_SHORT = ("VIS", "DOC", "TOOL", "JSON", "THINK", "LONG", "LOCAL")
_FIGURES = ("$/M IN/OUT", "WINDOW", "LONGEST", "QUALITY")
_MEASURED = ("FIRST", "TOK/S", "CALLS", "AS OF")
_WIDE = 120
"""Cells of a line where there is no terminal."""

_PLACE = "FOR THE TASK"

Row = tuple[ModelFacts, Speed | None, str]
"""What is known of a model, how fast it was, and its place for the task."""


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
        width = get_terminal_size().columns if sys.stdout.isatty() else _WIDE
        for part in _tables(found, width, with_task=bool(task)):
            print(inert(part), end="\n\n")
        print(inert("\n".join(_sources(found, min(width, 100)))))
    return EXIT_OK if found else EXIT_NO_MODEL


def _tables(found: Sequence[Row], width: int, *, with_task: bool) -> Iterator[str]:
    """One table; or, where that is wider than the terminal, one for each kind of column."""
    parts: list[tuple[tuple[str, ...], list[tuple[str, ...]]]] = [
        (_FIGURES, [_figures(facts) for facts, _, _ in found]),
        (_MEASURED, [_measured(facts, speed) for facts, speed, _ in found]),
        (_SHORT, [_marks(facts) for facts, _, _ in found]),
    ]
    if with_task:
        parts.append(((_PLACE,), [(place,) for _, _, place in found]))
    names = [str(facts.ref) for facts, _, _ in found]
    numbers = frozenset({*_FIGURES, *_MEASURED[:-1]})

    def made(head: Sequence[str], rows: Sequence[Sequence[str]], room: int = 0) -> str:
        short = [clipped(name, room) if room else name for name in names]
        right = frozenset(at for at, word in enumerate(head, 1) if word in numbers)
        joined = [(name, *row) for name, row in zip(short, rows, strict=True)]
        return table(("MODEL", *head), joined, right=right)

    heads = [word for words, _ in parts for word in words]
    rows = [[cell for _, cells in parts for cell in cells[at]] for at in range(len(names))]
    whole = made(heads, rows)
    if cells_of(whole) <= width:
        yield whole
        return
    for words, cells in parts:
        columns = [[words[at], *(row[at] for row in cells)] for at in range(len(words))]
        taken = sum(max(map(len, column)) + 2 for column in columns)
        yield made(words, cells, max(16, width - taken))


def clipped(name: str, room: int) -> str:
    """The name, with its middle left out where it is longer than that."""
    if len(name) <= room:
        return name
    end = room // 2
    return f"{name[: room - end - 1]}…{name[-end:]}"


def cells_of(text: str) -> int:
    """The width of the widest line."""
    return max(len(line) for line in text.splitlines())


def _sources(found: Sequence[Row], width: int) -> Iterator[str]:
    """Where the figures are from, and how old they are."""
    facts = [one for one, _, _ in found]
    prices = dict.fromkeys(one.price_source for one in facts if one.price_source and not one.free)
    scores = dict.fromkeys(
        " ".join(filter(None, (one.quality.source, one.quality.date)))
        for one in facts
        if one.quality
    )
    said = [
        "? is not known.",
        "AS OF is the day on which window, longest answer and features were read from their maker's "
        "page or models.dev" + ("; * your configuration says some of it." if any(
            one.yours for one in facts) else "."),
        f"Prices: {', '.join(prices)}." if prices else "",
        f"QUALITY: {', '.join(scores)}." if scores else "",
        f"FIRST and TOK/S are medians of the CALLS made here in the last {DAYS} days.",
    ]  # fmt: skip
    return iter(wrap(" ".join(filter(None, said)), max(40, width)))


def _places(services: Services, task: str) -> dict[ModelRef, str]:
    """Each model's place for the task, or why it is left out; in the order of asking."""
    _, plan = services.engine.weigh(Signals(""), Wish(task=task))
    if isinstance(plan, AircherError):
        return {}
    places = {c.ref: f"{n}. {c.reason}" for n, c in enumerate(plan.candidates, 1)}
    for item in plan.rejected:
        places.setdefault(item.ref, f"no: {item.reason}")
    return places


def _marks(facts: ModelFacts) -> tuple[str, ...]:
    return tuple(
        "?" if facts.features is None else "yes" if name in facts.features else "-"
        for name in _FEATURES
    )


def _figures(facts: ModelFacts) -> tuple[str, ...]:
    return (
        _prices(facts),
        _count(facts.context_window),
        _count(facts.max_output),
        f"{facts.quality.score:.2f}" if facts.quality else "?",
    )


def _measured(facts: ModelFacts, speed: Speed | None) -> tuple[str, ...]:
    return (
        f"{speed.first_token_s:.2f} s" if speed else "?",
        f"{speed.tokens_per_s:.0f}" if speed and speed.tokens_per_s else "?",
        str(speed.calls) if speed else "0",
        (facts.as_of or ("here" if facts.free else "?")) + "*" * facts.yours,
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
        "as_of": facts.as_of or None,
        "price_source": facts.price_source or None,
        "for_task": place or None,
    }  # fmt: skip


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"
