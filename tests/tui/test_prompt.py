"""The prompt under hard use: fast keys, long pastes, strange bytes."""

from __future__ import annotations

import os
import pty
import threading
from contextlib import suppress

import pytest
from textual import events
from textual.drivers._writer_thread import WriterThread

from aircher.tui.driver import LastingScreen, PatientDriver
from aircher.tui.screens.pick import PickScreen
from aircher.tui.screens.sheet import SheetScreen
from tests.tui.app_fixture import chat, line_text, say, shown, until

LOG = "\n".join(f"line {number}" for number in range(200))


def keys_at_once(app, text):
    for letter in text:
        app.post_message(events.Key("slash" if letter == "/" else letter, letter))


@pytest.mark.parametrize("command", ["/config", "/cost"])
async def test_a_command_typed_faster_than_its_completion_is_the_one_that_runs(command):
    async with chat() as (app, _, __):
        keys_at_once(app, command)
        app.post_message(events.Key("enter", None))
        await until(lambda: isinstance(app.screen, SheetScreen))
        assert app.screen._title == {"/config": "Configuration", "/cost": "Costs"}[command]


async def test_a_long_paste_is_a_chip_and_is_sent_whole():
    async with chat() as (app, pilot, services):
        app.prompt.insert("why? ")
        app.post_message(events.Paste(LOG))
        await until(lambda: "[pasted 200 lines]" in app.prompt.text)
        await until(lambda: services.engine.previews)
        assert services.engine.previews[-1].text == f"why? {LOG}"
        await pilot.press("enter")
        await until(lambda: services.engine.requests)
        assert services.engine.requests[0].text == f"why? {LOG}"
        assert app.prompt.text == ""


async def test_two_pastes_are_told_apart_and_one_backspace_takes_one():
    async with chat() as (app, pilot, _):
        for text in (LOG, LOG.upper()):
            app.post_message(events.Paste(text))
        await until(lambda: app.prompt.text == "[pasted 200 lines][pasted 200 lines, 2]")
        assert app.prompt.whole_text == LOG + LOG.upper()
        await pilot.press("backspace")
        assert app.prompt.text == "[pasted 200 lines]"
        assert app.prompt.whole_text == LOG
        await pilot.press("backspace")
        assert app.prompt.text == ""


async def test_a_chip_survives_a_look_at_earlier_messages():
    async with chat() as (app, pilot, _):
        app.prompt.set_history(["old"])
        app.post_message(events.Paste(LOG))
        await until(lambda: app.prompt.text)
        await pilot.press("up", "down")
        assert app.prompt.whole_text == LOG


async def test_a_short_paste_is_text():
    async with chat() as (app, _, __):
        app.post_message(events.Paste("a\nb"))
        await until(lambda: app.prompt.text == "a\nb")


async def test_ten_megabytes_can_be_pasted_and_taken_away():
    async with chat() as (app, pilot, services):
        huge = "x" * 10_000_000
        app.post_message(events.Paste(huge))
        await until(lambda: app.prompt.text == "[pasted 10,000,000 characters]")
        await until(lambda: services.engine.previews)
        assert len(services.engine.previews[-1].text) == len(huge)
        await pilot.press("ctrl+c")
        assert app.prompt.whole_text == ""


async def test_decorators_in_pasted_code_are_no_missing_files():
    async with chat() as (app, pilot, services):
        await say(app, pilot, "@pytest.mark.slow\n@app.route('/x')\ndef f(): see @src/none.py")
        await until(lambda: services.engine.requests)
        assert "pytest" not in shown(app).replace("@pytest.mark.slow\n", "")
        assert "@src/none.py was not attached" in shown(app)
        assert services.engine.requests[0].files == ()


@pytest.mark.parametrize("key", ["f1", "f4", "ctrl+p"])
async def test_ctrl_c_leaves_a_screen_and_not_the_program(key):
    async with chat() as (app, pilot, _):
        await pilot.press(key)
        await pilot.pause()
        assert isinstance(app.screen, PickScreen | SheetScreen)
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert len(app.screen_stack) == 1
        assert app.is_running
        assert "help" in line_text(app, "#keys")


class _App:
    """As much of an app as the driver's thread talks to."""

    def __init__(self):
        self.left = []

    def call_later(self, what, *arguments):
        what(*arguments)

    def exit(self, code):
        self.left.append(code)


@pytest.fixture
def typing(monkeypatch):
    """A driver that reads a pseudo-terminal: (its end to write to, what came, the app)."""
    master, slave = pty.openpty()
    os.set_blocking(slave, True)
    import tty

    tty.setraw(slave)
    driver = PatientDriver.__new__(PatientDriver)
    driver.exit_event = threading.Event()
    driver.fileno, driver._debug, driver._app = slave, False, _App()
    got = []
    monkeypatch.setattr(driver, "process_message", got.append)
    thread = threading.Thread(target=driver.run_input_thread)
    thread.start()
    yield master, got, driver._app
    driver.exit_event.set()
    thread.join(5)
    for end in (master, slave):
        with suppress(OSError):
            os.close(end)


async def test_bytes_that_are_no_text_do_not_end_the_program(typing):
    master, got, app = typing
    os.write(master, b"a\xff\xfeb")
    await until(lambda: [event.character for event in got] == ["a", "\ufffd", "\ufffd", "b"])
    assert app.left == []


async def test_a_terminal_that_is_gone_ends_the_program_quietly(typing):
    master, _, app = typing
    os.close(master)
    await until(lambda: app.left == [0])


def test_a_terminal_that_is_gone_takes_all_that_is_drawn():
    master, slave = pty.openpty()
    screen = open(slave, "w", encoding="utf-8")  # noqa: SIM115 - the test closes it
    writer = WriterThread(LastingScreen(screen))
    writer.start()
    os.close(master)
    drawn = threading.Thread(target=lambda: [writer.write("a picture") for _ in range(200)])
    drawn.daemon = True
    drawn.start()
    drawn.join(5)
    assert not drawn.is_alive()
    writer.stop()
    with suppress(OSError):
        screen.close()
