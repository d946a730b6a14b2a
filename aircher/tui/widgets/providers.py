"""The provider panel: how each provider is doing, in a dot, a word and a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

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
    if health.breaker == "open":
        return "✕", "paused", "$error"
    if health.breaker == "half_open":
        return "◐", "trying", "$warning"
    return STATES[health.state]


def reason(health: Health) -> str:
    """Why it is not simply fine: the note, else the last error of one that is not healthy."""
    if health.breaker == "open" and health.breaker_until is not None:
        return f"paused until {health.breaker_until:%H:%M:%S}: {health.last_error}".rstrip(": ")
    return health.note or ("" if health.state == "healthy" else health.last_error)


def lines(rows: Sequence[Health], current: str, width: int = _WIDTH) -> list[Content]:
    """Two lines per usable provider, one for those that are not set up."""
    out: list[Content] = []
    for row in rows:
        sign, word, colour = state_of(row)
        here = row.provider == current
        left = clip(row.provider, 14)
        right = f"{word} {seconds(row.latency_p50)}".strip()
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
        detail = reason(row).removeprefix(f"{row.provider} ") or row.model
        if detail and row.state != "unconfigured":
            out.append(Content.assemble("    ", (clip(detail, width - 4), "$muted")))
    return out


class ProviderPanel(Static):
    """Shows health rows; ``current`` is the provider that answers next."""

    rows: reactive[tuple[Health, ...]] = reactive((), init=False)
    current: reactive[str] = reactive("", init=False)
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

    def _draw(self) -> None:
        if not self.rows:
            self.update(Content.styled("looking…", "$muted"))
            return
        shown = lines(self.rows, self.current)
        # The screen is laid out anew only for another number of lines.
        self.update(Content("\n").join(shown), layout=len(shown) != self._height)
        self._height = len(shown)
