"""The provider panel: how each provider is doing, in a dot, a word and a number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from aircher.domain.health import ELSEWHERE
from aircher.tui.words import clip, seconds

if TYPE_CHECKING:  # annotations only: the first frame needs none of it
    from aircher.domain.health import Health

_WIDTH = 30
STATES: dict[str, tuple[str, str, str]] = {
    "healthy": ("●", "ok", "$success"),
    "degraded": ("◐", "slow", "$warning"),
    "unhealthy": ("✕", "failing", "$error"),
    "unconfigured": ("○", "not set up", "$muted"),
    "unknown": ("○", "not tried", "$muted"),
}
"""State -> sign, word, colour: the sign and the word say it without colour too."""


def state_of(health: Health) -> tuple[str, str, str]:
    """Sign, word and colour; an open breaker comes before the state."""
    if health.note == ELSEWHERE:
        return "○", "not local", "$muted"
    if health.breaker == "open" and health.state == "unhealthy":
        return "✕", "paused", "$error"
    if health.breaker == "half_open":
        return "◐", "trying", "$warning"
    if health.state == "degraded" and health.failures:
        return "◐", "unsteady", "$warning"
    return STATES[health.state]


def state_words(health: Health, now: datetime | None) -> str:
    """The state's word, and how long a pause still takes."""
    word = state_of(health)[1]
    until = health.breaker_until
    if word != "paused" or until is None or now is None:
        return word
    left = max(0.0, (until - now).total_seconds())
    return f"paused {left:.0f} s" if left < 99.5 else f"paused {left / 60:.0f} min"


def _cause(health: Health) -> str:
    """Why it is paused, in a few words; "" where it is not."""
    return health.note.partition(" (")[2].removesuffix(")") if health.breaker == "open" else ""


def reason(health: Health) -> str:
    """Why it is not simply fine: the note without its countdown, the last error."""
    cause = _cause(health)
    error = "" if health.state == "healthy" else health.last_error
    if cause:
        return f"{cause}: {error}".rstrip(": ")
    return health.note or error


def lines(
    rows: Sequence[Health], current: str, now: datetime | None = None, width: int = _WIDTH
) -> list[Content]:
    """Two lines per usable provider, one for those that are not set up."""
    out: list[Content] = []
    for row in rows:
        sign, _, colour = state_of(row)
        word = state_words(row, now)
        here = row.provider == current
        left = clip(row.provider, 14)
        speed = seconds(row.latency_p50) if row.state in {"healthy", "degraded"} else ""
        right = f"{word} {speed}".strip()
        gap = max(1, width - 4 - len(left) - len(right))
        out.append(
            Content.assemble(
                ("▸" if here else " ", "$accent"),
                (f" {sign} ", colour),
                (left, "bold" if here else ""),
                " " * gap,
                (right, colour),
            )
        )
        detail = (_cause(row) or reason(row)).removeprefix(f"{row.provider} ") or row.model
        if detail and row.state != "unconfigured":
            out.append(Content.assemble("    ", (clip(detail, width - 4), "$muted")))
    return out


class ProviderPanel(Static):
    """Shows health rows; ``current`` is the provider that answers next,
    ``now`` the time that a pause is counted down to.
    """

    rows: reactive[tuple[Health, ...]] = reactive((), init=False)
    current: reactive[str] = reactive("", init=False)
    now: reactive[datetime | None] = reactive(None, init=False)
    _height = 0

    def on_mount(self) -> None:
        """Draws the empty panel."""
        self.border_title = "Providers"
        self._draw()

    def watch_rows(self) -> None:
        """Redraws."""
        self._draw()

    def watch_current(self) -> None:
        """Redraws."""
        self._draw()

    def watch_now(self) -> None:
        """Counts down; nothing else changes with time alone."""
        if any(row.breaker == "open" for row in self.rows):
            self._draw()

    def _draw(self) -> None:
        if not self.rows:
            self.update(Content.styled("looking…", "$muted"))
            return
        shown = lines(self.rows, self.current, self.now)
        # The screen is laid out anew only for another number of lines.
        self.update(Content("\n").join(shown), layout=len(shown) != self._height)
        self._height = len(shown)
