"""What the sheets say: help, costs, configuration, context.  Values in, sections out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo

from aircher.domain.models import ModelFacts
from aircher.domain.routes import Estimate
from aircher.domain.settings import Settings
from aircher.domain.usage import UsageRow
from aircher.reports.totals import GroupKey, grouped
from aircher.tui import keys, slash
from aircher.tui.figures import spend_words
from aircher.tui.screens.sheet import Section
from aircher.tui.words import count, money, task_name


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
