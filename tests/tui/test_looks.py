"""Keys, themes, sizes, words: what the screen says and how it is drawn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.color import Color

from aircher.domain.budget import Cap, CapState
from aircher.domain.routes import Rules
from aircher.domain.settings import ConfigProblem
from aircher.domain.usage import Cost, Spend
from aircher.tui import keys, slash, theme
from aircher.tui.figures import Figures
from aircher.tui.screens.sheet import SheetScreen
from aircher.tui.sheets import help_sections
from aircher.tui.widgets import costs
from aircher.tui.widgets.prompt import word_to_complete
from aircher.tui.widgets.status import StatusView, line
from aircher.tui.words import bar, count, day, money, seconds
from tests.support import engine as fake
from tests.tui.app_fixture import chat, line_text, say, shown, type_text, until

NANO = 1_000_000_000


@pytest.mark.parametrize(
    ("nano", "tag", "words"),
    [
        (None, "exact", "?"),
        (5, "unknown", "?"),
        (0, "exact", "$0.00"),
        (NANO * 1234, "exact", "$1,234.00"),
        (NANO // 4, "estimated", "~$0.25"),
        (12_345_678, "exact", "$0.012"),
        (2_100_000, "exact", "$0.0021"),
        (90_000, "exact", "$0.000090"),
        (1, "exact", "$0.000000001"),
    ],
)
def test_money_is_written_by_one_rule(nano, tag, words):
    assert money(nano, tag) == words


@given(st.integers(min_value=1, max_value=10**15))
def test_money_that_is_not_zero_is_never_shown_as_zero(nano):
    assert any(digit in money(nano) for digit in "123456789")


@pytest.mark.parametrize(
    ("number", "words"),
    [(None, "?"), (0, "0"), (999, "999"), (1000, "1.0k"), (9_960, "10k"), (34_000, "34k"),
     (999_600, "1.0M"), (1_050_000, "1.1M")],
)  # fmt: skip
def test_tokens_are_counted_shortly(number, words):
    assert count(number) == words


def test_durations_and_days():
    assert [seconds(s) for s in (None, 0.42, 3.14, 48.2, 125)] == [
        "", "0.42 s", "3.1 s", "48 s", "2 m 05 s",
    ]  # fmt: skip
    now = fake.NOW
    assert day(now, now) == "today 15:04"
    assert day(now.replace(day=20), now) == "yesterday 15:04"
    assert day(now.replace(day=18), now) == "Wed 15:04"
    assert day(now.replace(month=3, year=2025), now) == "21 Mar 2025"


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(1, 60))
def test_a_bar_is_always_as_wide_as_it_was_asked_for(part, whole, width):
    filled, empty = bar(part, whole, width)
    assert len(filled + empty) == width


def test_every_action_has_its_own_id_and_key():
    ids = [action.id for action in keys.ACTIONS]
    pressed = [key for action in keys.ACTIONS for key in action.key.split(",")]
    assert len(set(ids)) == len(ids)
    assert len(set(pressed)) == len(pressed)


def test_help_and_docs_name_every_key_and_command():
    text = keys.markdown()
    rows = help_sections({})
    assert all(f"`{action.id}`" in text for action in keys.ACTIONS)
    assert len(rows[0].rows) == len(keys.ACTIONS)
    assert [row[0].split()[0] for row in rows[1].rows] == [f"/{n}" for n in slash.NAMES]


def test_every_slash_command_has_a_handler():
    import inspect

    from aircher.tui.commands import Commands

    source = inspect.getsource(Commands.run_command)
    assert all(f'"{name}":' in source for name in slash.NAMES)


@pytest.mark.parametrize(
    ("wanted", "usable", "problem"),
    [
        ({"provider.next": "F12"}, {"provider.next": "f12"}, ""),
        ({"provider.nxt": "f12"}, {}, 'did you mean "provider.next"?'),
        ({"provider.next": "f5"}, {}, 'already used by "costs.show"'),
        ({"provider.next": " "}, {}, "is empty"),
        ({"provider.next": "f5", "costs.show": "f2"}, {"provider.next": "f5", "costs.show": "f2"}, ""),
    ],
)  # fmt: skip
def test_keys_of_the_user_are_checked(wanted, usable, problem):
    got, problems = keys.check(wanted)
    assert got == usable
    assert problem in " ".join(problems)
    assert bool(problems) == bool(problem)


async def test_a_remapped_key_works_and_the_old_one_does_not():
    given_settings = fake.settings(ui={"keys": {"provider.next": "f12", "no.such": "f10"}})
    async with chat(services=fake.services(given_settings)) as (app, pilot, _):
        await pilot.press("f2")
        assert app.chat.wish.model == ""
        await pilot.press("f12")
        assert app.chat.wish.model == "claude-sonnet-4-5"
        assert "F12 model" in line_text(app, "#keys")
        notes = [note.message for note in app._notifications]
        assert any('no key action named "no.such"' in note for note in notes)


@pytest.mark.parametrize("key", ["f1", "question_mark"])
async def test_help_opens_and_closes(key):
    async with chat() as (app, pilot, _):
        await pilot.press(key)
        await pilot.pause()
        assert isinstance(app.screen, SheetScreen)
        await pilot.press("f2")
        assert app.chat.wish.model == ""
        await pilot.press("escape")
        assert not isinstance(app.screen, SheetScreen)


async def test_a_question_mark_in_a_text_is_text():
    async with chat() as (app, pilot, _):
        await type_text(pilot, "why?")
        assert app.prompt.text == "why?"


async def test_ctrl_c_clears_then_stops_then_quits():
    async with chat() as (app, pilot, services):
        import asyncio

        services.engine.scripts.append([*fake.answer("x")[:5], asyncio.Event()])
        await say(app, pilot, "go")
        await until(lambda: "x" in shown(app))
        app.prompt.put("draft")
        await pilot.press("ctrl+c")
        assert app.prompt.text == ""
        assert app.chat.busy
        await pilot.press("ctrl+c")
        await until(lambda: not app.chat.busy)
        assert app.is_running
        await pilot.press("ctrl+c", "ctrl+c")
        await pilot.pause()
        assert app.return_code == 0
        assert not app.is_running


def test_six_themes_are_shipped():
    themes, problems = theme.load()
    assert problems == []
    assert {one.name for one in themes} == {
        "aircher-dark", "aircher-light", "high-contrast", "colour-blind", "fjord", "sandstone",
    }  # fmt: skip
    assert sum(not one.dark for one in themes) == 2


def _contrast(one: str, other: str) -> float:
    """WCAG 2.1's contrast ratio."""

    def luminance(text: str) -> float:
        parts = [
            v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4
            for v in Color.parse(text).normalized
        ]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("one", theme.load()[0], ids=lambda one: one.name)
