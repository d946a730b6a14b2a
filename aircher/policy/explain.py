"""A choice explained: what was seen, who was compared with whom, and what would change it.

Pure: the preview and the rules in, words and numbers out.  The command line and the app show the
same explanation.
"""

from __future__ import annotations

from collections.abc import Iterator

from aircher.domain.classes import dataclass
from aircher.domain.models import ModelRef
from aircher.domain.routes import Candidate, Plan, Rules
from aircher.domain.tasks import Detection, Signals
from aircher.domain.turns import Preview
from aircher.domain.usage import dollars
from aircher.policy.route.plan import BY_NAME
from aircher.policy.route.strategies import DEFAULT_PROVIDER


@dataclass(frozen=True, slots=True)
class Change:
    """One way to another choice: a configuration key (or a flag), and what it would do."""

    key: str
    what: str


_HERE = Change("privacy.local_only", "or --local, /local: what keeps this on this machine")


@dataclass(frozen=True, slots=True)
class Explanation:
    """The parts of the answer to "why this model?"; ``gap`` is "" where nothing can be compared."""

    signals: tuple[tuple[str, str], ...]
    scores: tuple[tuple[str, float], ...]
    gap: str
    changes: tuple[Change, ...]


def explain(preview: Preview, rules: Rules) -> Explanation:
    """What was seen, each task's score, the price gap to the next model, and the ways to change it."""
    scores = sorted(preview.detection.scores.items(), key=lambda item: -item[1])
    return Explanation(
        tuple(_seen(preview.signals)) if preview.signals is not None else (),
        tuple(scores),
        gap(preview.plan),
        (*_changes(preview.detection, preview.plan, rules), *([_HERE] if preview.local else [])),
    )


def _seen(signals: Signals) -> Iterator[tuple[str, str]]:
    """What detection was given, in words."""
    words, letters = len(signals.text.split()), len(signals.text)
    sizes = ((words, "word"), (letters, "character"))
    yield "text", ", ".join(f"{n:,} {what}{'s' if n != 1 else ''}" for n, what in sizes)
    if signals.command:
        yield "command", signals.command
    if signals.files:
        more = f" and {len(signals.files) - 4} more" if len(signals.files) > 4 else ""
        yield "files", ", ".join(signals.files[:4]) + more
    if signals.history:
        count = len(signals.history)
        yield "before", f"{count} earlier message{'s' if count != 1 else ''} of yours"
    if signals.previous_task:
        yield "task before", signals.previous_task
    if signals.git is not None:
        git = signals.git
        counts = [
            f"{number} {name}"
            for number, name in (
                (git.staged, "staged"),
                (git.unstaged, "modified"),
                (git.untracked, "untracked"),
            )
            if number
        ]
        under_way = [f"{git.operation} in progress"] if git.operation else []
        branch = [f"on {git.branch}"] if git.branch else []
        yield "git", ", ".join([*branch, *counts, *under_way]) or "clean"


def gap(plan: Plan) -> str:
    """What the first model costs beside the next one: "" where a price is not known."""
    if len(plan.candidates) < 2:
        return ""
    first, second = plan.candidates[:2]
    mine, other = _likely(first), _likely(second)
    if mine is None or other is None:
        return ""
    if mine == other:
        return f"the next, {second.ref}, costs the same"
    low, high = sorted((mine, other))
    times = f", {high / low:.1f} times as much" if low else ""
    word = "more" if other > mine else "less"
    back = f"; {first.ref} is {high / low:.1f} times as dear" if low and other < mine else ""
    detail = times if other > mine else back
    return f"the next, {second.ref}, costs about {dollars(high - low)} {word}{detail}"


def _likely(candidate: Candidate) -> int | None:
    return candidate.estimate.likely.nano_usd if candidate.estimate else None


def _changes(detection: Detection, plan: Plan, rules: Rules) -> Iterator[Change]:
    """The user's ways to another model, the nearest first."""
    task, first = plan.task, plan.first.ref
    by_hand = any(item.source == "user" for item in detection.evidence)
    if not by_hand:
        yield Change("--task NAME", "if it is another kind of task; in the app, F3")
    yield Change("-m MODEL", "another model for this once; in the app, F7")
    if plan.first.reason in BY_NAME:
        pass  # nothing in the configuration comes before what is asked for by name
    elif plan.first.reason.startswith("your rule "):
        pass  # only the rule itself, below
    elif plan.strategy == "task":
        yield Change(f"models.tasks.{task}", f"the model that {task} always gets")
        if task not in rules.tasks:
            yield from _order(first, plan, rules)
    elif plan.strategy == rules.strategy:
        yield Change(
            "routing.strategy",
            f"it is {plan.strategy!r}; 'task' takes the model named in models.tasks",
        )
    yield from (Change(key, "your rule, which applies here") for key in plan.fired_keys)
    seen = {""}
    for item in plan.rejected:
        if item.key not in seen:
            seen.add(item.key)
            yield Change(item.key, f"lets in {item.ref} ({item.reason})")


def _order(first: ModelRef, plan: Plan, rules: Rules) -> Iterator[Change]:
    """Keys that say which provider and which of its models."""
    if chosen := rules.preferences.prioritise:
        yield Change("routing.prioritise", f"it is {chosen!r}; without it, fallback_order counts")
    if plan.first.reason.startswith(DEFAULT_PROVIDER):
        yield Change("providers.default", f"the provider asked first; it is {first.provider}")
    tiers = rules.provider_tiers.get(first.provider, {})
    tier = next((name for name, model in tiers.items() if model == first.model), "")
    if tier:
        yield Change(f"providers.{first.provider}.models.{tier}", f"its {tier} model")
    score = plan.complexity.score if plan.complexity else None
    if score is None:
        return
    if score >= rules.tiers.powerful_from:
        yield Change("routing.tiers.powerful_from", f"its complexity is {score} of 10")
    elif plan.task == "default" and score <= rules.tiers.cheap_up_to:
        yield Change("routing.tiers.cheap_up_to", f"its complexity is {score} of 10")
