"""Providers on the screen: states in words, countdowns, resets, looks while somebody is there."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from textual import events

from aircher.domain.events import Queued
from aircher.domain.health import Health, ModelHealth
from aircher.domain.limits import RateLimit
from aircher.tui.screens.providers import ProviderScreen, details
from aircher.tui.screens.sheet import SheetScreen
from aircher.tui.widgets.providers import ProviderPanel, lines, state_words
from tests.support import engine as fake
from tests.tui.app_fixture import chat, line_text, say, shown, until


def panel_text(app) -> str:
    return str(app.screen_stack[0].query_one(ProviderPanel).render())


async def test_a_pause_is_counted_down_in_the_panel_with_its_reason():
    async with chat() as (app, pilot, _):
        await until(lambda: "paused 48 s" in panel_text(app))
        assert "overloaded 5 times" in panel_text(app)
        panel = app.screen_stack[0].query_one(ProviderPanel)
        panel.now = fake.NOW + timedelta(seconds=7)
        await pilot.pause()
        assert "paused 41 s" in panel_text(app)


def test_every_state_is_told_by_a_sign_and_a_word():
    rows = [
        Health("a", "healthy", latency_p50=0.6),
        Health("b", "degraded", latency_p50=12.0),
        Health("c", "degraded", failures=2),
        Health("d", "unhealthy", last_error="no connection"),
        Health("e", "unconfigured", note="no key"),
        Health("f"),
        Health("g", "unhealthy", breaker="half_open"),
    ]
    text = "\n".join(str(line) for line in lines(rows, "", fake.NOW))
    for word in (
        "ok 0.60 s",
        "slow 12 s",
        "unsteady",
        "failing",
        "not set up",
        "not tried",
        "trying",
    ):
        assert word in text
    assert len({str(line).split()[0] for line in lines(rows[:1] + rows[3:4], "", fake.NOW)}) > 1
    long = Health("h", "unhealthy", breaker="open", breaker_until=fake.NOW + timedelta(hours=1))
    assert state_words(long, fake.NOW) == "paused 60 min"


async def test_reset_by_key_and_by_command():
    async with chat() as (app, pilot, services):
        await pilot.press("shift+f4")
        assert services.health.was_reset == ["openai", "claude", "local"]
        await say(app, pilot, f"/reset {fake.SONNET}")
        assert services.health.was_reset[-1] == str(fake.SONNET)
        await say(app, pilot, "/reset claude/claude-sonnet")
        assert services.health.was_reset[-1] == str(fake.SONNET)
        assert f"Did you mean {fake.SONNET}?" in shown(app)
        await say(app, pilot, "/reset nosuch")
        assert "No provider is named 'nosuch'" in shown(app)


async def test_the_list_shows_details_and_asks_now():
    async with chat() as (app, pilot, services):
        looked = services.health.looked

        class Listing:
            async def models(self):
                return ()

        async def get(name):
            return Listing()

        services.providers.get = get
        await pilot.press("f4")
        await pilot.pause()
        assert isinstance(app.screen, ProviderScreen)
        await pilot.press("down", "down", "ctrl+t")
        await until(lambda: looked == ["claude"])
        await pilot.press("tab")
        await pilot.pause()
        assert isinstance(app.screen, SheetScreen)
        facts = dict(app.screen.sections[0].rows)
        assert facts["State"] == "✕ paused 48 s"
        assert facts["Last error"] == "overloaded (529)"
        await pilot.press("escape", "escape")
        assert len(app.screen_stack) == 1


def test_the_details_tell_models_and_limits():
    row = Health(
        "openai", "healthy", "m", calls=3, latency_p50=0.5, latency_p95=0.9, latency_p99=1.2,
        models=(ModelHealth("m", limits=(RateLimit("requests", 49, 50, 1.0),)),),
    )  # fmt: skip
    health, models = details(row, fake.NOW)
    assert dict(health.rows)["p99"] == "1.2 s"
    assert models.rows == (("m", "49 of 50 requests left"),)


async def test_a_call_that_waits_for_its_turn_counts_down_and_says_so_once():
    async with chat() as (app, pilot, services):
        gate = asyncio.Event()
        steps = fake.answer("done")
        why = "your limit of 2 requests a minute"
        at = next(i for i, step in enumerate(steps) if type(step).__name__ == "Started")
        services.engine.scripts.append(
            [
                *steps[:at],
                Queued(fake.MINI, 2, 40.0, why),
                Queued(fake.MINI, 1, 20.0, why),
                gate,
                *steps[at:],
            ]
        )
        await say(app, pilot, "hello")
        await until(lambda: "its turn in" in line_text(app, "#status"))
        assert "in 20 s" in line_text(app, "#status") or "in 19 s" in line_text(app, "#status")
        assert shown(app).count("your limit of 2 requests a minute") == 1
        assert "number 2 in the queue" in shown(app)
        await pilot.press("f8")
        assert services.engine.skipped == 1
        gate.set()
        await until(lambda: "done" in shown(app))
        assert "its turn in" not in line_text(app, "#status")


class Impatient(fake.FixedClock):
    """Sleeps of minutes take no time; the test says how long the user has been away."""

    def __init__(self) -> None:
        self.away = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.away

    async def sleep(self, seconds: float) -> None:
        await super().sleep(0.01)


async def test_quiet_providers_are_looked_at_only_while_somebody_is_there():
    clock = Impatient()
    given = fake.services(clock=clock)
    looked = given.health.looked

    class Listing:
        async def models(self):
            return ()

    async def get(name):
        return Listing()

    given.providers.get = get
    async with chat(services=given) as (app, pilot, _):
        await until(lambda: {"openai", "claude"} <= set(looked))
        clock.away = 120.0
        assert app.somebody_is_there  # the terminal has the focus
        app.post_message(events.AppBlur())
        await until(lambda: not app.somebody_is_there)
        await pilot.pause(0.05)
        seen = len(looked)
        await pilot.pause(0.1)
        assert len(looked) == seen
        await pilot.press("a")
        await until(lambda: len(looked) > seen)


async def test_an_interval_of_nothing_means_never():
    given = fake.settings()
    given = replace(given, health=replace(given.health, check_every_s=0))
    async with chat(services=fake.services(given, Impatient())) as (_, pilot, services):
        await pilot.pause(0.1)
        assert services.health.looked == []
