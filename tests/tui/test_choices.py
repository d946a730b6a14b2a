"""Switching models and tasks, opening old chats, commands, completion."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from textual.widgets import Input

from aircher.domain.errors import NoModel
from aircher.domain.routes import Wish
from aircher.domain.usage import Tokens
from aircher.tui.screens.pick import PickScreen
from aircher.tui.screens.sheet import SheetScreen
from aircher.tui.widgets.completion import Completion
from tests.support import engine as fake
from tests.tui.app_fixture import chat, line_text, say, shown, type_text, until


def pick_values(app):
    return [row.value for row in app.screen._rows]


async def test_f2_switches_the_model_in_the_middle_of_a_chat():
    async with chat() as (app, pilot, services):
        await say(app, pilot, "one")
        await until(lambda: not app.chat.busy)
        await pilot.press("f2")
        assert "claude/claude-sonnet-4-5 (your choice)" in line_text(app, "#status")
        assert "F6 automatic" in line_text(app, "#keys")
        await say(app, pilot, "two")
        await until(lambda: len(services.engine.requests) == 2)
        request = services.engine.requests[1]
        assert (request.wish.provider, request.wish.model) == ("claude", "claude-sonnet-4-5")
        assert request.session_id == "s-new"


async def test_f2_goes_round_to_automatic_and_shift_f2_goes_back():
    async with chat() as (app, pilot, _):
        seen = []
        for key in ("f2", "f2", "f2", "shift+f2", "f6"):
            await pilot.press(key)
            seen.append(app.chat.wish.model)
        assert seen == ["claude-sonnet-4-5", "smollm2-135m", "", "smollm2-135m", ""]


async def test_the_free_model_is_shown_as_free():
    async with chat() as (app, pilot, _):
        await pilot.press("shift+f2")
        await type_text(pilot, "hi")
        await until(lambda: "(your choice)  free" in line_text(app, "#status"))


async def test_a_task_is_chosen_from_the_list_by_typing():
    async with chat() as (app, pilot, services):
        await pilot.press("f3")
        await pilot.pause()
        assert isinstance(app.screen, PickScreen)
        await type_text(pilot, "debug")
        await pilot.pause()
        assert pick_values(app) == ["debugging"]
        await pilot.press("enter")
        await pilot.pause()
        assert app.chat.wish.task == "debugging"
        assert "debugging (your choice)" in line_text(app, "#status")
        await say(app, pilot, "hi")
        await until(lambda: services.engine.requests)
        assert services.engine.requests[0].wish.task == "debugging"


async def test_the_provider_screen_switches_and_resets():
    async with chat() as (app, pilot, services):
        await pilot.press("f4")
        await pilot.pause()
        assert pick_values(app) == ["auto", "openai", "claude", "local", "gemini"]
        await pilot.press("down", "down", "ctrl+r")
        assert services.health.was_reset == ["claude"]
        await pilot.press("enter")  # the place in the list is kept
        await pilot.pause()
        assert app.chat.wish.provider == "claude"


async def test_a_model_is_chosen_from_the_list():
    async with chat() as (app, pilot, _):
        await pilot.press("f7")
        await pilot.pause()
        await type_text(pilot, "nano")
        await pilot.press("enter")
        await pilot.pause()
        assert app.chat.wish.model == "gpt-5-nano"


async def test_a_switch_while_an_answer_runs_counts_for_the_next_message():
    async with chat() as (app, pilot, services):
        gate = asyncio.Event()
        services.engine.scripts.append([*fake.answer("x")[:5], gate, *fake.answer("x")[5:]])
        await say(app, pilot, "one")
        await until(lambda: "x" in shown(app))
        await pilot.press("f2")
        assert services.engine.closed == 0
        gate.set()
        await until(lambda: not app.chat.busy)
        await say(app, pilot, "two")
        await until(lambda: len(services.engine.requests) == 2)
        assert services.engine.requests[1].wish.model == "claude-sonnet-4-5"


@pytest.fixture
def with_old_chats():
    services = fake.services()
    services.sessions.put(
        "s-old", "Why the parser loops", timedelta(days=1), "why does it loop?", "No **base case**."
    )
    services.sessions.put("s-lexer", "Rename the lexer", timedelta(hours=1), "rename", "Done.")
    return services


async def test_yesterdays_chat_is_found_opened_and_goes_on(with_old_chats):
    async with chat(services=with_old_chats) as (app, pilot, services):
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert pick_values(app) == ["s-lexer", "s-old"]
        await type_text(pilot, "yesterday")
        await pilot.pause()
        assert pick_values(app) == ["s-old"]
        app.screen.query_one(Input).value = "base case"
        await pilot.pause()
        assert pick_values(app) == ["s-old"]
        await pilot.press("enter")
        await pilot.pause()
        assert "No **base case**." in shown(app)
        assert "Why the parser loops" in line_text(app, "#status")
        await say(app, pilot, "go on")
        await until(lambda: services.engine.requests)
        assert services.engine.requests[0].session_id == "s-old"


@pytest.mark.security
async def test_titles_file_names_and_errors_are_harmless(with_old_chats):
    evil = "t\x1b]0;pwned\x07itle"
    with_old_chats.sessions.put("s-evil", evil, timedelta(minutes=1), "x\x1b[2J", "y")
    with_old_chats.workspace.files = ("a\x1b[31mb.py",)
    with_old_chats.engine.preview_error = NoModel("no \x1b[5mmodel")
    async with chat(services=with_old_chats, session_id="s-evil") as (app, pilot, _):
        await type_text(pilot, "@a")
        await until(lambda: "no [5mmodel" in line_text(app, "#status"))
        drawn = [app.export_screenshot()]
        await pilot.press("escape", "ctrl+r")
        await pilot.pause()
        drawn.append(app.export_screenshot())
        assert "pwned" in drawn[1]
        assert not any("\x1b" in one or "\x07" in one for one in drawn)


async def test_a_chat_given_on_the_command_line_is_open_at_once(with_old_chats):
    async with chat(services=with_old_chats, session_id="s-lexer") as (app, _, __):
        assert "rename" in shown(app)


async def test_a_model_given_on_the_command_line_is_shown_as_chosen():
    async with chat(wish=Wish(model="claude-sonnet-4-5")) as (app, _, __):
        assert "claude/claude-sonnet-4-5 (your choice)" in line_text(app, "#status")


async def test_up_brings_back_earlier_messages_and_down_the_draft():
    async with chat() as (app, pilot, _):
        await say(app, pilot, "first")
        await until(lambda: not app.chat.busy)
        await say(app, pilot, "second")
        await until(lambda: not app.chat.busy)
        await type_text(pilot, "draft")
        texts = []
        for key in ("up", "up", "up", "down", "down"):
            await pilot.press(key)
            texts.append(app.prompt.text)
        assert texts == ["second", "first", "first", "second", "draft"]


async def test_escape_twice_brings_the_last_message_back_for_editing():
    async with chat() as (app, pilot, _):
        await say(app, pilot, "frist")
        await until(lambda: not app.chat.busy)
        await pilot.press("escape", "escape")
        assert app.prompt.text == "frist"


async def test_newlines_by_key_and_by_backslash():
    async with chat() as (app, pilot, services):
        await pilot.press("a", "ctrl+j", "b", "backslash", "enter", "c")
        assert app.prompt.text == "a\nb\nc"
        assert services.engine.requests == []
        assert app.prompt.size.height == 3
        await pilot.press("enter")
        await until(lambda: services.engine.requests)
        assert services.engine.requests[0].text == "a\nb\nc"


async def test_the_prompt_grows_to_eight_lines_and_no_further():
    async with chat() as (app, pilot, _):
        app.prompt.put("\n".join("x" * 20))
        await pilot.pause()
        assert app.prompt.size.height == 8


async def test_slash_commands_are_completed():
    async with chat() as (app, pilot, _):
        await type_text(pilot, "/co")
        await pilot.pause()
        completion = app.query_one(Completion)
        assert [c.insert for c in completion._candidates] == [
            "/cost",
            "/commit",
            "/context",
            "/compact",
            "/copy",
            "/config",
        ]
        await pilot.press("down", "down", "tab")
        assert app.prompt.text == "/context "
        assert not completion.open


async def test_enter_on_a_whole_command_runs_it():
    async with chat() as (app, pilot, services):
        await type_text(pilot, "/cost")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, SheetScreen)
        flat = [cell for section in app.screen.sections for row in section.rows for cell in row]
        assert "claude" in flat
        assert "~$0.054 + 1 unknown" in flat
        assert services.engine.requests == []


async def test_a_file_is_mentioned_attached_and_shown():
    async with chat() as (app, pilot, services):
        await type_text(pilot, "see @pars")
        await pilot.pause()
        await pilot.press("tab")
        await until(lambda: app.chat.files)
        assert app.prompt.text == "see @src/parser.py "
        assert "src/parser.py" in line_text(app, "#chips")
        await pilot.press("enter")
        await until(lambda: services.engine.requests)
        request = services.engine.requests[0]
        assert request.files == ("src/parser.py",)
        assert request.attachments[0].name == "src/parser.py"


async def test_a_file_that_is_not_there_is_told_and_a_name_is_no_file():
    async with chat() as (app, pilot, services):
        await say(app, pilot, "@alice look at @src/typo.py, please")
        await until(lambda: services.engine.requests and not app.chat.busy)
        assert "@src/typo.py was not attached: There is no file src/typo.py." in shown(app)
        assert "@alice was" not in shown(app)
        assert services.engine.requests[0].attachments == ()


async def test_a_file_whose_mention_was_deleted_is_not_sent():
    async with chat() as (app, pilot, services):
        await type_text(pilot, "@pars")
        await pilot.pause()
        await pilot.press("tab")
        await until(lambda: app.chat.files)
        await say(app, pilot, "something else")
        await until(lambda: services.engine.requests)
        assert services.engine.requests[0].attachments == ()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/modle", "There is no command /modle. Did you mean /model?"),
        ("/task cooking", 'There is no task "cooking".'),
        ("/theme plaid", 'There is no theme "plaid".'),
        ("/rename", "Say the new title"),
        ("/copy", "There is no answer to copy yet."),
        ("/export", "There is nothing to export yet."),
    ],
)
async def test_commands_that_cannot_be_done_say_why_and_cost_nothing(command, words):
    async with chat() as (app, pilot, services):
        await say(app, pilot, command)
        await pilot.pause()
        assert words in shown(app)
        assert services.engine.requests == []


@pytest.mark.parametrize(
    ("command", "wish"),
    [
        ("/model claude", ("claude", "claude-sonnet-4-5", "")),
        ("/model openai/gpt-9", ("openai", "gpt-9", "")),
        ("/model auto", ("", "", "")),
        ("/task code review", ("", "", "code_review")),
        ("/task general", ("", "", "default")),
    ],
)
async def test_model_and_task_by_command(command, wish):
    async with chat() as (app, pilot, _):
        await say(app, pilot, command)
        chosen = app.chat.wish
        assert (chosen.provider, chosen.model, chosen.task) == wish


async def test_a_path_is_no_command():
    async with chat() as (app, pilot, services):
        await say(app, pilot, "/etc/hosts is broken")
        await until(lambda: services.engine.requests)


async def test_new_rename_and_export(with_old_chats, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with chat(services=with_old_chats, session_id="s-old") as (app, pilot, services):
        await say(app, pilot, "/rename Base cases")
        assert services.sessions.info("s-old").title == "Base cases"
        await say(app, pilot, "/export out.md")
        text = (tmp_path / "out.md").read_text()
        assert "# Base cases" in text
        assert "No **base case**." in text
        assert (tmp_path / "out.md").stat().st_mode & 0o777 == 0o600
        await say(app, pilot, "/export out.md")
        assert "exists already" in shown(app)
        await say(app, pilot, "/new")
        assert app.chat.session_id == ""
        assert shown(app) == ""


async def test_the_context_sheet_says_how_full_the_window_is():
    async with chat() as (app, pilot, _):
        await say(app, pilot, "/context")
        await until(lambda: isinstance(app.screen, SheetScreen))
        assert ("used", "~410 tokens (0%)") in app.screen.sections[0].rows


async def test_the_config_sheet_names_the_file_and_what_is_missing():
    async with chat() as (app, pilot, _):
        await say(app, pilot, "/config")
        await pilot.pause()
        rows = [row for section in app.screen.sections for row in section.rows]
        assert ("gemini", "no key: set GEMINI_API_KEY") in rows


async def test_the_palette_finds_models_chats_and_themes(with_old_chats):
    async with chat(services=with_old_chats) as (app, pilot, _):
        await pilot.press("ctrl+p")
        await pilot.pause()
        assert {"New chat", "Next model", "Previous model"} <= set(pick_values(app))
        assert not any(name.startswith("Model:") for name in pick_values(app))
        for query, wanted in (
            ("sonnet", "Model: claude/claude-sonnet-4-5"),
            ("parser loops", "Chat: Why the parser loops"),
            ("fjord", "Theme: fjord"),
            ("model: local", "Model: local/smollm2-135m"),
        ):
            app.screen.query_one(Input).value = query
            await pilot.pause()
            assert pick_values(app)[0] == wanted
        await pilot.press("enter")
        await until(lambda: app.chat.wish.model == "smollm2-135m")
        assert len(app.screen_stack) == 1


async def test_the_editor_writes_the_prompt(monkeypatch, tmp_path):
    from aircher.tui import editor

    script = tmp_path / "ed"
    script.write_text('#!/bin/sh\nprintf " and more" >> "$1"\n')
    script.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(script))
    assert editor.edited("text") == "text and more"


def test_the_footer_says_when_an_answer_was_cut_off():
    from aircher.tui.stored import footer

    text = footer("default", 2.0, Tokens(10, output=5), fake.usd("0.5"), "length")
    assert text == "general · 2.0 s · 10 in, 5 out · $0.50 · cut off at the length limit"


async def test_the_welcome_names_the_last_chat(with_old_chats):
    async with chat(services=with_old_chats) as (app, _, __):
        assert "Rename the lexer (today 14:04)" in line_text(app, "#welcome")


async def test_text_typed_while_the_conversation_has_the_focus_is_not_lost():
    async with chat() as (app, pilot, _):
        app.leave_welcome()
        await pilot.pause()
        app.transcript.focus()
        await pilot.press("h", "e")
        assert app.prompt.text == "he"
        assert app.focused is app.prompt


@pytest.mark.security
@pytest.mark.parametrize(
    ("url", "opens"),
    [
        ("https://example.com/a?b=c", "https://example.com/a?b=c"),
        ("https://b\u00fccher.example/x", "https://xn--bcher-kva.example/x"),
        ("mailto:a@example.com", "mailto:a@example.com"),
        ("javascript:alert(1)", ""),
        ("file:///etc/passwd", ""),
        ("https:///nowhere", ""),
        ("https://a\x1b]52;c;x\x07.example", ""),
        ("https://[broken", ""),
    ],
)
async def test_links_are_asked_about_and_only_the_web_is_opened(url, opens, monkeypatch):
    from aircher.tui.widgets.transcript import Transcript

    async with chat() as (app, pilot, _):
        opened = []
        monkeypatch.setattr(app, "open_url", opened.append)
        app.transcript.post_message(Transcript.LinkClicked(url, "here"))
        await pilot.pause()
        assert opened == []
        if opens:
            assert app.screen._rows[0].below == opens
            await pilot.press("enter")
            await pilot.pause()
        assert opened == ([opens] if opens else [])


async def test_enter_after_a_whole_file_name_sends_with_the_file():
    async with chat() as (_, pilot, services):
        await type_text(pilot, "@README.md")
        await pilot.pause()
        await pilot.press("enter")
        await until(lambda: services.engine.requests)
        assert services.engine.requests[0].files == ("README.md",)


@pytest.mark.parametrize("height", [12, 24, 36])
async def test_a_long_list_leaves_its_keys_on_the_screen(height):
    async with chat(size=(80, height)) as (app, pilot, _):
        await pilot.press("ctrl+p")
        await pilot.pause()
        dialog, hint = app.screen.query_one("#dialog"), app.screen.query_one("#hint")
        assert hint.region.bottom < dialog.region.bottom <= height
        await pilot.press("down", "down")
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        assert app.screen.query_one("#hint").region.bottom <= 20
        assert app.screen.highlighted_value() == pick_values(app)[2]
