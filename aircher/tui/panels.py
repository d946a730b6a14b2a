"""Keeps the sidebar, the status line, the welcome and the key bar up to date."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

from textual.timer import Timer

from aircher.domain.errors import AircherError
from aircher.policy.windows import day_start, month_start
from aircher.tui.attaching import Attaching
from aircher.tui.figures import (
    alert_level,
    broken_limit,
    overall_cap,
    spend_tag,
    spends,
)
from aircher.tui.widgets.costs import CostPanel
from aircher.tui.widgets.keybar import Hint, KeyBar
from aircher.tui.widgets.welcome import Welcome
from aircher.tui.words import clip, day, money, sentence

TYPING_PAUSE_S = 0.15
"""How long the typing must rest before the plan is worked out anew."""

WIDE = 100
"""From this many columns on there is room for the sidebar."""

_IDLE = (
    ("provider.next", "model", "next_model(1)"),
    ("task.choose", "task", "choose_task"),
    ("sessions.show", "chats", "sessions"),
    ("costs.show", "costs", "costs"),
    ("provider.panel", "providers", "providers"),
    ("palette.open", "everything", "command_palette"),
    ("session.new", "new chat", "new_chat"),
)
_ASKED = (
    ("question.yes", "yes", ""),
    ("question.no", "no", ""),
    ("reply.stop", "no", "stop"),
    ("app.interrupt", "stop the answer", "interrupt"),
)
_BUSY = (
    ("reply.stop", "stop the answer", "stop"),
    ("prompt.complete", "send next", ""),
    ("provider.next", "model", "next_model(1)"),
    ("code.copy", "copy code", "copy_code"),
)


_NO_MODEL = (
    "nothing that could answer. Any of these will do:",
    "set a key such as OPENAI_API_KEY or ANTHROPIC_API_KEY,",
    "start Ollama, or run: aircher local pull",
)
"""What the welcome says where no provider can be used."""

_NONE_HERE = (
    "no model on this machine, where all must stay now.",
    "Start Ollama, or run: aircher local pull",
)
"""The same where another machine's would not be asked."""


