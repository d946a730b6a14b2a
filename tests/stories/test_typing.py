"""What I type: commands, files, long texts, and where they go."""

from __future__ import annotations

import json
from pathlib import Path

from tests.stories.conftest import Vendors
from tests.stories.test_chatting import ask
from tests.stories.vendor import said
from tests.support.terminal import Terminal


async def command(pane: Terminal, text: str) -> None:
    """Types a slash command and sends it."""
    pane.type(text)
    await pane.wait_for(f"│ {text}")
    pane.key("Enter")


async def test_i_reach_everything_by_slash_commands(
    vendors: Vendors, small: Terminal, project: Path
) -> None:
    small.start()
    await small.wait_for("Answers now")
    small.type("/")
    await small.wait_for("/model")
    small.key("BSpace")
    await small.wait_gone("/model")

    await command(small, "/help")
    await small.wait_for("Esc closes")
    small.key("Escape")
    await small.wait_gone("Esc closes")

    await command(small, "/model beta")
    await small.wait_for("next: beta/deep")
    await ask(small, "what is a branch")
    await small.wait_for("I am beta.")
    await small.wait_for("next: beta/deep")

    await command(small, "/cost")
    costs = await small.wait_for("─ Costs ─")
    assert "beta" in costs
    small.key("Escape")
    await small.wait_gone("─ Costs ─")

    await command(small, "/export chat.md")
    await small.wait_for("Written to")
    exported = (project / "chat.md").read_text(encoding="utf-8")
    assert "what is a branch" in exported
    assert "I am beta." in exported

    await command(small, "/theme nothing")
    await small.wait_for("There is no theme")
    await command(small, "/modle")
    await small.wait_for("Did you mean /model?")
    await command(small, "/quit")
    assert await small.wait_ended() == 0


async def test_i_mention_a_file_and_it_goes_along(
    vendors: Vendors, pane: Terminal, project: Path
) -> None:
    (project / "parser.py").write_text("WORD = 'xyzzy'\n", encoding="utf-8")
    (project / "lexer.py").write_text("", encoding="utf-8")
    pane.start()
    await pane.wait_for("Answers now")
    pane.type("what is in @pars")
    await pane.wait_for("@parser.py")
    pane.key("Tab")
    await pane.wait_for("│ what is in @parser.py")
    pane.key("Enter")
    await pane.wait_for("I am alpha.")
    assert "xyzzy" in json.dumps(vendors.alpha.received[-1].body["messages"])


async def test_i_find_a_command_by_its_name_in_the_palette(
    vendors: Vendors, pane: Terminal
) -> None:
    pane.start()
    await pane.wait_for("Answers now")
    pane.key("C-p")
    await pane.wait_for("Type to search")
    pane.type("help")
    await pane.wait_for("This help")
    pane.key("Enter")
    await pane.wait_for("Esc closes")


async def test_i_paste_two_hundred_lines_and_write_below_them(
    vendors: Vendors, small: Terminal
) -> None:
    pasted = "\n".join(f"line {number} of the log?" for number in range(200))
    small.start()
    await small.wait_for("Answers now")
    small.paste(pasted)
    await small.wait_for("[pasted 200 lines]")
    small.key("C-j")
    small.type("what does it mean?")
    await small.wait_for("│ what does it mean?")
    small.key("Enter")
    await small.wait_for("I am alpha.")
    assert said(vendors.alpha) == [("user", f"{pasted}\nwhat does it mean?")]


async def test_i_type_faster_than_the_program_draws(vendors: Vendors, pane: Terminal) -> None:
    pane.start()
    await pane.wait_for("Answers now")
    pane.type("is thiss\x7f all there?\rand this too")
    await pane.wait_for("I am alpha.")
    await pane.wait_for("│ and this too ")
    assert said(vendors.alpha) == [("user", "is this all there?")]


async def test_i_go_back_through_lines_and_then_through_history(
    vendors: Vendors, pane: Terminal
) -> None:
    pane.start()
    await pane.wait_for("Answers now")
    await ask(pane, "what is a branch")
    await pane.wait_for("I am alpha.")
    pane.type("one")
    pane.key("C-j")
    pane.type("two")
    await pane.wait_for("│ two")
    pane.key("Up")
    pane.type("X")
    await pane.wait_for("│ oneX")
    pane.key("Up")
    await pane.wait_for("│ what is a branch")
    pane.key("Down")
    await pane.wait_for("│ oneX")
