"""The cost panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from aircher.tui.figures import Figures, spend_tag, spend_words
from aircher.tui.words import bar, clip, count, money, price

if TYPE_CHECKING:  # annotations only: the first frame needs none of it
    from aircher.domain.budget import CapState
    from aircher.domain.usage import Spend

Line = Content
_WIDTH = 30
_NONE = "-"


def _row(label: str, value: str, style: str = "") -> Line:
    """A label on the left, its value on the right."""
    gap = max(1, _WIDTH - len(label) - len(value))
    return Content.assemble((label, "$muted"), " " * gap, (value, style))


def _spend_row(label: str, spend: Spend | None) -> Line:
    if spend is None:
        return _row(label, _NONE, "$muted")
    return _row(label, spend_words(spend))


def _limit_rows(
    label: str, spend: Spend | None, state: CapState | None, alert: float
) -> list[Line]:
    """Spent of the limit, and a thin bar that says in words when it gets tight."""
    if spend is None or state is None:
        return [_spend_row(label, spend)]
    limit = state.cap.limit_nano
    used = state.spent_nano + state.held_nano
    share = used / limit if limit else 1.0
    full = "passed; only warns" if state.cap.soft else "limit reached"
    style = "$error" if share >= 1 else "$warning" if share >= alert else "$success"
    word = full if share >= 1 else "near limit" if share >= alert else f"{share:.0%}"
    filled, empty = bar(used, limit, _WIDTH - len(word) - 1)
    value = f"{money(spend.nano_usd, spend_tag(spend))} of {money(limit)}"
    return [
        _row(label, value),
        Content.assemble((filled, style), (empty, "$panel-lighten-1"), " ", (word, style)),
    ]


def lines(figures: Figures, day_cap: CapState | None, month_cap: CapState | None) -> list[Line]:
    """The whole panel as lines of text."""
    reply = price(figures.reply) if figures.reply is not None else _NONE
    if figures.held is not None and figures.reply is None:
        reply = f"at most {money(figures.held)}" if figures.held else "free"
    tokens = figures.tokens
    speed = f"{figures.tokens_per_s:.0f} tokens/s" if figures.tokens_per_s else _NONE
    label = "This reply" if figures.reply_live else "Last reply"
    rows = [
        _row(label, reply, "bold"),
        _spend_row("This chat", figures.session),
        *_limit_rows("Today", figures.today, day_cap, figures.alert_threshold),
        *_limit_rows("Month", figures.month, month_cap, figures.alert_threshold),
    ]
    if figures.projected:
        rows.append(_row("Month at this pace", money(figures.projected, "estimated")))
    if figures.saved is not None and figures.baseline:
        than = clip(figures.baseline, 12 if figures.saved < 0 else 14)
        if figures.saved >= 0:
            rows.append(_row(f"Saved vs {than}", money(figures.saved, "estimated"), "$success"))
        else:
            rows.append(_row(f"More than {than}", money(-figures.saved, "estimated"), "$warning"))
    known = tokens.input is not None or tokens.output is not None
    flow = f"{count(tokens.input)} in · {count(tokens.output)} out" if known else _NONE
    return [*rows, _row("Tokens", flow), _row("Speed", speed)]


class CostPanel(Static):
    """Shows ``Figures``; told when they change."""

    figures: reactive[Figures] = reactive(Figures(), init=False)
    day_cap: CapState | None = None
    month_cap: CapState | None = None
    _height = 0

    def on_mount(self) -> None:
        """Draws the empty panel."""
        self.border_title = "Cost"
        self.watch_figures()

    def watch_figures(self) -> None:
        """Redraws; the screen is laid out anew only for another number of lines."""
        rows = lines(self.figures, self.day_cap, self.month_cap)
        self.update(Content("\n").join(rows), layout=len(rows) != self._height)
        self._height = len(rows)
