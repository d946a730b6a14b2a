"""What the sheets say: help, costs, configuration, context.  Values in, sections out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from aircher.domain.budget import CapState
from aircher.domain.models import ModelFacts
from aircher.domain.routes import Estimate
from aircher.domain.settings import Settings
from aircher.domain.turns import Preview
from aircher.domain.usage import UsageRow
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
            f"{_share(state)}{_LEVELS[alert_level(state, threshold)]}",
        )
        for state in states
    )
    return [Section("Limits", rows or (("none", "aircher config set costs.daily_limit 10"),))]


_LEVELS = {"": "", "near": ", near the limit", "reached": ", limit reached"}


def _share(state: CapState) -> str:
    limit = state.cap.limit_nano
    return f"{state.spent_nano / limit:.0%}" if limit else "100%"


def choice_sections(preview: Preview) -> list[Section]:
    """A task with its evidence, the models in the order of asking, and those left out."""
    detection, plan = preview.detection, preview.plan
    by_you = any(item.source == "user" for item in detection.evidence)
    sure = "your choice" if by_you else f"{detection.confidence:.0%} sure"
    because = tuple(
        (item.source, item.detail, f"→ {task_name(item.task)}")
        for item in detection.evidence
        if item.source != "user"
    )
    sections = [Section("Task", ((task_name(detection.task), sure),))]
    if not by_you:
        sections.append(Section("Because", because or (("Nothing in it points at a task.",),)))
    models = tuple(
        (
            "then" if number else "first",
            str(candidate.ref),
            candidate.reason
            + (f" · {cost_words(candidate.estimate)}" if candidate.estimate else ""),
        )
        for number, candidate in enumerate(plan.candidates)
    )
    sections.append(Section("Models, the next one if the one before fails", models))
    if plan.rejected:
        left_out = tuple((str(item.ref), item.reason) for item in plan.rejected)
        sections.append(Section("Left out", left_out))
    change = ("[models.tasks]", "in the configuration says which model a task gets")
    sections.append(Section("For good", (change,)))
    return sections


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


def cost_sections(rows: Sequence[UsageRow], zone: tzinfo) -> list[Section]:
    """Spending of this month by provider, model and task."""
    if not rows:
        return [Section("This month", (("Nothing was spent yet.",),))]
    return [
        _group("This month by provider", rows, "provider", zone),
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