class Panels(Attaching):
    """Reads the ports and hands values to the widgets."""

    _typing: Timer | None = None

    def refresh_panels(self) -> None:
        """Costs and providers as they are now (a few short database reads)."""
        if self.services is None or self.leaving:
            return
        services, screen = self.services, self.home
        now = services.clock.now()
        caps = tuple(services.engine.budget())
        session, today, month = spends(services.ledger, now, self.chat.session_id)
        panel = screen.query_one(CostPanel)
        panel.day_cap = overall_cap(caps, day_start(now))
        panel.month_cap = overall_cap(caps, month_start(now))
        panel.figures = replace(
            panel.figures,
            session=session,
            today=today,
            month=month,
            caps=caps,
            alert_threshold=services.settings.alert_threshold,
        )
        self._show_money()
        self.show_health()
        self.work(self._add_up, "add-up")

    async def _add_up(self) -> None:
        """The month's projection and savings: sums over many rows, so in a thread."""
        if self.services is None:
            return
        from aircher.reports.projection import projected_month, rows_needed_since
        from aircher.reports.savings import saved

        services = self.services
        now, baseline = services.clock.now(), services.settings.baseline
        if baseline is not None and services.catalog.facts(baseline).free:
            baseline = None  # nothing can be saved against what costs nothing
        rows = services.usage.rows(rows_needed_since(now))
        begin = month_start(now)

        def sums() -> tuple[int | None, int | None]:
            of_month = [row for row in rows if row.at >= begin]
            gain = None
            if baseline is not None and any(row.cost.nano_usd for row in of_month):
                gain = saved(of_month, services.catalog, baseline).nano_usd
            return projected_month(rows, now), gain

        projection, gain = await asyncio.to_thread(sums)
        if self.leaving:
            return
        panel = self.home.query_one(CostPanel)
        panel.figures = replace(
            panel.figures,
            projected=projection,
            saved=gain,
            baseline=baseline.model if baseline else "",
        )

    def _show_money(self) -> None:
        """Where the sidebar is hidden, today's spending moves to the status line."""
        if self.services is None:
            return
        panel = self.home.query_one(CostPanel)
        today, cap = panel.figures.today, panel.day_cap
        line = ""
        if today is not None and not self.sidebar_shown:
            limit = f" of {money(cap.cap.limit_nano)}" if cap else ""
            line = f"today {money(today.nano_usd, spend_tag(today))}{limit}"
        level = alert_level(cap, panel.figures.alert_threshold) if cap else ""
        alert = bool(level)
        if line and level:  # in words too: colours are not seen by everybody
            line += ", limit reached" if level == "reached" else ", near limit"
        self.set_status(money_line=line, money_alert=alert, title=self.chat.title)

    @property
    def sidebar_shown(self) -> bool:
        """True while the sidebar is on the screen."""
        screen = self.home
        if screen.has_class("-with-sidebar"):
            return True
        return self.size.width >= WIDE and not screen.has_class("-without-sidebar")

    def action_toggle_sidebar(self) -> None:
        """Shows or hides the sidebar."""
        shown = self.sidebar_shown
        screen = self.home
        screen.set_class(not shown, "-with-sidebar")
        screen.set_class(shown, "-without-sidebar")
        self._show_money()

    def on_resize(self) -> None:
        """The sidebar may have come or gone."""
        if self.services is not None:
            self._show_money()

    # -- what Enter would do

    def plan_ahead(self, *, at_once: bool = False) -> None:
        """Works out the plan after a pause in typing; an older one under way is dropped."""
        if self._typing is not None:
            self._typing.stop()
        if self.services is None:
            return
        if at_once:
            self._plan_now()
        else:
            self._typing = self.set_timer(TYPING_PAUSE_S, self._plan_now)

    def _plan_now(self) -> None:
        if self.leaving:
            return
        text = self.prompt.whole_text.strip()
        self.workers.cancel_group(self, "preview")
        if not text or text.startswith("/"):
            self.chat.preview, self.chat.problem = None, ""
            self._show_plan()
            return
        self.work(partial(self._preview, text), "preview")

    async def _preview(self, text: str) -> None:
        if self.services is None:
            return
        from aircher.domain.turns import TurnRequest

        chat = self.chat
        files = await self.mentioned(text)
        request = TurnRequest(
            text,
            chat.session_id,
            attachments=tuple(files.values()),
            files=tuple(files),
            wish=chat.wish,
        )
        try:
            chat.preview, chat.problem = await self.services.engine.preview(request), ""
        except AircherError as error:
            chat.preview, chat.problem = None, f"{sentence(error.message)} {error.hint}".strip()
        self._show_plan()

    def _show_plan(self) -> None:
        """The plan in the status line and in the provider panel."""
        if self.leaving:
            return
        chat, preview = self.chat, self.chat.preview
        standing = self.standing_model()
        ref = preview.plan.first.ref if preview else standing
        if self.services is not None and standing is None and not chat.problem:
            chat.problem = (
                "No model here yet: start Ollama, or run `aircher local pull`."
                if chat.wish.local
                else "No model is set up yet: /config says what is missing."
            )
        over = ""
        if preview and self.services is not None:
            caps = self.home.query_one(CostPanel).figures.caps
            first, task = preview.plan.first, preview.detection.task
            over = broken_limit(first, task, caps, self.services.settings.limits)
        self.set_status(
            over=over,
            task=preview.detection.task if preview else chat.wish.task,
            confidence=preview.detection.confidence if preview else None,
            model=str(ref) if ref else "",
            estimate=preview.plan.first.estimate if preview else None,
            fixed_model=bool(chat.wish.provider or chat.wish.model),
            fixed_task=bool(chat.wish.task),
            local=self.stays_here,
            problem=chat.problem,
            title=chat.title,
        )
        self.show_health()
        self.show_hints()

    # -- words for newcomers

    def show_hints(self) -> None:
        """The keys that matter now, most wanted first."""
        table = _ASKED if self.chat.asked else _BUSY if self.chat.busy else _IDLE
        hints: list[Hint] = [(self.key(key), word, action) for key, word, action in table]
        if not self.chat.busy:
            if self.chat.preview or self.chat.latest or self.chat.session_id:
                hints.insert(2, (self.key("choice.explain"), "why", "explain"))
            if self.chat.wish.model or self.chat.wish.provider or self.chat.wish.task:
                hints.insert(1, (self.key("choice.automatic"), "automatic", "automatic"))
        hints.append((self.key("help.show"), "help", "help"))
        self.home.query_one(KeyBar).hints = tuple(hints)

    def show_welcome(self) -> None:
        """Who answers, what was found, and the keys to know."""
        welcome = self.home.query_one(Welcome)
        hints = [
            ("Enter", "send; the price is shown before you do"),
            (self.key("reply.stop"), "stop an answer and keep what came"),
            (self.key("provider.next"), "next model or provider, also mid-chat"),
            (self.key("sessions.show"), "earlier chats, with search"),
            (self.key("help.show"), "all keys and commands"),
            (self.key("app.leave"), "quit; nothing is lost"),
        ]
        if self.services is None:
            welcome.show("", (), hints)
            return
        settings = self.services.settings
        ref = self.standing_model()
        none = _NONE_HERE if self.stays_here else _NO_MODEL
        last = next((info for info in self.services.sessions.list(limit=5) if info.messages), None)
        welcome.show(
            str(ref) if ref else "no model yet",
            [clip(one, 70) for one in settings.found] if ref else list(none),
            hints,
            len(settings.problems),
            f"{clip(last.title, 50)} ({day(last.updated, self.services.clock.now())})"
            if last and last.title
            else "",
        )
