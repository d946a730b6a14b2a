"""How providers are doing, on the screen: the panel, its countdowns, and looks at model lists."""

from __future__ import annotations

import asyncio
from functools import partial

from textual import events

from aircher.domain.errors import UsageError
from aircher.domain.health import ELSEWHERE, Health
from aircher.domain.models import ModelRef
from aircher.tui.base import BaseApp
from aircher.tui.widgets.providers import ProviderPanel

HEALTH_EVERY_S = 5.0
"""How often the data file is read for what other programs saw."""


class Looking(BaseApp):
    """Reads the health board; asks providers for their models now and then while somebody is there."""

    _last_input = 0.0
    """When the user last pressed a key or the mouse, by the clock's monotonic seconds."""

    def begin_looking(self) -> None:
        """Starts the timers and the looks, once the services are open."""
        if self.services is None:
            return
        self._last_input = self.services.clock.monotonic()
        self.set_interval(HEALTH_EVERY_S, self.show_health)
        self.set_interval(1.0, self._count_down_pauses)
        if self.services.settings.health.check_every_s > 0:
            self.work(self._look_regularly, "looks", exit_on_error=False)

    async def on_event(self, event: events.Event) -> None:
        """Notes when the user did something."""
        if isinstance(event, events.InputEvent) and self.services is not None:
            self._last_input = self.services.clock.monotonic()
        await super().on_event(event)

    @property
    def somebody_is_there(self) -> bool:
        """False while the user is idle and elsewhere; then no provider is asked anything."""
        if self.services is None or self.leaving:
            return False
        from aircher.policy.health import may_look

        idle = self.services.clock.monotonic() - self._last_input
        return may_look(focused=self.app_focus, idle_s=idle)

    async def _look_regularly(self) -> None:
        if self.services is None:
            return
        from aircher.engine.probe import look_regularly

        services = self.services
        looks = look_regularly(
            services.providers,
            services.health,
            services.clock,
            services.settings.health.check_every_s,
            lambda: self.somebody_is_there and not self.stays_here,
        )
        async for _ in looks:
            self.show_health()

    def show_health(self) -> None:
        """The provider panel."""
        if self.services is None or self.leaving:
            return
        panel = self.home.query_one(ProviderPanel)
        panel.now = self.services.clock.now()
        panel.rows = tuple(map(self._as_barred, self.services.health.all()))
        if not self.chat.busy:  # while an answer runs, the panel points at who gives it
            plan = self.chat.preview.plan if self.chat.preview else None
            chosen = plan.first.ref if plan else self.standing_model()
            panel.current = chosen.provider if chosen else ""

    def _as_barred(self, row: Health) -> Health:
        """The row as it is while nothing may leave this machine."""
        services = self.services
        if services is None or not self.stays_here or row.state == "unconfigured":
            return row
        if row.provider in services.settings.rules.local:
            return row
        return Health(row.provider, "unconfigured", note=ELSEWHERE)

    def _count_down_pauses(self) -> None:
        """The seconds of a pause, without a look into the data file until it is over."""
        if self.services is None or self.leaving:
            return
        for panel in self.home.query(ProviderPanel):
            ends = [row.breaker_until for row in panel.rows if row.breaker_until is not None]
            if ends:
                panel.now = self.services.clock.now()
                if min(ends) <= panel.now:
                    self.show_health()

    # -- what the user can do

    def reset_provider(self, wanted: str) -> None:
        """/reset NAME[/MODEL]; without a name all of them."""
        if self.services is None:
            return
        from aircher.policy.health import models_seen
        from aircher.policy.route import provider_or_model

        rules, health = self.services.settings.rules, self.services.health
        name = wanted.strip()
        try:
            found = provider_or_model(name, rules, models_seen(health.all())) if name else None
        except UsageError as error:
            self.tell(f"{error.message} {error.hint}")
            return
        refs = (found,) if found else [ModelRef(provider, "") for provider in rules.order]
        for ref in refs:
            health.reset(ref.provider, ref.model)
        self.show_health()
        self.plan_ahead(at_once=True)
        what = str(found) if found else "Every provider"
        self.notify(f"{what} may be asked again; its failures are forgotten.", markup=False)

    def action_reset_providers(self) -> None:
        """Lets everything that is paused be tried again."""
        self.reset_provider("")

    def probe_provider(self, name: str) -> None:
        """Asks one provider for its model list now."""
        here = self.services.settings.rules.local if self.services is not None else {}
        if self.stays_here and name not in here:
            self.notify(f"{name} is not asked: this chat stays here.", markup=False)
            return
        self.work(partial(self._probe, name), f"probe-{name}", exit_on_error=False)

    async def _probe(self, name: str) -> None:
        if self.services is None:
            return
        from aircher.engine.probe import probe

        await probe(self.services.providers, self.services.health, self.services.clock, name)
        self.show_health()
        await asyncio.sleep(0)
        if len(self.screen_stack) > 1 and hasattr(self.screen, "refresh_rows"):
            self.screen.refresh_rows()

    def action_providers(self) -> None:
        """The provider screen: Enter switches."""
        if self.services is None:
            return
        from aircher.tui.screens.providers import ProviderScreen

        board = self.services.health

        def done(value: str | None) -> None:
            if value:
                self.choose_by_name(value)

        screen = ProviderScreen(
            board.all,
            self.services.clock.now,
            self.chat.wish.provider,
            reset=self.reset_provider,
            probe=self.probe_provider,
        )
        self.push_screen(screen, done)
