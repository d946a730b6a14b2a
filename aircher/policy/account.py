"""The account of a choice: the explanation under headings, as the app shows it and as it is kept.

What is kept with a message is this account, in words and figures: counts, names of files, prices.
Nothing of what a file says is in it, and of the user's text only the words that decided.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from aircher.domain.classes import dataclass
from aircher.domain.inert import encodable, inert
from aircher.domain.routes import Candidate, Plan, Rules
from aircher.domain.tasks import task_name
from aircher.domain.turns import Preview
from aircher.domain.usage import dollars
from aircher.policy.explain import Explanation, Reason, explain

TASK = "Task"
"""The heading of the tasks' shares: rows of a task's name and "96% sure", "2%"."""

SHARES = 3
LEAST_SHARE = 0.01
"""So many tasks are named, if they have so large a share."""

MOST_ROWS, MOST_LETTERS, MOST_KEPT = 24, 300, 16_000
"""Rows under a heading, characters of a cell, and characters of all, of what is kept."""


@dataclass(frozen=True, slots=True)
class Part:
    """A heading over rows of cells."""

    heading: str
    rows: tuple[tuple[str, ...], ...]


def account(preview: Preview, rules: Rules) -> tuple[Part, ...]:
    """Which task and how sure, why, which models and why, which not and why, what was seen."""
    why = explain(preview, rules)
    by_you = any(item.source == "user" for item in preview.detection.evidence)
    parts = (
        _task(preview, why),
        Part("Because", () if by_you else tuple((one.words, one.strength) for one in why.reasons)),
        Part("Though", () if by_you else tuple(_against(why.against))),
        _models(preview.plan, why.gap),
        Part("Left out", tuple(_left_out(preview.plan))),
        Part("To get another choice for good, in the configuration", tuple(
            (one.key, one.what) for one in why.changes if not one.key.startswith("-")
        )),
        Part("Seen", tuple(_seen(preview.plan, why))),
    )  # fmt: skip
    return tuple(part for part in parts if part.rows)


def _task(preview: Preview, why: Explanation) -> Part:
    detection = preview.detection
    if any(item.source == "user" for item in detection.evidence):
        return Part(TASK, ((task_name(detection.task), "your choice"),))
    shares = {detection.task: detection.confidence}
    for task, share in why.scores:
        if share >= LEAST_SHARE:
            shares.setdefault(task, share)
    rows = [(task_name(task), f"{share:.0%}") for task, share in list(shares.items())[:SHARES]]
    rows[0] = rows[0][0], f"{rows[0][1]} sure"
    return Part(TASK, tuple(rows))


def _against(reasons: Sequence[Reason]) -> Iterator[tuple[str, ...]]:
    for one in reasons:
        strength = f", {one.strength}" if one.strength else ""
        yield one.words, f"speaks for {task_name(one.task)}{strength}"


def _models(plan: Plan, gap: str) -> Part:
    rows: list[tuple[str, ...]] = [
        ("then" if n else "first", str(c.ref), _why(c)) for n, c in enumerate(plan.candidates)
    ]
    rows += [("if poor", str(c.ref), _why(c)) for c in plan.stronger]
    beside: list[tuple[str, ...]] = [("price", f"{gap[:1].upper()}{gap[1:]}.")] if gap else []
    heading = f"Models by {plan.strategy}, the next one if the one before fails"
    return Part(heading, (*rows, *beside))


def _why(candidate: Candidate) -> str:
    """A candidate's price range, the figure that was compared, and its reason."""
    said = [price_range(candidate), candidate.reason]
    if candidate.figure:
        said.append(f"{candidate.figure} ({candidate.confidence:.0%} sure of its place)")
    return "; ".join(filter(None, said))


def price_range(candidate: Candidate) -> str:
    """In words: "~$0.0012, at most $0.0200", "free", "price unknown"; "" where nothing was estimated."""
    if candidate.estimate is None:
        return ""
    likely, worst = candidate.estimate.likely, candidate.estimate.worst
    if likely.nano_usd is None:
        return "price unknown"
    if worst.nano_usd == 0 and worst.tag == "exact":
        return "free"
    most = "" if worst.nano_usd is None else f", at most {dollars(worst.nano_usd)}"
    said = dollars(likely.nano_usd)
    return f"{'' if said.startswith('<') else '~'}{said}{most}"


def _left_out(plan: Plan) -> Iterator[tuple[str, ...]]:
    yield from ((str(item.ref), item.reason) for item in plan.rejected)
    if plan.untold:
        yield f"{plan.untold:,} more", "stand behind these, or cannot take it"


def _seen(plan: Plan, why: Explanation) -> Iterator[tuple[str, ...]]:
    yield from why.signals
    if plan.complexity is not None:
        factors = ", ".join(plan.complexity.factors) or "nothing in it adds to it"
        yield "complexity", f"{plan.complexity.score} of 10: {factors}"
    yield from (("your rule", name) for name in plan.fired)


# -- as it is kept with a message


def packed(parts: Sequence[Part]) -> str:
    """The account as text, bounded; what is too much is left out from the end."""
    kept = [
        [part.heading, [[_cell(cell) for cell in row] for row in part.rows[:MOST_ROWS]]]
        for part in parts
    ]
    while len(text := json.dumps(kept, ensure_ascii=False)) > MOST_KEPT:
        kept.pop()
    return text


def unpacked(text: str) -> tuple[Part, ...]:
    """The account that was kept; nothing where there is none, or it is not one."""
    try:
        kept = json.loads(text) if text else []
        return tuple(
            Part(str(heading), tuple(tuple(str(cell) for cell in row) for row in rows))
            for heading, rows in kept
        )
    except (ValueError, TypeError):
        return ()


def _cell(text: str) -> str:
    line = " ".join(encodable(inert(text)).split())
    return line if len(line) <= MOST_LETTERS else line[: MOST_LETTERS - 1] + "…"
