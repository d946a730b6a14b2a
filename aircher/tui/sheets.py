"""What the sheets say: help, costs, configuration, context.  Values in, sections out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from aircher.domain.budget import CapState
from aircher.domain.models import ModelFacts
from aircher.domain.routes import Estimate, Rules
from aircher.domain.sessions import StoredMessage
from aircher.domain.settings import Settings
from aircher.domain.tasks import task_name
from aircher.domain.turns import Preview
from aircher.domain.usage import UsageRow
from aircher.policy.account import TASK, Part, account, unpacked
from aircher.reports.totals import GroupKey, grouped
from aircher.tui import keys, slash
from aircher.tui.figures import alert_level, spend_words
from aircher.tui.screens.sheet import Section
from aircher.tui.words import bar, count, money

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
    return account_sections(account(preview, rules))


def kept_sections(stored: Sequence[StoredMessage]) -> list[Section]:
    """The account that was kept with the last request; nothing where there is none."""
    asked = next((one for one in reversed(stored) if one.account), None)
    if asked is None:
        return []
    parts = unpacked(asked.account)
    mine = task_name(asked.task)
    if parts and asked.task and not any(row[0] == mine for row in parts[0].rows[:1]):
        parts = (Part(TASK, ((mine, "as you corrected it"), *parts[0].rows)), *parts[1:])
    return account_sections(parts)


def account_sections(parts: Sequence[Part]) -> list[Section]:
    """The account of a choice, the tasks' shares as bars."""
    return [
        Section(
            part.heading, tuple(map(_share_row, part.rows)) if part.heading == TASK else part.rows
        )
        for part in parts
    ]


def _share_row(row: tuple[str, ...]) -> tuple[str, ...]:
    """A task's name and share, with a bar between; what is no share stays as it is."""
    share, percent, _ = row[-1].partition("%")
    if not (percent and share.isdigit()):
        return row
    filled, empty = bar(int(share), 100, _BAR)
    return row[0], filled + empty, " " * (3 - len(share)) + row[-1]


_BAR = 24
"""Cells of a share's bar."""

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
    model: str, facts: ModelFacts, estimate: Estimate | None, messages: int, compact_at: float
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
                (
                    f"from {compact_at:.0%} on",
                    "older messages are summarised first; you are told, none is lost",
                ),
            ),
        )
    ]
