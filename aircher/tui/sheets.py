"""What the sheets say: help, costs, configuration, context.  Values in, sections out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from aircher.domain.models import ModelFacts
from aircher.domain.routes import Estimate
from aircher.domain.settings import Settings
from aircher.domain.usage import UsageRow
from aircher.tui import keys, slash
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


def _group(heading: str, rows: Sequence[UsageRow], key: Callable[[UsageRow], str]) -> Section:
    """Sums per key, most expensive first."""
    sums: dict[str, list[int]] = {}
    for row in rows:
        entry = sums.setdefault(key(row), [0, 0, 0, 0, 0, 0])
        entry[0] += row.cost.nano_usd or 0
        entry[1] += 1
        entry[2] += row.tokens.input or 0
        entry[3] += row.tokens.output or 0
        entry[4] += row.cost.nano_usd is None
        entry[5] += row.cost.tag == "estimated"
    lines = [("", "cost", "calls", "in", "out")]
    for name, (nano, calls, sent, got, unknown, guessed) in sorted(
        sums.items(), key=lambda item: (-item[1][0], item[0])
    ):
        cost = money(nano, "estimated" if guessed else "exact")
        cost += f" + {unknown} unknown" if unknown else ""
        lines.append((name, cost, str(calls), count(sent), count(got)))
    return Section(heading, tuple(lines), right_align=True)


def cost_sections(rows: Sequence[UsageRow]) -> list[Section]:
    """Spending of this month by provider, model and task."""
    if not rows:
        return [Section("This month", (("Nothing was spent yet.",),))]
    return [
        _group("This month by provider", rows, lambda row: row.ref.provider),
        _group("By model", rows, lambda row: str(row.ref)),
        _group("By task", rows, lambda row: task_name(row.task)),
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
