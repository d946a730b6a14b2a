"""The line under the prompt: what would happen on Enter, and what happens now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from aircher.domain.classes import dataclass
from aircher.domain.inert import inert
from aircher.domain.tasks import task_name
from aircher.tui.words import clip, money, price

if TYPE_CHECKING:  # annotations only: the first frame needs none of it
    from aircher.domain.routes import Estimate

_UNSURE = 0.3
"""Below this a task is a guess, as detection itself says."""

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


@dataclass(frozen=True, slots=True)
class StatusView:
    """What the line shows.

    ``activity`` is what goes on now ("writing", "trying again in 3 s"); while it is set the
    price to come gives way to it.  ``confidence`` (0..1) is how sure the task is, None where there
    is nothing to be sure of.  ``fixed_model`` and ``fixed_task`` say that the user chose;
    ``local``, that nothing leaves this machine.
    ``over`` names the limit that the request could break, and by which it would be refused.
    ``money_line`` is filled where the sidebar is hidden; ``money_alert``: a limit is near.
    """

    task: str = ""
    model: str = ""
    estimate: Estimate | None = None
    fixed_model: bool = False
    fixed_task: bool = False
    local: bool = False
    activity: str = ""
    problem: str = ""
    title: str = ""
    over: str = ""
    money_line: str = ""
    money_alert: bool = False
    below: int = 0
    confidence: float | None = None


def cost_words(estimate: Estimate, *, short: bool = False) -> str:
    """The price before sending: "free", "~$0.0012, at most $0.02", or that it is unknown."""
    likely, worst = estimate.likely, estimate.worst
    if worst.nano_usd == 0 and worst.tag == "exact":
        return "free"
    if likely.nano_usd is None:
        return "price unknown"
    mark = "" if price(likely).startswith("~") else "~"
    most = " ≤ " if short else ", at most "
    limit = most + money(worst.nano_usd) if worst.nano_usd is not None else ""
    return f"{mark}{price(likely)}{limit}"


def _plan(view: StatusView, *, short: bool) -> Content:
    """What Enter would do: task, model, price."""
    if view.problem:
        return Content.styled(" ".join(inert(view.problem).split()), "$error")
    if not view.model:
        return Content.styled("starting…", "$muted")
    parts: list[tuple[str, str]] = []
    if view.estimate is None:
        parts.append(("next: ", "$muted"))
    if view.task:
        by_you = " (your choice)" if view.fixed_task and not short else "*" * view.fixed_task
        parts += [(task_name(view.task), "bold $secondary"), (by_you, "$accent")]
        parts += [(_sure(view), "$muted"), (" → ", "$muted")]
    parts.append((inert(view.model), "bold $primary"))
    if view.fixed_model:
        parts.append(("*" if short else " (your choice)", "$accent"))
    if view.estimate is not None:
        words = cost_words(view.estimate, short=short)
        parts.append(("  costs " if "$" in words and not short else "  ", "$muted"))
        parts.append((words, "bold $foreground"))
        if view.over:
            limit = view.over.removeprefix("costs.").replace("_", " ")
            parts.append((" over limit" if short else f", above your {limit}", "bold $warning"))
    return Content.assemble(*parts)


def _sure(view: StatusView) -> str:
    """How sure the task is: " 72%", " unsure", or nothing where the user chose it."""
    if view.confidence is None or view.fixed_task:
        return ""
    return f" {view.confidence:.0%}" if view.confidence >= _UNSURE else " unsure"


def _right(view: StatusView, *, short: bool) -> Content:
    """What came below the view, and money or the chat's name."""
    parts: list[tuple[str, str]] = []
    if view.below:
        parts.append((f"↓ {view.below} lines below ", "bold $accent"))
    if not short:
        colour = "bold $warning" if view.money_line and view.money_alert else "$muted"
        parts.append((view.money_line or clip(view.title, 28), colour))
    return Content.assemble(*parts)


def line(view: StatusView, width: int, spinner: str = "") -> Content:
    """The whole line; what does not fit is first said shorter, then left out on the right."""
    left, right = Content(""), _right(view, short=True)
    for short_right, short_left in ((False, False), (False, True), (True, False), (True, True)):
        right = _right(view, short=short_right)
        if view.activity:
            left = Content.assemble(
                (f"{spinner} ", "$accent"), (inert(view.activity), "$foreground")
            )
        else:
            left = _plan(view, short=short_left)
        if view.local:
            left = Content.assemble((" LOCAL ", "bold reverse $success"), " ", left)
        if left.cell_length + right.cell_length + 2 <= width:
            break
    room = width - right.cell_length - 1
    left = left.truncate(max(0, room), ellipsis=True)
    gap = max(1, width - left.cell_length - right.cell_length)
    return Content.assemble(left, " " * gap, right).truncate(width)


class StatusLine(Static):
    """Shows a ``StatusView``; turns a spinner while something goes on."""

    view: reactive[StatusView] = reactive(StatusView(), init=False)
    _frame = 0

    def on_mount(self) -> None:
        """Draws once, and gets the spinner's clock ready."""
        self._timer = self.set_interval(0.12, self._turn, pause=True)
        self._draw()

    def on_resize(self) -> None:
        """The gap depends on the width."""
        self._draw()

    def watch_view(self, old: StatusView, new: StatusView) -> None:
        """Redraws; the spinner runs only while there is something to wait for."""
        if bool(old.activity) != bool(new.activity):
            if new.activity:
                self._timer.resume()
            else:
                self._timer.pause()
        self._draw()

    def _turn(self) -> None:
        self._frame += 1
        self._draw()

    def _draw(self) -> None:
        width = self.content_size.width or 80
        shown = line(self.view, width, SPINNER[self._frame % len(SPINNER)])
        self.update(shown, layout=False)  # one line it stays: the screen keeps its layout
