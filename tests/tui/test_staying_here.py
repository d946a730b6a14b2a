"""/local: the badge, what is asked, and the way back."""

from __future__ import annotations

from dataclasses import replace

from aircher.domain.events import Guarded
from aircher.domain.guarding import Finding
from aircher.domain.settings import PrivacySettings
from aircher.tui.screens.pick import PickScreen
from aircher.tui.widgets.providers import ProviderPanel, lines
from tests.support import engine as fake
from tests.tui.app_fixture import chat, line_text, say, shown, until


async def test_local_shows_a_badge_and_goes_with_every_request():
    async with chat() as (app, pilot, services):
        assert "LOCAL" not in line_text(app, "#status")
        await say(app, pilot, "/local")
        await until(lambda: "LOCAL" in line_text(app, "#status"))
        await say(app, pilot, "hello")
        await until(lambda: len(services.engine.requests) == 1 and not app.chat.busy)
        assert services.engine.requests[0].wish.local
        await pilot.press("f6")  # automatic: the choice of a model goes, the privacy stays
        assert app.chat.wish.local
        await say(app, pilot, "/local off")
        await until(lambda: "LOCAL" not in line_text(app, "#status"))
        await say(app, pilot, "hello again")
        await until(lambda: len(services.engine.requests) == 2)
        assert not services.engine.requests[1].wish.local


async def test_what_the_configuration_keeps_here_no_command_lets_go():
    given = replace(fake.settings(), privacy=PrivacySettings(local=True))
    async with chat(services=fake.services(given)) as (app, pilot, _):
        await until(lambda: "LOCAL" in line_text(app, "#status"))
        await say(app, pilot, "/local off")
        await until(lambda: "keeps everything on this machine" in shown(app))
        assert "LOCAL" in line_text(app, "#status")


async def test_models_and_providers_elsewhere_are_barred_while_all_stays_here():
    async with chat() as (app, pilot, _):
        panel = app.home.query_one(ProviderPanel)
        assert "not local" not in lines_of(panel)
        await say(app, pilot, "/local")
        await until(lambda: "not local" in lines_of(panel))
        assert lines_of(panel).count("not local") == len(
            [row for row in panel.rows if row.provider != "local"]
        )
        await pilot.press("f7")
        await until(lambda: isinstance(app.screen, PickScreen))
        rows = [row.value for row in app.screen._rows]
        assert rows
        assert all(value == "auto" or value.startswith("local/") for value in rows)


def lines_of(panel: ProviderPanel) -> str:
    return "\n".join(line.plain for line in lines(panel.rows, panel.current))


async def test_what_was_taken_out_is_told_in_the_chat():
    async with chat() as (app, pilot, services):
        found = Finding("github-pat", "src/app.py", 3, "redact", "0123456789ab")
        services.engine.scripts.append([Guarded((found,)), *fake.answer("ok")])
        await say(app, pilot, "look at this")
        await until(lambda: "github-pat in src/app.py:3" in shown(app))
        assert "aircher guard allow 0123456789ab" in shown(app)


async def test_a_chat_that_stays_here_looks_at_no_provider_elsewhere():
    """Not regularly, and not when a probe is asked for by hand."""
    async with chat() as (app, pilot, services):
        await say(app, pilot, "/local on")
        await until(lambda: app.stays_here)
        services.providers.asked.clear()
        app.probe_provider("openai")
        await pilot.pause()
        assert services.providers.asked == []