def test_every_theme_can_be_read(one):
    """4.5 : 1 is WCAG's AA for text; the text itself has AAA, 7 : 1."""
    for ground in (one.background, one.surface):
        assert _contrast(one.foreground, ground) >= 7
        for name in ("primary", "secondary", "accent", "success", "warning", "error"):
            assert _contrast(getattr(one, name), ground) >= 4.5, (name, ground)
        assert _contrast(one.variables["muted"], ground) >= 4.5, "muted"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = 'x'", 'needs primary = "#rrggbb"'),
        ("[colors]\nprimary = 'red'", "not 'red'"),
        ("[colors", "cannot be read"),
    ],
)
def test_a_bad_theme_file_is_one_sentence(tmp_path, text, words):
    (tmp_path / "mine.toml").write_text(text)
    themes, problems = theme.load(str(tmp_path))
    assert len(themes) == 6
    assert len(problems) == 1
    assert words in problems[0]
    assert "mine.toml" in problems[0]


async def test_a_theme_of_the_users_own_is_used(tmp_path):
    source = (theme.shipped_folder() / "fjord.toml").read_text().replace('"fjord"', '"mine"')
    (tmp_path / "mine.toml").write_text(source)
    ui = {"theme": "mine", "themes_dir": str(tmp_path)}
    async with chat(services=fake.services(fake.settings(ui=ui))) as (app, _, __):
        assert app.theme == "mine"


