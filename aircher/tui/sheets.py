"""What the sheets say: help, costs, configuration, context.  Values in, sections out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from aircher.domain.budget import CapState
from aircher.domain.models import ModelFacts
from aircher.domain.routes import Candidate, Estimate, Rules
from aircher.domain.settings import Settings
from aircher.domain.turns import Preview
from aircher.domain.usage import UsageRow
from aircher.policy.explain import explain
from aircher.reports.totals import GroupKey, grouped
from aircher.tui import keys, slash
from aircher.tui.figures import alert_level, spend_words
from aircher.tui.screens.sheet import Section
from aircher.tui.widgets.status import cost_words
from aircher.tui.words import count, money, task_name

if TYPE_CHECKING:
    from aircher.bootstrap.checkup import Check


def help_sections(changed: Mapping[str, str]) -> list[Section]:
    """Keys and commands, from their tables."""
    return [
        Section("Keys", tuple(keys.rows(changed))),
        Section("Commands", tuple(slash.rows())),
        Section(
            "Also",
            (
                ("@file", "attach a file: type @ and a part of its name"),
                ("~ ≤ ?", "money: estimated, at most, unknown"),
                ("[keys]", "in the configuration file changes any key"),
            ),
        ),
    ]


def _group(heading: str, rows: Sequence[UsageRow], key: GroupKey, zone: tzinfo) -> Section:
    """Sums per group."""
    lines = [("", "cost", "calls", "in", "out")]
    for group in grouped(rows, key, zone):
        spend = group.spend
        cost = spend_words(spend)
        name = task_name(group.key) if key == "task" else group.key
        tokens = count(spend.input_tokens), count(spend.output_tokens)
        lines.append((name, cost, str(spend.calls), *tokens))
    return Section(heading, tuple(lines), right_align=True)


def limit_sections(states: Sequence[CapState], threshold: float) -> list[Section]:
    """Every limit of a day or a month: what is spent of it, in numbers and words."""
    rows = tuple(
        (
            state.cap.name.removeprefix("costs.").removeprefix("limits.").replace("_", " "),
            f"{money(state.spent_nano)} of {money(state.cap.limit_nano)}",
            f"{_share(state)}{_LEVELS[alert_level(state, threshold)]}"
            + (f", {money(state.held_nano)} held" if state.held_nano else "")
            + (", only warns" if state.cap.soft else ""),
        )
        for state in states
    )
    return [Section("Limits", rows or (("none", "aircher config set costs.daily_limit 10"),))]


_LEVELS = {"": "", "near": ", near the limit", "reached": ", limit reached"}


def _share(state: CapState) -> str:
    limit = state.cap.limit_nano
    return f"{state.spent_nano / limit:.0%}" if limit else "100%"


def choice_sections(preview: Preview, rules: Rules) -> list[Section]:
    """A task with its evidence, the models in the order of asking, and what would change it."""
    detection, plan = preview.detection, preview.plan
    why = explain(preview, rules)
    by_you = any(item.source == "user" for item in detection.evidence)
    sure = "your choice" if by_you else f"{detection.confidence:.0%} sure"
    task = [(task_name(detection.task), sure)]
    if not by_you and len(why.scores) > 1:
        scores = (f"{task_name(one)} {score:.2f}" for one, score in why.scores[:4])
        task.append(("scores", " · ".join(scores)))
    sections = [Section("Task", tuple(task))]
    if not by_you:
        because = tuple(
            (item.source, item.detail, f"→ {task_name(item.task)} {item.weight:+.2f}")
            for item in detection.evidence
        )
        sections.append(Section("Because", because or (("Nothing in it points at a task.",),)))
    seen = list(why.signals)
    if plan.complexity is not None:
        factors = ", ".join(plan.complexity.factors) or "nothing adds to it"
        seen.append(("complexity", f"{plan.complexity.score} of 10 · {factors}"))
    seen += [("your rule", name) for name in plan.fired]
    if seen:
        sections.append(Section("Seen", tuple(seen)))
    models = [
        ("then" if n else "first", str(c.ref), _why(c)) for n, c in enumerate(plan.candidates)
    ]
    models += [("if poor", str(c.ref), _why(c)) for c in plan.stronger]
    if why.gap:
        models.append(("gap", "", why.gap))
    heading = f"Models by {plan.strategy}, the next one if the one before fails"
    sections.append(Section(heading, tuple(models)))
    if plan.rejected:
        left_out = tuple((str(item.ref), item.reason) for item in plan.rejected)
        sections.append(Section("Left out", left_out))
    changes = tuple((one.key, one.what) for one in why.changes if not one.key.startswith("-"))
    sections.append(Section("For good, in the configuration", changes))
    return sections


def _why(candidate: Candidate) -> str:
    """A candidate's reason, price range and figure."""
    said = [candidate.reason]
    if candidate.estimate:
        said.append(cost_words(candidate.estimate))
    if candidate.figure:
        said.append(candidate.figure)
    return " · ".join(said)


