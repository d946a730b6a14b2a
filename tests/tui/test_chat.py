"""A chat from the first key to the last number."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from aircher.domain import events as ev
from aircher.domain.chat import RefusalDelta, TextDelta, ThinkingDelta
from aircher.domain.errors import (
    AuthenticationFailed,
    NoModel,
    OverBudget,
    Overloaded,
    StorageError,
)
from aircher.domain.events import TurnResult
from aircher.domain.messages import assistant
from aircher.domain.models import ModelRef
from aircher.domain.usage import Cost
from aircher.tui.widgets.costs import CostPanel
from aircher.tui.widgets.providers import ProviderPanel
from tests.support import engine as fake
from tests.tui.app_fixture import chat, line_text, say, shown, type_text, until


async def test_a_message_is_sent_and_the_answer_streams_in_with_its_price():
    async with chat() as (app, pilot, services):
        services.engine.scripts.append(fake.answer("Hello ", "**world**"))
        await type_text(pilot, "hi there")
        await pilot.press("enter")
        await until(lambda: not app.chat.busy)
        assert services.engine.requests[0].text == "hi there"
        assert "hi there" in shown(app)
        assert "Hello **world**" in shown(app)
        figures = app.screen_stack[0].query_one(CostPanel).figures
        assert figures.reply == fake.usd("0.0021")
        assert figures.tokens_per_s == pytest.approx(48)
        assert not figures.reply_live
        assert app.chat.session_id == "s-new"
        assert app.prompt.text == ""


async def test_the_next_message_continues_the_same_chat():
    async with chat() as (app, pilot, services):
        await say(app, pilot, "one")
        await until(lambda: not app.chat.busy)
        await say(app, pilot, "two")
        await until(lambda: len(services.engine.requests) == 2)
        assert services.engine.requests[1].session_id == "s-new"


async def test_the_price_and_the_model_are_shown_before_enter_is_pressed():
    async with chat() as (app, pilot, services):
        await type_text(pilot, "a bug")
        await until(lambda: app.chat.preview is not None)
        line = line_text(app, "#status")
        assert "debugging 80% → claude/claude-sonnet-4-5" in line
        assert "~$0.0018, at most $0.031" in line
        assert services.engine.requests == []


async def test_typing_on_drops_the_older_plan():
    async with chat() as (app, pilot, services):
        await type_text(pilot, "abcdefgh")
        await until(lambda: app.chat.preview is not None)
        assert [request.text for request in services.engine.previews] == ["abcdefgh"]


async def test_a_request_that_no_model_can_take_says_so_before_enter():
    async with chat() as (app, pilot, services):
        services.engine.preview_error = NoModel("No model takes images.", hint="Add one.")
        await type_text(pilot, "x")
        await until(lambda: "No model takes images. Add one." in line_text(app, "#status"))


async def test_escape_stops_the_answer_and_keeps_what_came():
    async with chat() as (app, pilot, services):
        steps = fake.answer("the beginning", " and the end")
        steps.insert(5, asyncio.Event())
        services.engine.scripts.append(steps)
        await say(app, pilot, "go")
        await until(lambda: "the beginning" in shown(app))
        assert "stops it" in line_text(app, "#status")
        await pilot.press("escape")
        await until(lambda: not app.chat.busy)
        assert services.engine.closed == 1
        assert "the beginning" in shown(app)
        assert "and the end" not in shown(app)
        assert app.prompt.text == ""


async def test_stopping_before_the_first_word_gives_the_text_back():
    async with chat() as (app, pilot, services):
        services.engine.scripts.append([asyncio.Event()])
        await say(app, pilot, "never mind")
        await until(lambda: services.engine.requests)
        await pilot.press("escape")
        await until(lambda: not app.chat.busy)
        assert app.prompt.text == "never mind"


async def test_what_is_sent_while_an_answer_runs_waits_for_its_turn():
    async with chat() as (app, pilot, services):
        gate = asyncio.Event()
        services.engine.scripts.append([*fake.answer("first")[:5], gate, *fake.answer("first")[5:]])
        await say(app, pilot, "one")
        app.prompt.put("two")
        await pilot.pause()
        await pilot.press("tab")
        await pilot.pause()
        assert app.chat.queued == ["two"]
        assert "next: two" in line_text(app, "#chips")
        gate.set()
        await until(lambda: len(services.engine.requests) == 2 and not app.chat.busy)
        assert services.engine.requests[1].text == "two"
        assert app.chat.queued == []


async def test_enter_pressed_before_the_services_are_open_is_not_lost():
    services = fake.services()
    async with chat(services=services) as (app, pilot, _):
        app.services = None  # as in the first milliseconds
        await say(app, pilot, "early")
        assert app.chat.queued == ["early"]
        app._open()
        await until(lambda: services.engine.requests)
        assert services.engine.requests[0].text == "early"


async def test_a_failed_turn_says_why_and_puts_the_text_back():
    async with chat() as (app, pilot, services):
        error = OverBudget(
            "This could cost $2.00, above your limit.", hint="Raise costs.daily_limit."
        )
        services.engine.scripts.append([ev.Failed(error, TurnResult("s-new", "default", None))])
        await say(app, pilot, "expensive")
        await until(lambda: not app.chat.busy)
        assert app.prompt.text == "expensive"
        assert "above your limit. Raise costs.daily_limit." in shown(app)


async def test_a_turn_that_failed_after_some_text_keeps_it_and_the_prompt_stays_free():
    async with chat() as (app, pilot, services):
        error = Overloaded("claude has no capacity now.")
        steps = fake.answer("half an ans")[:5]
        result = TurnResult("s-new", "default", fake.MINI, "half an ans")
        services.engine.scripts.append([*steps, ev.Failed(error, result)])
        await say(app, pilot, "go")
        await until(lambda: not app.chat.busy)
        assert "half an ans" in shown(app)
        assert app.prompt.text == ""


async def test_an_answer_that_the_disk_did_not_take_stays_on_the_screen():
    async with chat() as (app, pilot, services):
        error = StorageError("The disk is full.", hint="All of the answer that came is in /x.md.")
        result = TurnResult("s-new", "default", fake.MINI, "all of it")
        services.engine.scripts.append([*fake.answer("all of it")[:5], ev.Failed(error, result)])
        await say(app, pilot, "go")
        await until(lambda: not app.chat.busy)
        assert "all of it" in shown(app)
        assert "The disk is full. All of the answer that came is in /x.md." in shown(app)
        assert app.prompt.text == ""


async def test_a_retry_is_told_counted_down_and_can_be_skipped():
    async with chat() as (app, pilot, services):
        error = Overloaded("openai has no capacity now.")
        steps = [*fake.answer()[:4], ev.Retrying(fake.MINI, 2, 30.0, error), asyncio.Event()]
        services.engine.scripts.append(steps)
        await say(app, pilot, "go")
        await until(lambda: "again in 30 s · F8 now" in line_text(app, "#status"))
        assert "openai has no capacity now. Trying again in 30 s." in shown(app)
        await pilot.press("f8")
        assert services.engine.skipped == 1


HALF = "So:\n\n```python\nwhile tokens:\n"
SEAM = "openai/gpt-5-mini: It has no capacity now. claude/claude-sonnet-4-5 goes on from here."


async def test_the_rest_of_an_answer_stands_under_a_seam_and_in_its_code_block():
    async with chat() as (app, pilot, services):
        error = Overloaded("It has no capacity now.")
        rest = fake.answer("    pass\n```", ref=fake.SONNET)
        whole = TurnResult("s-new", "default", fake.SONNET, HALF + "    pass\n```")
        services.engine.scripts.append(
            [
                *fake.answer(HALF)[:5],
                ev.FallingBack(fake.MINI, fake.SONNET, error, len(HALF), continues=True),
                *rest[2:-1],
                ev.Finished(whole),
            ]
        )
        await say(app, pilot, "go")
        await until(lambda: not app.chat.busy)
        blocks = [block.strip("\n") for block in shown(app).split("\n\n")]
        assert blocks[-2:] == [SEAM, "```python\n    pass\n```"]
        assert app.chat.answer == whole.text


async def test_an_answer_that_was_replaced_is_opened_with_a_seam_too():
    async with chat() as (app, pilot, services):
        services.sessions.put("s9", "Two answers", timedelta(hours=1), "go", "Poor.")
        asked, poor = services.sessions.stored["s9"]
        poor = replace(poor, state="failed", ref=fake.MINI)
        better = replace(poor, id=3, state="complete", ref=fake.SONNET, message=assistant("Good."))
        services.sessions.stored["s9"] = [asked, poor, better]
        app.open_session("s9")
        await pilot.pause()
        seam = "claude/claude-sonnet-4-5 begins anew; the part above stays."
        assert shown(app).endswith(f"Poor.\n\n{seam}\n\nGood.")


async def test_an_answer_of_two_models_looks_the_same_when_it_is_opened_again():
    async with chat() as (app, pilot, services):
        services.sessions.put("s9", "Two models", timedelta(hours=1), "go", HALF)
        asked, half = services.sessions.stored["s9"]
        half = replace(half, state="continued", ref=fake.MINI, error="It has no capacity now.")
        rest = replace(half, id=3, state="complete", ref=fake.SONNET, error="")
        rest = replace(rest, message=assistant("    pass\n```"))
        services.sessions.stored["s9"] = [asked, half, rest]
        app.open_session("s9")
        await pilot.pause()
        blocks = [block.strip("\n") for block in shown(app).split("\n\n")]
        assert blocks[-2:] == [SEAM, "```python\n    pass\n```"]
        assert app.chat.answer == f"{HALF}    pass\n```"


async def test_a_fallback_leaves_a_seam_that_names_both_models():
    async with chat() as (app, pilot, services):
        error = Overloaded("It has no capacity now.")
        services.engine.scripts.append(
            [
                *fake.answer("start ")[:5],
                ev.FallingBack(fake.MINI, fake.SONNET, error, kept=6),
                *fake.answer("end", ref=fake.SONNET)[2:],
            ]
        )
        await say(app, pilot, "go")
        await until(lambda: not app.chat.busy)
        text = shown(app)
        seam = "openai/gpt-5-mini: It has no capacity now. claude/claude-sonnet-4-5 begins anew; the part above stays."
        assert seam in text
        assert text.index("start ") < text.index(seam) < text.index("end")


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (ev.Notice("The price list is old."), "The price list is old."),
        (ev.Compacted(12, 90_000, 4_000, "…"), "12 earlier messages were summarised to make room"),
        (
            ev.Compacted(12, 90_000, 4_000, "…", Cost(2_000_000, "exact")),
            "12 earlier messages were summarised for $0.0020 to make room",
        ),
        (
            ev.Downgraded(fake.SONNET, fake.MINI, "80% of today's limit is spent."),
            "openai/gpt-5-mini instead of claude/claude-sonnet-4-5: 80% of today's limit is spent.",
        ),
        (RefusalDelta("I will not."), "I will not."),
    ],
    ids=["notice", "compacted", "paid", "downgraded", "refusal"],
)
async def test_events_that_the_user_must_know_of_are_said(event, words):
    async with chat() as (app, pilot, services):
        steps = fake.answer("ok")
        steps.insert(4, event)
        services.engine.scripts.append(steps)
        await say(app, pilot, "go")
        await until(lambda: not app.chat.busy)
        assert words in shown(app)


async def test_escapes_in_an_answer_never_reach_the_screen():
    async with chat() as (app, pilot, services):
        services.engine.scripts.append(
            [
                *fake.answer()[:4],
                TextDelta("a\x1b]52;c;eA"),
                TextDelta("\x07b"),
                *fake.answer()[-2:],
            ]
        )
        await say(app, pilot, "go")
        await until(lambda: not app.chat.busy)
        assert "a]52;c;eAb" in shown(app)


async def test_the_bridge_makes_text_harmless_before_anything_else_sees_it():
    from aircher.tui import bridge, messages

    async def stream():
        yield TextDelta("a\x1b]0;x\x07b")
        yield ev.Notice("c\x1b[2Jd")

    posted: list[messages.TurnMessage] = []
    await bridge.run_turn(stream(), posted.append)
    assert [posted[0].text, posted[1].sentence] == ["a]0;xb", "c[2Jd"]


async def test_thinking_is_shown_apart_from_the_answer():
    async with chat() as (app, pilot, services):
        steps = fake.answer("42")
        steps.insert(4, ThinkingDelta("hmm"))
        services.engine.scripts.append(steps)
        await say(app, pilot, "go")
        await until(lambda: not app.chat.busy)
        assert "42" in shown(app)
        assert "hmm42" not in shown(app)


async def test_many_small_deltas_become_few_messages():
    from aircher.tui import bridge, messages

    async def stream():
        for _ in range(1000):
            yield TextDelta("x")

    posted: list[messages.TurnMessage] = []
    await bridge.run_turn(stream(), posted.append)
    assert sum(len(m.text) for m in posted if isinstance(m, messages.TextArrived)) == 1000
    assert len(posted) < 30


async def test_the_provider_panel_points_at_who_answers():
    async with chat() as (app, pilot, services):
        gate = asyncio.Event()
        services.engine.scripts.append([*fake.answer("x", ref=fake.SONNET)[:5], gate])
        await say(app, pilot, "go")
        await until(lambda: "x" in shown(app))
        assert app.screen_stack[0].query_one(ProviderPanel).current == "claude"
        rows = line_text(app, "#providers")
        assert "✕ claude" in rows
        assert "paused" in rows
        assert "not set up" in rows


async def test_a_stopped_turn_cannot_write_into_the_next_one():
    async with chat() as (app, pilot, services):
        services.engine.scripts.append([*fake.answer("old")[:5], asyncio.Event()])
        await say(app, pilot, "one")
        await until(lambda: "old" in shown(app))
        await pilot.press("escape")
        await until(lambda: not app.chat.busy)
        from aircher.tui.messages import TextArrived

        late = TextArrived("LATE", "text")
        late.turn = 1
        gate = asyncio.Event()
        services.engine.scripts.append([*fake.answer("new")[:5], gate])
        await say(app, pilot, "two")
        await until(lambda: "new" in shown(app))
        app.post_message(late)
        await pilot.pause()
        assert "LATE" not in shown(app)


async def test_the_likely_provider_is_made_ready_after_the_first_frame():
    async with chat() as (_, __, services):
        await until(lambda: services.providers.asked == ["openai"])


async def test_what_plans_may_name_is_known_before_the_first_message():
    async with chat() as (_, __, services):
        await until(lambda: {fake.MINI, fake.SONNET, fake.LOCAL} <= set(services.catalog.warmed))


async def test_the_built_in_model_is_started_where_it_will_answer():
    from aircher.domain.routes import Rules

    class BuiltIn:
        started = ""

        async def warm(self, model):
            self.started = model
            return True

    provider = BuiltIn()
    rules = Rules(order=("local",), models={"local": fake.LOCAL.model})
    services = fake.services(fake.settings(rules=rules))

    async def get(name):
        return provider

    services.providers.get = get
    async with chat(services=services):
        await until(lambda: provider.started == fake.LOCAL.model)


async def test_leaving_closes_the_services():
    services = fake.services()
    async with chat(services=services) as (_app, pilot, _):
        await pilot.press("ctrl+d")
        await pilot.pause()
    assert services.providers.asked[-1] == "closed"


def test_the_money_held_for_unknown_prices_is_not_shown_as_zero():
    from aircher.tui import bridge

    message = bridge.translate(ev.Reserved(fake.plan("default", ModelRef("a", "b")).first, None))
    assert message.nano_usd is None


async def test_a_turn_stopped_before_it_began_gives_the_text_back():
    async with chat() as (app, pilot, _):
        app.submit("too quick")
        assert app.stop_reply()
        await until(lambda: not app.chat.busy)
        await pilot.pause()
        assert app.prompt.text == "too quick"


async def test_a_fault_of_ours_is_told_and_the_app_goes_on():
    async with chat() as (app, pilot, services):
        services.engine.turn = lambda _request: 1 / 0
        await say(app, pilot, "go")
        await until(lambda: not app.chat.busy)
        await pilot.pause()
        assert "A fault in Aircher ended this turn (ZeroDivisionError)." in shown(app)
        assert app.prompt.text == "go"


async def test_a_model_that_failed_without_a_word_leaves_no_empty_answer():
    async with chat() as (app, pilot, services):
        error = Overloaded("No answer: [Errno -2] Name not known")
        services.engine.scripts.append(
            [
                *fake.answer()[:4],
                ev.FallingBack(fake.MINI, fake.SONNET, error),
                *fake.answer("good", ref=fake.SONNET)[2:],
            ]
        )
        await say(app, pilot, "go")
        await until(lambda: not app.chat.busy)
        seam = "openai/gpt-5-mini: No answer: [Errno -2] Name not known. Now asking claude/claude-sonnet-4-5."
        assert shown(app) == f"go\n\n{seam}\n\ngood"


async def test_what_to_mend_is_a_sentence_of_its_own_in_the_seam():
    async with chat() as (app, pilot, services):
        error = AuthenticationFailed(
            "openai did not accept the key", hint="Check the key in OPENAI_API_KEY."
        )
        falling = ev.FallingBack(fake.MINI, fake.SONNET, error)
        services.engine.scripts.append([*fake.answer()[:4], falling, *fake.answer("good")[2:]])
        await say(app, pilot, "go")
        await until(lambda: not app.chat.busy)
        assert "did not accept the key. Check the key in OPENAI_API_KEY. Now" in shown(app)


async def test_keys_that_arrive_all_at_once_are_taken_in_order():
    from textual import events

    async with chat() as (app, _, services):
        for key in ("h", "i", "enter", "y", "o"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(lambda: services.engine.requests and app.prompt.text == "yo")
        assert services.engine.requests[0].text == "hi"


async def test_a_provider_that_failed_is_shown_so_at_once():
    from dataclasses import replace

    async with chat() as (app, pilot, services):
        error = Overloaded("openai has no capacity now.")
        falling = ev.FallingBack(fake.MINI, fake.SONNET, error)
        services.engine.scripts.append([*fake.answer()[:4], falling, asyncio.Event()])
        first, *rest = services.health.all()
        failing = replace(first, state="unhealthy", last_error=error.message)
        services.health.all = lambda: [failing, *rest]
        await say(app, pilot, "go")
        await until(lambda: "✕ openai" in line_text(app, "#providers"), 2.0)
        assert "has no capacity now." in line_text(app, "#providers")
        assert "openai has" not in line_text(app, "#providers")
