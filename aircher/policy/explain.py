"""A choice explained: what was seen, who was compared with whom, and what would change it.

Pure: the preview and the rules in, words and numbers out.  The command line and the app show the
same explanation.
"""

from __future__ import annotations

from collections.abc import Iterator

from aircher.domain.classes import dataclass
from aircher.domain.models import ModelRef
from aircher.domain.routes import Candidate, Plan, Rules
from aircher.domain.tasks import Detection, Evidence, Signals, task_name
from aircher.domain.turns import Preview
from aircher.domain.usage import dollars
from aircher.policy.route.plan import BY_NAME
from aircher.policy.route.strategies import DEFAULT_PROVIDER

STRONG, MEDIUM = 1.0, 0.5
"""Log-odds from which a reason is called so: it makes its task 2.7, or 1.6 times as likely."""

MOST_NAMES = 4
"""So many files are named; of the others the number is."""


@dataclass(frozen=True, slots=True)
class Change:
    """One way to another choice: a configuration key (or a flag), and what it would do."""

    key: str
    what: str


_HERE = Change("privacy.local_only", "or --local, /local: what keeps this on this machine")


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that speaks for a task, in words, and how much: "strong", "medium", "weak", ""."""

    words: str
    strength: str
    task: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The parts of the answer to "why this model?"; ``gap`` is "" where nothing can be compared.

    ``reasons`` speak for the task that was chosen, ``against`` for others; the strongest first.
    """

    signals: tuple[tuple[str, str], ...]
    reasons: tuple[Reason, ...]
    against: tuple[Reason, ...]
    scores: tuple[tuple[str, float], ...]
    gap: str
    changes: tuple[Change, ...]


def explain(preview: Preview, rules: Rules) -> Explanation:
    """What was seen, each task's score, the price gap to the next model, and the ways to change it."""
    detection, signals = preview.detection, preview.signals
    ranked = sorted(detection.evidence, key=lambda item: -abs(item.weight))
    reasons = [(item.task == detection.task, _reason(item, signals)) for item in ranked]
    return Explanation(
        tuple(_seen(signals)) if signals is not None else (),
        tuple(reason for speaks_for, reason in reasons if speaks_for),
        tuple(reason for speaks_for, reason in reasons if not speaks_for),
        tuple(sorted(detection.scores.items(), key=lambda item: -item[1])),
        gap(preview.plan),
        (*_changes(detection, preview.plan, rules), *([_HERE] if preview.local else [])),
    )


def _reason(item: Evidence, signals: Signals | None) -> Reason:
    """The evidence in words that need no knowledge of where it comes from."""
    detail = item.detail
    match item.source:
        case "file":
            attached = signals is not None and detail in signals.files
            words = f"{detail} is attached" if attached else f"{detail} is open or was just saved"
        case "command":
            words = f"you used the command {detail}"
        case "yours":
            words = f"your own sign in [tasks.{item.task}]: {detail}"
        case _:
            words = detail
    settled = item.source in {"command", "user"} or not item.weight
    size = abs(item.weight)
    strength = "strong" if size >= STRONG else "medium" if size >= MEDIUM else "weak"
    return Reason(words, "" if settled else strength, item.task)


def _seen(signals: Signals) -> Iterator[tuple[str, str]]:
    """What detection was given, in words; nothing of what the text or a file says."""
    words, letters = len(signals.text.split()), len(signals.text)
    sizes = ((words, "word"), (letters, "character"))
    yield "text", ", ".join(f"{n:,} {what}{'s' if n != 1 else ''}" for n, what in sizes)
    if signals.command:
        yield "command", signals.command
    if signals.files:
        yield "files", _names(signals.files)
    if signals.open_files:
        yield "open, just saved", _names(signals.open_files)
    if signals.history:
        count = len(signals.history)
        yield "before", f"{count} earlier message{'s' if count != 1 else ''} of yours"
    if signals.previous_task:
        yield "task before", task_name(signals.previous_task)
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
        yield "git", ", ".join([*branch, *(counts or ["nothing changed"]), *under_way])


def _names(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - MOST_NAMES} more" if len(paths) > MOST_NAMES else ""
    return ", ".join(paths[:MOST_NAMES]) + more


def gap(plan: Plan) -> str:
    """What the next model costs beside the first, and the cheapest of all where it is another."""
    priced = [(nano, one.ref) for one in plan.candidates if (nano := _likely(one)) is not None]
    if len(plan.candidates) < 2 or not priced or _likely(plan.first) is None:
        return ""
    mine = _likely(plan.first) or 0
    second = plan.candidates[1]
    other = _likely(second)
    said = [] if other is None else [_beside(mine, other, f"the next, {second.ref},")]
    least, cheapest = min(priced, key=lambda item: item[0])
    if cheapest not in {plan.first.ref, second.ref} and least < min(mine, other or mine):
        said.append(_beside(mine, least, f"the cheapest of these, {cheapest},"))
    return "; ".join(said)


def _beside(mine: int, other: int, name: str) -> str:
    low, high = sorted((mine, other))
    if mine == other:
        return f"{name} costs the same"
    if not other:
        return f"{name} is free"
    if high < 1.05 * low:
        return f"{name} costs about the same"
    step = dollars(high - low)
    about = "" if step.startswith("<") else "about "
    much = f"{about}{step} {'more' if other > mine else 'less'}"
    if not low:
        return f"{name} costs {much}"
    times = f"{high / low:.1f}".removesuffix(".0")
    side = "it costs" if other > mine else "this one costs"
    return f"{name} costs {much} ({side} {times} times as much)"


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
        what = (
            "the model for what is of no other kind"
            if task == "default"
            else (f"the model that {task_name(task)} always gets")
        )
        yield Change(f"models.tasks.{task}", what)
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
            yield Change(item.key, f"lets in {item.ref}")


def _order(first: ModelRef, plan: Plan, rules: Rules) -> Iterator[Change]:
    """Keys that say which provider and which of its models."""
    if chosen := rules.preferences.prioritise:
        yield Change("routing.prioritise", f"it is {chosen!r}; without it, fallback_order counts")
    if plan.first.reason.startswith(DEFAULT_PROVIDER):
        yield Change("providers.default", f"the provider asked first; it is {first.provider}")
    tiers = rules.provider_tiers.get(first.provider, {})
    tier = next((name for name, model in tiers.items() if model == first.model), "")
    if tier:
        yield Change(
            f"providers.{first.provider}.models.{tier}", f"the {tier} model of {first.provider}"
        )
    score = plan.complexity.score if plan.complexity else None
    if score is None:
        return
    if score >= rules.tiers.powerful_from:
        yield Change("routing.tiers.powerful_from", f"its complexity is {score} of 10")
    elif plan.task == "default" and score <= rules.tiers.cheap_up_to:
        yield Change("routing.tiers.cheap_up_to", f"its complexity is {score} of 10")
