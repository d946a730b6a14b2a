"""The transcript in a running app: what it shows, keeps in view, copies and tells."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.selection import SELECT_ALL, Selection

from aircher.tui.widgets.transcript import Entry, Role, Transcript
from tests.tui.app_fixture import until


class Host(App[None]):
    """Holds one transcript and remembers what it told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[object] = []

    def compose(self) -> ComposeResult:
        yield Transcript()

    def on_transcript_link_clicked(self, message: Transcript.LinkClicked) -> None:
        self.told.append((message.url, message.label))

    def on_transcript_new_below(self, message: Transcript.NewBelow) -> None:
        self.told.append(message.count)

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)


SIZE = (60, 20)


@pytest.fixture
async def pilot() -> AsyncIterator[Pilot[None]]:
    async with Host().run_test(size=SIZE) as running:
        yield running


def host(pilot: Pilot[None]) -> Host:
    assert isinstance(pilot.app, Host)
    return pilot.app


def screen(pilot: Pilot[None]) -> list[str]:
    """The visible lines, without blanks at their ends."""
    transcript = host(pilot).transcript
    return [transcript.render_line(y).text.rstrip() for y in range(transcript.size.height)]


def shown(pilot: Pilot[None]) -> str:
    return "\n".join(screen(pilot)).strip("\n")


async def test_a_conversation(pilot: Pilot[None]) -> None:
    transcript = host(pilot).transcript
    transcript.add("user", "What is *this*?\nTell.", title="You")
    key = transcript.begin("assistant", "gpt-5-nano")
    transcript.append(key, "It is **an** ans")
    transcript.append(key, "wer.")
    transcript.end(key, "gpt-5-nano · 1.2 s")
    transcript.seam("claude stopped: overloaded; gpt-5 goes on")
    transcript.notice("Saved.")
    transcript.add("error", "The key was refused.")
    assert shown(pilot) == (
        "▌ You\n"
        "▌ What is *this*?\n"
        "▌ Tell.\n"
        "\n"
        "  gpt-5-nano\n"
        "  It is an answer.\n"
        "  gpt-5-nano · 1.2 s\n"
        "\n"
        "⇢ claude stopped: overloaded; gpt-5 goes on\n"
        "\n"
        "· Saved.\n"
        "\n"
        "✗ The key was refused."
    )


async def test_a_stopped_answer_says_so(pilot: Pilot[None]) -> None:
    key = host(pilot).transcript.begin()
    host(pilot).transcript.append(key, "Half")
    host(pilot).transcript.end(key, state="stopped")
    assert shown(pilot) == "  Half\n  ■ stopped"


async def test_text_appears_while_it_streams(pilot: Pilot[None]) -> None:
    transcript = host(pilot).transcript
    key = transcript.begin()
    transcript.append(key, "word " * 5)
    await until(lambda: shown(pilot) == "  word word word word word")


