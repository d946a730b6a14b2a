"""Providers with their health: Enter makes one the choice, automatic is a row too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import ClassVar

from textual.binding import Binding, BindingType

from aircher.domain.health import Health, ModelHealth
from aircher.domain.limits import RateLimit
from aircher.tui.screens.pick import PickScreen, Row
from aircher.tui.screens.sheet import Section, SheetScreen
from aircher.tui.widgets.providers import reason, state_of, state_words
from aircher.tui.words import day, seconds

AUTOMATIC = "auto"

LIVE_EVERY_S = 1.0
"""How often the list counts down."""


def provider_rows(rows: Sequence[Health], query: str, chosen: str, now: datetime) -> list[Row]:
    """One row per provider, the automatic choice first."""
    out = [Row(AUTOMATIC, "automatic", "by task", "Aircher chooses for each request")]
    for row in rows:
        sign, _, _ = state_of(row)
        calls = calls_words(row) if row.calls and not row.probed else ""
        below = " · ".join(part for part in (row.model, speeds(row), calls, reason(row)) if part)
        mark = "  (chosen by you)" if row.provider == chosen else ""
        right = f"{sign} {state_words(row, now)}"
        out.append(Row(row.provider, row.provider + mark, right, below))
    return [row for row in out if query.lower() in f"{row.name} {row.below}".lower()]


def speeds(row: Health) -> str:
    """The latencies that are known: "p50 0.62 s, p95 1.1 s"."""
    return ", ".join(
        f"{name} {seconds(value)}"
        for name, value in (("p50", row.latency_p50), ("p95", row.latency_p95))
        if value is not None
    )


def calls_words(row: Health) -> str:
    """How often it was asked, and how often in vain."""
    failed = f", {row.failures} failed" if row.failures else ""
    return f"{row.calls} call{'s' * (row.calls != 1)}{failed}"


def details(row: Health, now: datetime) -> list[Section]:
    """All that is known of one provider, for a sheet."""
    sign, _, _ = state_of(row)
    seen = "only its model list" if row.probed else calls_words(row)
    facts = [
        ("State", f"{sign} {state_words(row, now)}"),
        ("Why", row.note),
        ("Model", row.model),
        ("Seen", seen if row.calls else "nothing within the last hour"),
        ("Last seen", day(row.last_seen, now) if row.last_seen else ""),
        ("Median (p50)", seconds(row.latency_p50)),
        ("p95", seconds(row.latency_p95)),
        ("p99", seconds(row.latency_p99)),
        ("Last error", row.last_error),
    ]
    out = [Section("Health", tuple(fact for fact in facts if fact[1]))]
    models = [(one.model or "all models", _model_words(one)) for one in row.models]
    if models:
        out.append(Section("Models", tuple(models)))
    return out


def _model_words(one: ModelHealth) -> str:
    limits = [_limit_words(limit) for limit in one.limits]
    return "; ".join(part for part in (one.note, *limits) if part) or "fine again"


def _limit_words(limit: RateLimit) -> str:
    of = f" of {limit.limit:,}" if limit.limit is not None else ""
    return f"{limit.remaining:,}{of} {limit.counted} left"


class ProviderScreen(PickScreen):
    """The providers.  ``reset`` closes a provider's breakers, ``probe`` asks for its models now."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "details", "Details", show=False, priority=True),
        Binding("ctrl+r", "reset", "Forget failures", show=False, priority=True),
        Binding("ctrl+t", "probe", "Ask now", show=False, priority=True),
        Binding("f4", "close", "Close", show=False),
    ]
    MORE_KEYS = (("Tab", "details"), ("^R", "reset"), ("^T", "ask now"))

    def __init__(
        self,
        rows: Callable[[], Sequence[Health]],
        now: Callable[[], datetime],
        chosen: str,
        *,
        reset: Callable[[str], None],
        probe: Callable[[str], None],
    ) -> None:
        super().__init__(
            "Providers · Enter switches, the conversation stays",
            lambda query: provider_rows(rows(), query, chosen, now()),
            empty="No such provider.",
        )
        self._health = rows
        self._now = now
        self._reset = reset
        self._probe = probe

    def on_mount(self) -> None:
        """Lists them, and counts down while the list is open."""
        super().on_mount()
        self.set_interval(LIVE_EVERY_S, self._tick)

    def _tick(self) -> None:
        if self.outdated:
            self.refresh_rows()

    def _named(self) -> str:
        value = self.highlighted_value() or ""
        return "" if value == AUTOMATIC else value

    def action_reset(self) -> None:
        """Gives the highlighted provider a fresh start."""
        if name := self._named():
            self._reset(name)
            self.refresh_rows()

    def action_probe(self) -> None:
        """Asks the highlighted provider for its models: a free call."""
        if name := self._named():
            self._probe(name)

    def action_details(self) -> None:
        """All that is known of the highlighted provider."""
        for row in self._health():
            if row.provider == self._named():
                self.app.push_screen(SheetScreen(row.provider, details(row, self._now())))
