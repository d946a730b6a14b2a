"""What the panels say about money: free, at most, unknown, near a limit."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from aircher.domain import events as ev
from aircher.domain.budget import Cap, CapState
from aircher.domain.settings import Limit
from aircher.domain.usage import FREE, UNKNOWN_COST, Cost, Spend
from aircher.tui.figures import Figures, alert_level, broken_limit, spend_words
from aircher.tui.widgets import costs
from aircher.tui.widgets.costs import CostPanel
from aircher.tui.widgets.status import StatusView, line
from aircher.tui.words import price
from tests.support import engine as fake
from tests.tui.app_fixture import chat, line_text, say, shown, until

NANO = 1_000_000_000


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        (FREE, "free"),
        (Cost(0, "estimated"), "~$0.00"),
        (UNKNOWN_COST, "?"),
        (Cost(2_100_000, "exact"), "$0.0021"),
    ],
)
def test_only_what_is_known_to_cost_nothing_is_free(cost, words):
    assert price(cost) == words


@pytest.mark.parametrize(
    ("spend", "words"),
    [
        (Spend(), "$0.00"),
        (Spend(0, calls=3), "free"),
        (Spend(0, calls=3, unknown=2), "2 of unknown price"),
        (Spend(NANO, calls=3, unknown=2), "$1.00 + 2 unknown"),
        (Spend(NANO, calls=3, estimated=1), "~$1.00"),
    ],
)
def test_a_sum_says_what_is_not_in_it(spend, words):
    assert spend_words(spend) == words


def text(figures):
    return "\n".join(row.plain for row in costs.lines(figures, None, None))


def test_a_reply_that_costs_nothing_yet_is_shown_by_what_it_may_cost():
    assert "at most $0.031" in text(Figures(reply_live=True, held=31_000_000))
    assert "free" in text(Figures(reply_live=True, held=0))


def test_a_baseline_that_is_dearer_and_one_that_is_cheaper_are_named():
    assert "Saved vs gpt-5" in text(Figures(saved=NANO, baseline="gpt-5"))
    assert "More than gpt-5" in text(Figures(saved=-NANO, baseline="gpt-5"))


@pytest.mark.parametrize("baseline", [fake.LOCAL, None])
async def test_nothing_is_saved_against_a_free_model(baseline):
    services = fake.services(fake.settings(baseline=baseline))
    async with chat(services=services) as (app, _, __):
        await until(lambda: app.home.query_one(CostPanel).figures.projected is not None)
        assert "Saved" not in line_text(app, "#costs")
        assert "More than" not in line_text(app, "#costs")


def _cap(spent, limit=10):
    return CapState(Cap("costs.daily_limit", limit * NANO, fake.NOW), int(spent * NANO))


@pytest.mark.parametrize(
    ("spent", "level"), [(0, ""), (7.99, ""), (8, "near"), (10, "reached"), (12, "reached")]
)
def test_a_limit_is_near_from_its_threshold_on(spent, level):
    assert alert_level(_cap(spent), 0.8) == level


@pytest.mark.parametrize(
    ("notify", "bells", "told"), [("bell", 1, 0), ("desktop", 1, 1), ("off", 0, 0)]
)
async def test_a_limit_that_comes_near_is_told_and_rung(monkeypatch, notify, bells, told):
    alert = ev.LimitAlert("costs.daily_limit", 0.8, 8, 10, "$8.40 of $10.00 is spent.")
    services = fake.services(fake.settings(ui={"notify": notify}))
    services.engine.scripts.append([*fake.answer("x")[:-1], alert, fake.answer("x")[-1]])
    async with chat(size=(80, 24), services=services) as (app, pilot, _):
        rung, written = [], []
        monkeypatch.setattr(app, "bell", lambda: rung.append(1))
        monkeypatch.setattr(app._driver, "write", written.append)
        await say(app, pilot, "one")
        await until(lambda: not app.chat.busy)
        await until(lambda: any("$8.40" in note.message for note in app._notifications))
        assert len(rung) == bells
        assert written.count("\x1b]9;$8.40 of $10.00 is spent.\x07") == told


@pytest.mark.parametrize(("spent", "word"), [(8.4, "near limit"), (10, "limit reached")])
async def test_a_small_screen_says_in_words_that_a_limit_is_near(spent, word):
    services = fake.services()
    since = fake.NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    services.engine.caps = (
        CapState(Cap("costs.daily_limit", 10 * NANO, since), int(spent * NANO)),
    )
    async with chat(size=(80, 24), services=services) as (app, _, __):
        await until(lambda: word in line_text(app, "#status"))


async def test_a_reply_stopped_before_its_first_word_leaves_no_figure():
    async with chat() as (app, pilot, services):
        services.engine.scripts.append([*fake.answer("x")[:4], asyncio.Event()])
        await say(app, pilot, "go")
        await until(lambda: "at most $0.031" in line_text(app, "#costs"))
        await pilot.press("escape")
        await until(lambda: not app.chat.busy)
        assert app.home.query_one(CostPanel).figures.reply is None
        assert "0.031" not in line_text(app, "#costs")
        assert shown(app).endswith("Stopped before an answer came.")


async def test_the_speed_is_that_of_the_call_whatever_was_waited_for_before_it():
    async with chat() as (app, pilot, services):
        *steps, last = fake.answer("x")
        call = ev.Attempt(fake.MINI, "ok", duration_s=2.4)
        result = replace(last.result, duration_s=62.4, attempts=(call,))  # a question took a minute
        services.engine.scripts.append([*steps, ev.Finished(result)])
        await say(app, pilot, "go")
        await until(lambda: not app.chat.busy)
        await until(lambda: "48 tokens/s" in line_text(app, "#costs"))


@pytest.mark.parametrize(
    ("spent", "request_limit", "name"),
    [
        (0, 0, ""),
        (9.98, 0, "costs.daily_limit"),
        (0, 30_000_000, "costs.per_request_limit"),
        (0, 31_000_000, ""),
    ],
)
def test_a_request_that_could_break_a_limit_is_known_before_enter(spent, request_limit, name):
    limits = [Limit("costs.per_request_limit", "request", request_limit)] if request_limit else []
    first = fake.plan("default", fake.MINI).first
    assert broken_limit(first, "default", [_cap(spent)], limits) == name
    assert broken_limit(fake.plan("default", fake.LOCAL).first, "default", [_cap(10)], limits) == ""


async def test_the_status_line_says_so():
    services = fake.services()
    services.engine.caps = (_cap(9.98),)
    async with chat(services=services) as (app, pilot, _):
        await pilot.press("x")
        await until(lambda: "above your daily limit" in line_text(app, "#status"))


@pytest.mark.parametrize(
    ("ref", "words"), [(fake.LOCAL, "  free"), (fake.MINI, "  costs ~$0.0018, at most $0.031")]
)
def test_the_price_reads_as_a_sentence(ref, words):
    view = StatusView("default", str(ref), fake.plan("default", ref).first.estimate)
    assert line(view, 100).plain.rstrip().endswith(words)
