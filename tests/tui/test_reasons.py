"""Why a choice was made, what works, making room: the things a user asks the app itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from aircher.bootstrap.checkup import Check
from aircher.domain import events as ev
from aircher.domain.errors import NoModel, UsageError
from aircher.domain.events import TurnResult
from aircher.domain.routes import Candidate, Plan, Rejected
from aircher.domain.tasks import Detection, Evidence
from aircher.domain.turns import Preview
from aircher.policy.account import Part, packed
from aircher.tui.screens.pick import PickScreen
from aircher.tui.screens.sheet import SheetScreen
from aircher.tui.sheets import check_sections, choice_sections
from tests.support import engine as fake
from tests.tui.app_fixture import chat, line_text, say, shown, type_text, until

EVIDENCE = (Evidence("keyword", "bug", 0.6, "debugging"),)


def words(sections):
    return " | ".join(
        cell for section in sections for row in (section.heading, *section.rows) for cell in row
    ) + " ".join(section.heading for section in sections)


def test_a_choice_is_explained_by_evidence_candidates_and_what_was_left_out():
    plan = Plan(
        "debugging",
        "task",
        (*fake.plan("debugging", fake.SONNET).candidates, Candidate(fake.MINI, "fallback")),
        (Rejected(fake.LOCAL, "its window is too small"),),
    )
    text = words(
        choice_sections(Preview(Detection("debugging", 0.75, EVIDENCE), plan), fake.rules())
    )
    for part in ("75% sure", "bug", "medium", "~$0.0018", "fallback", "too small"):
        assert part in text


def test_a_task_chosen_by_the_user_needs_no_evidence():
    mine = (Evidence("user", "you chose this task", 1.0, "debugging"),)
    detection = Detection("debugging", 1.0, mine)
    text = words(
        choice_sections(Preview(detection, fake.plan("debugging", fake.SONNET)), fake.rules())
    )
    assert "your choice" in text
    assert "Because" not in text


async def test_f9_explains_what_enter_would_do_and_f3_corrects_it():
    async with chat() as (app, pilot, _):
        await pilot.press("f9")
        assert len(app.screen_stack) == 1
        await type_text(pilot, "a bug")
        await until(lambda: app.chat.preview is not None)
        assert "F9 why" in line_text(app, "#keys")
        await pilot.press("f9")
        await pilot.pause()
        assert isinstance(app.screen, SheetScreen)
        assert "debugging" in words(app.screen.sections)
        await pilot.press("f3")
        await until(lambda: isinstance(app.screen, PickScreen))
        assert len(app.screen_stack) == 2
        rights = {row.value: row.right.strip() for row in app.screen._rows}
        assert rights["debugging"] == f"→ {fake.SONNET}"  # the model that each task leads to
        assert rights["summaries"] == f"→ {fake.MINI}"


async def test_the_badge_says_task_model_and_how_sure_it_is():
    async with chat() as (app, pilot, _):
        await type_text(pilot, "a bug")
        await until(lambda: "debugging 80% → claude/" in line_text(app, "#status"))


async def test_f3_corrects_what_is_typed_for_this_message_and_is_learnt_from():
    async with chat() as (app, pilot, services):
        await type_text(pilot, "a bug")
        await until(lambda: app.chat.preview is not None)
        await pilot.press("f3")
        await until(lambda: isinstance(app.screen, PickScreen))
        await type_text(pilot, "refac")
        await pilot.press("enter")
        await until(lambda: len(app.screen_stack) == 1)
        assert services.engine.learning.learnt == [("a bug", "debugging", "refactoring")]
        await pilot.press("enter")
        await until(lambda: len(services.engine.requests) == 1)
        assert services.engine.requests[0].wish.task == "refactoring"
        assert app.chat.wish.task == ""  # the next message is looked at anew


async def test_f3_with_nothing_typed_corrects_the_last_message():
    async with chat() as (app, pilot, services):
        services.engine.scripts.append(fake.answer("ok", ref=fake.SONNET, task="debugging"))
        await say(app, pilot, "go")
        await until(lambda: not app.chat.busy)
        await pilot.press("f3")
        await until(lambda: isinstance(app.screen, PickScreen))
        await type_text(pilot, "docum")
        await pilot.press("enter")
        await until(lambda: len(app.screen_stack) == 1)
        assert services.engine.learning.corrected == [("s-new", "documentation", 0)]
        assert "was documentation" in shown(app)
        assert app.chat.wish.task == ""
        await say(app, pilot, "/why")
        assert "your choice" in words(app.screen.sections)


async def test_the_last_message_is_explained_where_nothing_is_typed():
    async with chat() as (app, pilot, services):
        services.engine.scripts.append(fake.answer("ok", ref=fake.SONNET, task="debugging"))
        await say(app, pilot, "go")
        await until(lambda: not app.chat.busy)
        await say(app, pilot, "/why")
        assert "claude/claude-sonnet-4-5" in words(app.screen.sections)


async def test_the_last_message_of_an_earlier_chat_is_explained_by_what_was_kept():
    services = fake.services()
    services.sessions.put("s1", "A", timedelta(days=1), "a bug", "x")
    parts = (
        Part("Task", (("debugging", "80% sure"), ("general", "3%"))),
        Part("Seen", (("git", "on main, 3 staged"),)),
    )
    asked = services.sessions.stored["s1"][0]
    services.sessions.stored["s1"][0] = replace(asked, account=packed(parts), task="debugging")
    async with chat(services=services, session_id="s1") as (app, pilot, _):
        await until(lambda: "F9 why" in line_text(app, "#keys"))
        await pilot.press("f9")
        await until(lambda: isinstance(app.screen, SheetScreen))
        for part in ("debugging", "80% sure", "on main, 3 staged"):
            assert part in words(app.screen.sections)
        await pilot.press("f3")
        await until(lambda: isinstance(app.screen, PickScreen))
        await type_text(pilot, "refac")
        await pilot.press("enter")
        await until(lambda: len(app.screen_stack) == 1)
        assert services.engine.learning.corrected == [("s1", "refactoring", 0)]
        services.sessions.stored["s1"][0] = replace(
            services.sessions.stored["s1"][0], task="refactoring"
        )
        await pilot.press("f9")
        await until(lambda: isinstance(app.screen, SheetScreen))
        assert "as you corrected it" in words(app.screen.sections)


async def test_compact_summarises_this_chat_and_says_so():
    async with chat() as (app, pilot, services):
        await say(app, pilot, "/compact")
        assert "There is nothing to summarise yet." in shown(app)
        await say(app, pilot, "one")
        await until(lambda: not app.chat.busy)
        await say(app, pilot, "/compact")
        await until(lambda: "4 earlier messages were summarised" in shown(app))
        await until(lambda: not app.chat.busy)
        assert services.engine.compacted == ["s-new"]
        assert app.prompt.text == ""
        await say(app, pilot, "two")
        await until(lambda: len(services.engine.requests) == 2)


@pytest.mark.parametrize("how", ["fails", "is stopped"])
async def test_a_summary_that_does_not_come_leaves_the_chat_as_it_was(how):
    async with chat() as (app, pilot, services):
        await say(app, pilot, "one")
        await until(lambda: not app.chat.busy)
        error = UsageError("There is nothing to summarise in this conversation yet.")
        failed = ev.Failed(error, TurnResult("s-new", "summaries", None))
        services.engine.scripts.append([failed if how == "fails" else asyncio.Event()])
        await say(app, pilot, "/compact")
        if how == "is stopped":
            await until(lambda: services.engine.compacted)
            await pilot.press("escape")
        await until(lambda: not app.chat.busy)
        assert (error.message in shown(app)) is (how == "fails")
        assert app.prompt.text == ""


def test_the_doctor_tells_what_is_broken_first():
    sections = check_sections(
        [
            Check("git", "ok", "git version 2"),
            Check("key x", "warn", "X: no key", "Set X_KEY to use it."),
            Check("database", "fail", "it is damaged", "Do this."),
        ]
    )
    headings = [section.heading for section in sections]
    assert headings == ["Does not work", "Optional, and not there", "Works"]
    assert sections[1].rows[0][2] == "X: no key. Set X_KEY to use it."


async def test_doctor_opens_a_sheet(home):
    async with chat() as (app, pilot, _):
        await say(app, pilot, "/doctor")
        await until(lambda: isinstance(app.screen, SheetScreen), 20)
        assert "python" in words(app.screen.sections)


async def test_up_brings_back_what_was_said_in_earlier_chats():
    services = fake.services()
    services.sessions.put("s1", "A", timedelta(days=2), "first", "x", "second", "y")
    services.sessions.put("s2", "B", timedelta(days=1), "third", "z", "second", "y")
    async with chat(services=services) as (app, pilot, _):
        seen = []
        for _ in range(4):
            await pilot.press("up")
            seen.append(app.prompt.text)
        assert seen == ["second", "third", "first", "first"]


async def test_the_list_of_models_does_not_hold_up_the_keys():
    import threading

    services = fake.services()
    gate, usual = threading.Event(), services.catalog.known
    services.catalog.known = lambda: gate.wait(5) and usual()
    async with chat(services=services) as (app, pilot, _):
        await pilot.press("f7", "x")
        assert app.prompt.text == "x"
        gate.set()
        await until(lambda: isinstance(app.screen, PickScreen))


async def test_the_badge_reckons_with_a_file_that_is_named_but_not_chosen_from_the_list():
    async with chat() as (app, pilot, services):
        await type_text(pilot, "a bug in @src/parser.py")
        await until(lambda: app.chat.preview is not None)
        await until(lambda: services.engine.previews[-1].files == ("src/parser.py",))
        assert len(services.engine.previews[-1].attachments) == 1
        assert app.chat.files == {}  # attached only when it is sent
        app.prompt.put("a bug in @src/nothing.py")
        await until(lambda: services.engine.previews[-1].text.endswith("nothing.py"))
        assert services.engine.previews[-1].files == ()
        assert "was not attached" not in shown(app)


async def test_what_no_model_can_take_is_said_instead_of_a_choice() -> None:
    async with chat() as (app, pilot, services):
        services.engine.preview_error = NoModel("No model sees it.", hint="Leave the image out.")
        await type_text(pilot, "what is this")
        await until(lambda: "No model sees it." in line_text(app, "#status"))
        await pilot.press("f9")
        await until(lambda: [note.message for note in app._notifications])
        [note] = [note.message for note in app._notifications]
        assert note == "No model sees it. Leave the image out."
