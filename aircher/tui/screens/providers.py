"""Providers with their health: Enter makes one the choice, automatic is a row too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from aircher.domain.health import Health
from aircher.tui.screens.pick import PickScreen, Row
from aircher.tui.widgets.providers import reason, state_of
from aircher.tui.words import seconds

AUTOMATIC = "auto"


def provider_rows(rows: Sequence[Health], query: str, chosen: str) -> list[Row]:
    """One row per provider, the automatic choice first."""
    out = [Row(AUTOMATIC, "automatic", "by task", "Aircher chooses for each request")]
    for row in rows:
        sign, word, _ = state_of(row)
        speed = ", ".join(
            f"{name} {seconds(value)}"
            for name, value in (("p50", row.latency_p50), ("p95", row.latency_p95))
            if value is not None
        )
        calls = calls_words(row) if row.calls else ""
        below = " · ".join(part for part in (row.model, speed, calls, reason(row)) if part)
        mark = "  (chosen by you)" if row.provider == chosen else ""
        out.append(Row(row.provider, row.provider + mark, f"{sign} {word}", below))
    return [row for row in out if query.lower() in f"{row.name} {row.below}".lower()]


def calls_words(row: Health) -> str:
    """How often it was asked, and how often in vain."""
    failed = f", {row.failures} failed" if row.failures else ""
    return f"{row.calls} call{'s' * (row.calls != 1)}{failed}"


class ProviderScreen(PickScreen):
    """The providers; ``reset`` closes a provider's breaker and forgets its failures."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "reset", "Forget failures", show=False, priority=True),
        Binding("f4", "close", "Close", show=False),
    ]
    MORE_KEYS = (("^R", "forget failures"),)

    def __init__(
        self,
        rows: Callable[[], Sequence[Health]],
        reset: Callable[[str], None],
        chosen: str,
    ) -> None:
        super().__init__(
            "Providers · Enter switches, the conversation stays",
            lambda query: provider_rows(rows(), query, chosen),
            empty="No such provider.",
        )
        self._reset = reset

    def action_reset(self) -> None:
        """Gives the highlighted provider a fresh start."""
        value = self.highlighted_value()
        if value and value != AUTOMATIC:
            self._reset(value)
            self.refresh_rows()