async def test_a_busy_machine_gets_fewer_frames(
    pilot: Pilot[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript = host(pilot).transcript
    drawn = []
    draw = transcript._draw
    monkeypatch.setattr(transcript, "_draw", lambda: (drawn.append(1), draw()))
    key = transcript.begin()
    for _ in range(25):
        transcript.append(key, "word ")
        time.sleep(0.06)  # as if others had the processor
        await asyncio.sleep(0.001)
    assert 2 < len(drawn) < 13


async def test_the_terminal_gets_what_changed(pilot: Pilot[None]) -> None:
    transcript = host(pilot).transcript
    key = transcript.begin()
    for word in ("first", "second", "third"):
        transcript.append(key, f"{word}\n\n")
        await until(lambda word=word: word in host(pilot).export_screenshot())


async def test_text_that_comes_before_the_first_size_is_kept() -> None:
    class Early(Host):
        def on_mount(self) -> None:
            self.transcript.add("user", "early")

    async with Early().run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert shown(pilot) == "▌ early"


async def test_streamed_lines_are_those_of_the_whole(pilot: Pilot[None]) -> None:
    transcript = host(pilot).transcript
    source = "# T\n\n- a\n- b\n\n```py\nx = 1\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    key = transcript.begin()
    for at in range(0, len(source), 3):
        transcript.append(key, source[at : at + 3])
        if at % 9 == 0:
            await pilot.pause(0.06)
    transcript.end(key)
    streamed = shown(pilot)
    transcript.clear()
    transcript.add("assistant", source)
    assert shown(pilot) == streamed


# Scrolling


async def test_the_view_follows_the_end(pilot: Pilot[None]) -> None:
    transcript = host(pilot).transcript
    for number in range(30):
        transcript.add("user", f"message {number}")
    assert screen(pilot)[-1] == "▌ message 29"
    assert transcript.following
    assert transcript.new_below == 0


async def test_the_view_stays_where_the_user_reads(pilot: Pilot[None]) -> None:
    transcript = host(pilot).transcript
    for number in range(30):
        transcript.add("user", f"message {number}")
    transcript.scroll_to(y=10, animate=False)
    await pilot.pause()
    before = screen(pilot)
    key = transcript.begin()
    transcript.append(key, "one\n\ntwo\n\nthree")
    transcript.end(key)
    await pilot.pause()
    assert screen(pilot) == before
    assert transcript.new_below == 6
    assert host(pilot).told[-1] == 6
    transcript.follow()
    await pilot.pause()
    assert screen(pilot)[-1] == "  three"
    assert transcript.new_below == 0
    assert host(pilot).told[-1] == 0


async def test_scrolling_back_down_follows_again(pilot: Pilot[None]) -> None:
    transcript = host(pilot).transcript
    for number in range(30):
        transcript.add("user", f"message {number}")
    transcript.focus()
    await pilot.press("pageup")
    await until(lambda: not transcript.following)
    await pilot.pause(0.6)  # the scroll's own motion has ended
    transcript.scroll_end(animate=False)
    await pilot.pause()
    transcript.add("user", "last")
    assert transcript.following
    assert screen(pilot)[-1] == "▌ last"


async def test_messages_are_jumped_between(pilot: Pilot[None]) -> None:
    transcript = host(pilot).transcript
    for number in range(10):
        transcript.add("user", f"message {number}\n" + "more\n" * 6)
    transcript.focus()
    await pilot.press("[", "[")
    first = screen(pilot)[1]
    await pilot.press("[")
    assert screen(pilot)[1] != first
    await pilot.press("]")
    assert screen(pilot)[1] == first
    assert first.startswith("▌ message")


LONG = "some words that make the line long enough to be wrapped once or twice. " * 6


async def test_a_thousand_messages_are_parsed_only_when_seen(pilot: Pilot[None]) -> None:
    transcript = host(pilot).transcript
    keys = transcript.load(
        Entry("user" if n % 2 else "assistant", f"number {n}. {LONG}\n\n- a\n- b")
        for n in range(1000)
    )
    await pilot.pause()
    assert len(keys) == 1000
    assert transcript.rendered <= 5
    assert "number 999." in shown(pilot)
    transcript.scroll_to(y=transcript.virtual_size.height // 2, animate=False)
    await pilot.pause()
    assert transcript.rendered <= 10
    transcript.scroll_home(animate=False)
    await pilot.pause()
    assert screen(pilot)[1].startswith("  number 0.")


async def test_scrolling_up_into_estimates_skips_nothing(pilot: Pilot[None]) -> None:
    transcript = host(pilot).transcript
    # Lines of a paragraph are joined: the estimate is far too high for these.
    transcript.load(
        Entry("assistant", f"number {n}\n\n" + "short\n" * (n % 4 * 9) + f"\n{LONG}")
        for n in range(16)
    )
    await pilot.pause()
    seen = set()
    while True:
        before = screen(pilot)
        seen |= {word for line in before for word in line.split() if word.isdigit()}
        if transcript.scroll_offset.y <= 9:
            break
        transcript.scroll_relative(y=-9, animate=False)
        await pilot.pause()
        assert screen(pilot)[9:] == before[:-9]
    transcript.scroll_home(animate=False)
    await pilot.pause()
    assert screen(pilot)[1] == "  number 0"
    assert seen | {"0"} == {str(n) for n in range(16)}


async def test_a_far_message_is_shown_from_its_first_line(pilot: Pilot[None]) -> None:
    transcript = host(pilot).transcript
    keys = transcript.load(Entry("assistant", f"number {n}\n\n{LONG}") for n in range(100))
    await pilot.pause()
    transcript.go_to(keys[50])
    await pilot.pause()
    assert screen(pilot)[1] == "  number 50"


async def test_a_new_width_wraps_again(pilot: Pilot[None]) -> None:
    transcript = host(pilot).transcript
    transcript.add("assistant", "word " * 40)
    wide = len([line for line in screen(pilot) if line])
    await pilot.resize_terminal(30, 20)
    await pilot.pause()
    lines = [line for line in screen(pilot) if line]
    assert len(lines) > wide
    assert all(len(line) <= 30 for line in lines)
    assert " ".join(lines).split() == ["word"] * 40


# Long texts that come all at once

LONG_CODE = "```python\n" + "".join(f"x_{n} = {{'n': {n}}}\n" for n in range(1600)) + "```\n"


async def settled(pilot: Pilot[None], last: str) -> None:
    """Wait until the last line of the screen shows ``last``."""
    for _ in range(500):
        if last in screen(pilot)[-1]:
            return
        await pilot.pause(0.02)
    raise AssertionError(f"{last!r} never came: {screen(pilot)[-1]!r}")


async def test_a_long_text_is_laid_out_between_the_keys(pilot: Pilot[None]) -> None:
    transcript = host(pilot).transcript
    transcript.add("assistant", LONG_CODE + "\nThe end.")
    heights = {transcript.virtual_size.height}
    while max(heights) < 1600:
        await asyncio.sleep(0)  # as a key that comes in would
        heights.add(transcript.virtual_size.height)
    assert len(heights) > 5
    await settled(pilot, "The end.")
    assert transcript.virtual_size.height > 1600
    assert transcript.following


async def test_what_is_read_stays_in_place_while_a_long_text_grows(pilot: Pilot[None]) -> None:
    transcript = host(pilot).transcript
    for number in range(20):
        transcript.add("user", f"message {number}")
    key = transcript.add("assistant", LONG_CODE)
    transcript.go_to(key)
    before = screen(pilot)
    assert before[1] == "    python"
    for _ in range(5):
        await pilot.pause(0.03)
        assert screen(pilot) == before


async def test_a_long_text_is_copied_whole_before_it_is_laid_out(pilot: Pilot[None]) -> None:
    app = host(pilot)
    key = app.transcript.add("assistant", LONG_CODE)
    assert app.transcript.source(key) == LONG_CODE
    assert app.transcript.get_selection(SELECT_ALL) == (LONG_CODE, "\n")
    code = LONG_CODE.removeprefix("```python\n").removesuffix("```\n")
    assert app.transcript.copy_last_code() == code


@pytest.mark.parametrize("role", ["assistant", "user"])
async def test_an_endless_line_is_laid_out_in_slices_and_copied_whole(
    pilot: Pilot[None], role: Role
) -> None:
    transcript = host(pilot).transcript
    line = "word " * 120_000 + "end."
    transcript.add(role, f"Before.\n\n{line}\n\nAfter.")
    assert transcript.virtual_size.height < 9_000
    await settled(pilot, "After.")
    assert transcript.virtual_size.height > 10_000
    transcript.go_to(1)
    await pilot.pause()
    rows = [transcript.render_line(y) for y in (1, 3, 4, 5)]
    offsets = [next(s.style.meta["offset"][1] for s in row if s.style) for row in rows]
    far = Offset(60, offsets[0] + transcript.virtual_size.height - 4)
    found = transcript.get_selection(Selection.from_offsets(Offset(2, offsets[1]), far))
    assert found is not None
    assert found[0] == line


async def test_the_end_of_a_long_answer_is_laid_out_in_slices_too(pilot: Pilot[None]) -> None:
    transcript = host(pilot).transcript
    key = transcript.begin()
    transcript.append(key, "See [it][r].\n\n" + "- **item**\n" * 1200)
    while transcript.virtual_size.height < 1200:
        await pilot.pause(0.02)
    transcript.append(key, "\n[r]: https://r.invalid\n\nThe end.")
    transcript.end(key, "done")
    height = transcript.virtual_size.height
    assert height > 1200  # the old lines stay until the new are whole
    await settled(pilot, "done")
    transcript.scroll_home(animate=False)
    for _ in range(200):
        await pilot.pause(0.02)
        if screen(pilot)[1] == "  See it.":
            break
    assert screen(pilot)[1] == "  See it."


async def test_a_new_width_of_a_long_text_is_laid_out_in_slices(pilot: Pilot[None]) -> None:
    transcript = host(pilot).transcript
    transcript.add("assistant", "word " * 12 + "\n\n" + ("word " * 12 + "\n\n") * 1600 + "The end.")
    await settled(pilot, "The end.")
    await pilot.resize_terminal(30, 20)
    for _ in range(200):
        await pilot.pause(0.02)
        if transcript.virtual_size.height > 6_400:
            break
    assert screen(pilot)[-1] == "  The end."
    assert transcript.virtual_size.height > 6_400


# Foreign text


async def test_escape_sequences_are_harmless(pilot: Pilot[None]) -> None:
    transcript = host(pilot).transcript
    evil = "a\x1b]52;c;eA==\x07b\x1b[2J\u202e `\x9b31m` \r\n```\x1b]0;t\x07\nx\x1b[0m\n```"
    transcript.add("user", evil, title="\x1b[31mme")
    key = transcript.begin("assistant", "m\x07")
    for character in evil:
        transcript.append(key, character)
        transcript.append_thinking(key, character)
    transcript.toggle_thinking(key)
    transcript.end(key, "\x1b[2Jfooter")
    text = shown(pilot) + transcript.source(key)
    assert not any((c < " " and c != "\n") or "\x7f" <= c <= "\x9f" or c == "\u202e" for c in text)


async def test_console_markup_is_text(pilot: Pilot[None]) -> None:
    host(pilot).transcript.add("assistant", "[bold]x[/bold] [@click=app.quit]y[/]")
    assert shown(pilot) == "  [bold]x[/bold] [@click=app.quit]y[/]"


async def test_wide_characters_fill_their_cells(pilot: Pilot[None]) -> None:
    transcript = host(pilot).transcript
    transcript.add("assistant", "漢字かな交じり文" * 10 + " 👩‍👩‍👧 e\u0301 ok")
    for y in range(transcript.size.height):
        assert transcript.render_line(y).cell_length == transcript.size.width - 1
    assert screen(pilot)[1].startswith("  漢字かな")


# Thinking


async def test_thinking_is_folded_until_asked_for(pilot: Pilot[None]) -> None:
    transcript = host(pilot).transcript
    key = transcript.begin()
    transcript.append_thinking(key, "Let me *see* how\nthis goes")
    await until(lambda: shown(pilot).startswith("  ▸ Thinking · 6 words · …Let me *see*"))
    transcript.append(key, "So.")
    transcript.end(key)
    assert shown(pilot) == "  ▸ Thought · 6 words\n\n  So."
    transcript.focus()
    await pilot.press("t")
    assert shown(pilot) == ("  ▾ Thought · 6 words\n  │ Let me *see* how\n  │ this goes\n\n  So.")
    await pilot.click(Transcript, offset=(4, 1))
    assert "Let me" not in shown(pilot)


# Links and code


async def test_a_clicked_link_is_told_and_nothing_else(pilot: Pilot[None]) -> None:
    host(pilot).transcript.add("assistant", "see [the page](https://x.invalid/a) now")
    await pilot.click(Transcript, offset=(7, 1))
    await pilot.click(Transcript, offset=(2, 1))
    assert host(pilot).told == [("https://x.invalid/a", "the page")]


async def test_links_and_code_by_keyboard(pilot: Pilot[None]) -> None:
    app = host(pilot)
    app.transcript.add("assistant", "[a](https://a.invalid)\n\n```py\nx = 1\n```\n")
    app.transcript.focus()
    await pilot.press("n", "enter")
    assert app.told == [("https://a.invalid", "a")]
    await pilot.press("n", "enter")
    assert app.clipboard == "x = 1\n"


CODE = (
    "Do:\n\n```py\nif x:\n\tlong_name = '"
    + "a" * 80
    + "'\n\n    y\n```\n\n- **one** two\n- three\n"
)


async def test_the_last_code_is_copied_as_written(pilot: Pilot[None]) -> None:
    app = host(pilot)
    assert app.transcript.copy_last_code() == ""
    app.transcript.add("assistant", CODE)
    app.transcript.add("user", "thanks")
    code = "if x:\n\tlong_name = '" + "a" * 80 + "'\n\n    y\n"
    assert app.transcript.copy_last_code() == code
    assert app.clipboard == code


async def test_a_message_is_copied_as_it_came(pilot: Pilot[None]) -> None:
    app = host(pilot)
    key = app.transcript.add("assistant", CODE)
    app.transcript.copy_message(key)
    assert app.clipboard == CODE


# Selection


def selected(pilot: Pilot[None], start: tuple[str, int], end: tuple[str, int]) -> str | None:
    """Select from a column of the line that shows a text to a column of another."""
    transcript = host(pilot).transcript
    lines = screen(pilot)

    def spot(text: str, column: int) -> tuple[int, int]:
        y = next(i for i, line in enumerate(lines) if text in line)
        strip = transcript.render_line(y)
        row = next(s.style.meta["offset"][1] for s in strip if s.style)
        return column, row

    selection = Selection.from_offsets(Offset(*spot(*start)), Offset(*spot(*end)))
    found = transcript.get_selection(selection)
    return found[0] if found else None


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (("Do:", 0), ("Do:", 60), "Do:"),
        (("if x", 4), ("if x", 9), "if x:"),
        (("if x", 0), ("      y", 40), "if x:\n\tlong_name = '" + "a" * 80 + "'\n\n    y"),
        (("  py", 0), ("if x", 40), "if x:"),
        (("one", 0), ("three", 40), "- **one** two\n- three"),
        (("one", 6), ("one", 30), "e two"),
        (("Do:", 0), ("three", 40), CODE.rstrip("\n")),
        (("Do:", 3), ("if x", 6), "o:\n\n```py\nif"),
    ],
)
async def test_a_selection_copies_the_source(
    pilot: Pilot[None], start: tuple[str, int], end: tuple[str, int], expected: str
) -> None:
    host(pilot).transcript.add("assistant", CODE)
    assert selected(pilot, start, end) == expected


async def test_wrapped_prose_is_copied_unwrapped(pilot: Pilot[None]) -> None:
    words = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu"
    host(pilot).transcript.add("assistant", words)
    assert selected(pilot, ("alpha", 8), ("lambda", 8)) == words[6 : words.index("lambda") + 6]


async def test_a_selection_over_messages(pilot: Pilot[None]) -> None:
    transcript = host(pilot).transcript
    transcript.add("user", "first")
    transcript.add("assistant", "**second**", title="model")
    transcript.add("user", "third")
    assert selected(pilot, ("first", 0), ("third", 4)) == "first\n\n**second**\n\nth"
    everything = transcript.get_selection(SELECT_ALL)
    assert everything == ("first\n\n**second**\n\nthird", "\n")


async def test_the_mouse_selects_and_the_highlight_shows(pilot: Pilot[None]) -> None:
    app = host(pilot)
    app.transcript.add("assistant", "some **bold** words")
    await pilot.pause()
    await pilot.mouse_down(Transcript, offset=(2, 1))
    app.screen._forward_event(
        events.MouseMove(app.transcript, 10, 1, 8, 0, 1, False, False, False, 10, 1)
    )
    await pilot.pause()
    await pilot.mouse_up(Transcript, offset=(10, 1))
    await pilot.pause()
    assert app.screen.get_selected_text() == "some bold"
    backgrounds = {
        segment.style.bgcolor for segment in app.transcript.render_line(1) if segment.style
    }
    assert len(backgrounds) == 2


# Themes


async def test_a_new_theme_changes_colours_and_no_lines(pilot: Pilot[None]) -> None:
    app = host(pilot)
    app.transcript.add("assistant", "# T\n\n`code`\n\n```py\nif x: pass\n```")
    await pilot.pause()
    lines, dark = screen(pilot), app.transcript.palette["code syntax-keyword"]
    app.theme = "textual-light"
    await pilot.pause()
    assert screen(pilot) == lines
    assert app.transcript.palette["code syntax-keyword"] != dark
    colours = {app.transcript.palette[name].color for name in ("", "heading", "link", "footer")}
    assert len(colours) == 4


async def test_without_colour_the_roles_still_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with Host().run_test(size=SIZE) as pilot:
        host(pilot).transcript.add("user", "mine")
        host(pilot).transcript.add("assistant", "**theirs** `code`")
        await pilot.pause()
        assert shown(pilot) == "▌ mine\n\n  theirs code"
        assert host(pilot).transcript.palette["strong"].bold
