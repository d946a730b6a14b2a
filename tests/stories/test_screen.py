"""What the screen does while answers come."""

from __future__ import annotations

import asyncio

import pytest

from tests.stories.conftest import Vendors
from tests.stories.test_chatting import ask
from tests.stories.vendor import answer
from tests.support.sequences import payloads
from tests.support.terminal import Terminal

pytestmark = pytest.mark.security

HOSTILE = [text.encode("utf-8", "replace").decode() for text in payloads().values()]


@pytest.mark.parametrize("fenced", [False, True])
async def test_an_answer_full_of_escapes_changes_nothing_outside_its_place(
    vendors: Vendors, pane: Terminal, fenced: bool
) -> None:
    fence = "```\n" if fenced else ""
    vendors.answers(answer(f"before\n\n{fence}", *HOSTILE, "inside\n", fence, "\n\nafter"))
    pane.start()
    await pane.wait_for("Answers now")
    title, modes = pane.value("pane_title"), pane.value("alternate_on")
    await ask(pane, "what is a branch")
    shown = await pane.wait_for("after")
    assert "before" in shown
    assert "╭─ Cost" in shown
    assert pane.buffers() == ""
    assert "PWN" not in pane.value("window_name")
    assert (pane.value("pane_title"), pane.value("alternate_on")) == (title, modes)


async def test_i_resize_the_window_while_an_answer_is_written(
    vendors: Vendors, pane: Terminal
) -> None:
    steps = [asyncio.Event() for _ in range(3)]
    vendors.answers(answer("One. ", steps[0], "Two. ", steps[1], "Three. ", steps[2], "Four."))
    pane.start()
    await pane.wait_for("Answers now")
    await ask(pane, "what is a branch")
    await pane.wait_for("One.")
    assert "╭─ Cost" in pane.screen()

    pane.resize(80, 24)
    await pane.wait_gone("╭─ Cost")
    steps[0].set()
    await pane.wait_for("One. Two.")

    pane.resize(60, 20)
    steps[1].set()
    await pane.wait_for("One. Two. Three.")

    pane.resize(120, 36)
    steps[2].set()
    shown = await pane.wait_for("One. Two. Three. Four.")
    assert "▌ what is a branch" in shown
    await pane.wait_for("╭─ Cost")
    await pane.wait_for("next: alpha/swift")