async def test_a_theme_that_is_not_there_is_told_and_the_default_stays():
    ui = {"theme": "plaid"}
    async with chat(services=fake.services(fake.settings(ui=ui))) as (app, _, __):
        assert app.theme == "aircher-dark"
        assert any("plaid" in note.message for note in app._notifications)


async def test_no_color_is_honoured_and_nothing_is_said_by_colour_alone(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with chat() as (app, _, __):
        assert app.no_color
        rows = line_text(app, "#providers")
        assert all(word in rows for word in ("ok", "paused", "not tried", "not set up"))
        assert "near limit" in line_text(app, "#costs")


@pytest.mark.parametrize(
    ("size", "sidebar"),
    [((120, 36), True), ((100, 30), True), ((80, 24), False), ((50, 16), False)],
)
async def test_the_sidebar_is_there_where_there_is_room(size, sidebar):
    async with chat(size=size) as (app, pilot, _):
        assert app.home.query_one("#sidebar").display is sidebar
        assert ("today $0.42 of $10.00" in line_text(app, "#status")) is not sidebar
        await pilot.press("ctrl+t")
        assert app.home.query_one("#sidebar").display is not sidebar


@pytest.mark.parametrize("width", [40, 59, 80, 120])
async def test_a_narrow_terminal_is_still_a_chat(width):
    async with chat(size=(width, 20)) as (app, pilot, services):
        await type_text(pilot, "a bug")
        await until(lambda: app.chat.preview is not None)
        assert len(line_text(app, "#status").rstrip()) <= width
        await pilot.press("enter")
        await until(lambda: services.engine.requests and not app.chat.busy)
        assert app.prompt.region.right <= width
        assert "help" in line_text(app, "#keys")


@settings(max_examples=40)
@given(st.integers(20, 200), st.booleans(), st.booleans(), st.text(max_size=40))
def test_the_status_line_is_never_wider_than_the_screen(width, fixed, busy, title):
    plan = fake.plan("code_generation", fake.SONNET)
    view = StatusView(
        "code_generation", str(fake.SONNET), plan.first.estimate, fixed, fixed,
        activity="waiting for somebody" if busy else "", title=title, below=12,
    )  # fmt: skip
    assert line(view, width, "⠋").cell_length <= width


def test_the_price_outlives_everything_else_on_a_small_line():
    plan = fake.plan("debugging", fake.SONNET)
    view = StatusView("debugging", str(fake.SONNET), plan.first.estimate, title="A long title")
    assert "~$0.0018" in line(view, 60).plain


async def test_the_welcome_says_who_answers_what_was_found_and_the_keys():
    async with chat() as (app, pilot, _):
        text = line_text(app, "#welcome")
        for words in (
            "openai/gpt-5-mini",
            "key in OPENAI_API_KEY",
            "Esc",
            "F2",
            "^R",
            "earlier chats",
        ):
            assert words in text
        await say(app, pilot, "hi")
        assert not app.home.query_one("#welcome").display


async def test_without_any_model_the_screen_says_what_to_do():
    rules = Rules(order=(), models={}, unusable={"openai": "no key: set OPENAI_API_KEY"})
    given_settings = fake.settings(rules=rules, problems=(ConfigProblem("c.toml", 3, "x", "bad"),))
    async with chat(services=fake.services(given_settings)) as (app, _, __):
        await until(lambda: "No model is set up yet" in line_text(app, "#status"))
        assert "aircher local pull" in line_text(app, "#welcome")
        assert "1 problem(s) in the configuration" in line_text(app, "#welcome")


async def test_where_all_must_stay_here_no_key_of_another_place_is_asked_for():
    async with chat() as (app, pilot, _):
        await until(lambda: "openai/gpt-5-mini" in line_text(app, "#welcome"))
        await say(app, pilot, "/local on")
        await until(lambda: "no model on this machine" in line_text(app, "#welcome"))
        assert "OPENAI_API_KEY" not in line_text(app, "#welcome")
        await say(app, pilot, "/local off")
        await until(lambda: "openai/gpt-5-mini" in line_text(app, "#welcome"))


def test_a_limit_that_is_reached_is_said_in_words():
    cap = CapState(Cap("costs.daily_limit", NANO, fake.NOW), NANO)
    figures = Figures(reply=Cost(None, "unknown"), today=Spend(NANO, unknown=2))
    text = "\n".join(row.plain for row in costs.lines(figures, cap, None))
    assert "limit reached" in text
    assert "$1.00 of $1.00" in text
    assert "?" in text.splitlines()[0]


@pytest.mark.parametrize(
    ("before", "first", "word"),
    [
        ("/mo", True, ("command", "mo")),
        ("/", True, ("command", "")),
        ("/mo", False, None),
        ("a /mo", True, None),
        ("/model x", True, None),
        ("see @src/p", True, ("file", "src/p")),
        ("@", False, ("file", "")),
        ("me@home", True, None),
    ],
)
def test_what_can_be_completed(before, first, word):
    assert word_to_complete(before, first) == word


def test_importing_the_app_imports_nothing_heavy():
    code = (
        "import sys, aircher.tui.app; print([m for m in ('openai', 'anthropic', 'google.genai',"
        " 'ollama', 'genai_prices', 'tiktoken', 'pygments', 'rich.markdown', 'sqlite3', 'git',"
        " 'keyring', 'httpx', 'aircher.engine', 'aircher.reports', 'aircher.tui.widgets.transcript')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_the_first_frame_does_not_wait_for_the_services():
    from aircher.tui.app import AircherApp

    seen = []

    def opener():
        seen.append(app.home.query_one("#prompt").size.width)
        return fake.services()

    app = AircherApp(opener)
    async with app.run_test(size=(80, 24)):
        await until(lambda: app.services is not None)
    assert seen[0] > 0


def test_the_document_of_the_keys_is_up_to_date():
    """Stale?  ``python -m aircher.tui.keys > docs/keys.md`` writes it."""
    root = Path(__file__).resolve().parents[2]
    assert (root / "docs" / "keys.md").read_text("utf-8") == keys.markdown()


async def test_ctrl_c_copies_what_is_selected_and_clears_nothing():
    async with chat() as (app, pilot, _):
        app.prompt.put("some words")
        app.prompt.select_all()
        await pilot.press("ctrl+c")
        assert app.clipboard == "some words"
        assert app.prompt.text == "some words"


async def test_a_turning_spinner_lays_nothing_out_again(monkeypatch):
    async with chat() as (app, pilot, _):
        app.set_status(activity="waiting")
        await pilot.pause(0.2)
        laid_out = []
        monkeypatch.setattr(app.home, "_refresh_layout", lambda *_, **__: laid_out.append(1))
        before = line_text(app, "#status")
        await until(lambda: line_text(app, "#status") != before)
        await pilot.pause(0.1)
        assert not laid_out


@pytest.mark.parametrize("size", [(120, 36), (50, 16)])
async def test_a_notice_hides_neither_the_prompt_nor_the_price(size):
    from textual.widgets._toast import Toast, ToastRack

    from aircher.tui.app import AircherApp

    app = AircherApp(fake.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        app.notify("A sentence of some length that the user should read at leisure.")
        rack = app.screen.get_child_by_type(ToastRack)
        await until(lambda: rack.query(Toast) and all(t.region.height for t in rack.query(Toast)))
        await pilot.pause()
        assert all(toast.region.bottom <= app.prompt.region.y for toast in rack.query(Toast))