_SIGNS = {"fail": "✕", "warn": "○", "ok": "●"}


def check_sections(checks: Sequence[Check]) -> list[Section]:
    """What does not work, what is missing, what works; each with the next step."""
    headings = (("fail", "Does not work"), ("warn", "Optional, and not there"), ("ok", "Works"))
    return [
        Section(
            heading,
            tuple(
                (_SIGNS[state], check.name, f"{check.text}. {check.hint}".rstrip(". ") + ".")
                for check in checks
                if check.state == state
            ),
        )
        for state, heading in headings
        if any(check.state == state for check in checks)
    ]


def cost_sections(
    rows: Sequence[UsageRow], zone: tzinfo, *, by_provider: bool = True
) -> list[Section]:
    """Spending of this month by provider (if wanted), model and task."""
    if not rows:
        return [Section("This month", (("Nothing was spent yet.",),))]
    providers = [_group("This month by provider", rows, "provider", zone)] if by_provider else []
    return [
        *providers,
        _group("By model", rows, "model", zone),
        _group("By task", rows, "task", zone),
    ]


def config_sections(settings: Settings, theme: str) -> list[Section]:
    """What is configured and what was found."""
    rules = settings.rules
    file = settings.config_file or "none: the defaults and what was found are used"
    sections = [
        Section(
            "Configuration",
            (
                ("file", file),
                ("change it", "aircher config edit"),
                ("strategy", rules.strategy),
                ("theme", theme),
            ),
        )
    ]
    if settings.problems:
        sections.append(Section("Problems", tuple((str(one),) for one in settings.problems)))
    if settings.found:
        sections.append(Section("Found", tuple((one,) for one in settings.found)))
    usable = tuple((name, rules.models.get(name, "")) for name in rules.order)
    missing = tuple((name, why) for name, why in rules.unusable.items())
    sections.append(Section("Providers", usable + missing or (("none",),)))
    tasks = tuple(
        (task_name(task), str(rule.preferred), rule.origin) for task, rule in rules.tasks.items()
    )
    if tasks:
        sections.append(Section("Model per task", tasks))
    limits = tuple((one.name, f"{money(one.nano_usd)} per {one.window}") for one in settings.limits)
    sections.append(Section("Limits", limits or (("none", "[costs] sets them"),)))
    return sections


def context_sections(
    model: str, facts: ModelFacts, estimate: Estimate | None, messages: int
) -> list[Section]:
    """How full the window is."""
    window = facts.context_window
    used = estimate.prompt if estimate else None
    share = f" ({used / window:.0%})" if used is not None and window else ""
    mark = "" if estimate and estimate.exact else "~"
    return [
        Section(
            "Context",
            (
                ("model", model),
                ("window", f"{count(window)} tokens"),
                ("used", f"{mark}{count(used)} tokens{share}"),
                ("messages", str(messages)),
                ("when it is full", "older messages are summarised, and you are told"),
            ),
        )
    ]
