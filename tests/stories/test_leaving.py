"""However the program ends, the terminal is as it was before."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stories.conftest import Vendors
from tests.stories.test_chatting import ask
from tests.stories.vendor import answer
from tests.support.program import AIRCHER, run
from tests.support.terminal import Terminal

pytestmark = pytest.mark.security

SANE = "0 1 0"
"""No alternate screen, the cursor shown, the mouse not reported."""

_SCRIPT = """
sh -c 'echo $$ > pid; exec "$0" "$@"' "$@"; echo "code=$?"
stty -a | tr ";" "\\n" | grep icanon
echo shown; read line; echo "read=$line"
"""


def in_a_shell(*command: str) -> tuple[str, ...]:
    """The command as a shell's child, which then tells its exit code and reads a line."""
    return ("sh", "-c", _SCRIPT, "sh", *command)


FAULTY = """
import sys
from aircher.entry import main
from aircher.tui.app import AircherApp

async def fails(self):
    key = "sk-alpha-0123456789abcdef"
    raise RuntimeError("not foreseen")

AircherApp._warm_up = fails
sys.exit(main())
"""


def state(pane: Terminal) -> str:
    """The modes that a program can leave behind."""
    return " ".join(pane.value(name) for name in ("alternate_on", "cursor_flag", "mouse_any_flag"))


async def left_sane(pane: Terminal) -> None:
    """The shell has its terminal back, as it was."""
    await pane.wait_for("shown")
    assert state(pane) == SANE
    assert " icanon" in f" {pane.screen()}"
    pane.type("typed")
    pane.key("Enter")
    await pane.wait_for("read=typed")


async def test_ctrl_c_clears_then_interrupts_then_quits(vendors: Vendors, pane: Terminal) -> None:
    never = asyncio.Event()
    vendors.answers(answer("Half of it ", never))
    pane.start(in_a_shell(*AIRCHER))
    await pane.wait_for("Answers now")
    assert state(pane) != SANE
    pane.type("a text that I do not want")
    await pane.wait_for("a text that I do not want")
    pane.key("C-c")
    await pane.wait_gone("a text that I do not want")

    await ask(pane, "what is a branch")
    await pane.wait_for("Half of it")
    pane.key("C-c")
    await pane.wait_for("stopped by you")
    await asyncio.sleep(1.1)  # the presses above are no double press
    pane.key("C-c")
    await pane.wait_for("again to quit")
    pane.key("C-c")
    await pane.wait_for("code=0")
    await left_sane(pane)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGQUIT", "SIGINT"])
async def test_ended_from_outside_in_mid_answer_it_keeps_the_chat_and_the_terminal(
    vendors: Vendors, pane: Terminal, project: Path, name: str
) -> None:
    never = asyncio.Event()
    vendors.answers(answer("Half of it ", 0.1, "and more ", never))
    pane.start(in_a_shell(*AIRCHER))
    await pane.wait_for("Answers now")
    await ask(pane, "what is a branch")
    await pane.wait_for("and more")
    number = getattr(signal, name)
    os.kill(int((project / "pid").read_text()), number)
    await pane.wait_for(f"code={128 + number}")
    await left_sane(pane)
    await half_is_kept()


async def test_stopped_and_woken_it_gives_the_terminal_back_and_takes_it_again(
    vendors: Vendors, pane: Terminal, project: Path
) -> None:
    go = asyncio.Event()
    vendors.answers(answer("Half of it ", go, "and the rest."))
    pane.start(in_a_shell(*AIRCHER))
    await pane.wait_for("Answers now")
    await ask(pane, "what is a branch")
    await pane.wait_for("Half of it")
    pid = int((project / "pid").read_text())
    os.kill(pid, signal.SIGTSTP)
    for _ in range(200):
        if state(pane) == SANE:
            break
        await asyncio.sleep(0.05)
    assert state(pane) == SANE
    go.set()
    os.kill(pid, signal.SIGCONT)
    await pane.wait_for("and the rest.")
    assert state(pane) != SANE
    pane.key("C-d")
    await pane.wait_for("code=0")
    await left_sane(pane)


async def test_my_terminal_vanishes_and_the_program_ends_and_keeps_the_chat(
    vendors: Vendors, pane: Terminal
) -> None:
    never = asyncio.Event()
    vendors.answers(answer("Half of it ", 0.1, "and more ", never))
    pane.start()
    await pane.wait_for("Answers now")
    await ask(pane, "what is a branch")
    await pane.wait_for("and more")
    pid = pane.pid
    pane.close()
    for _ in range(200):
        if ended(pid):
            break
        await asyncio.sleep(0.05)
    assert ended(pid)
    await half_is_kept()


def ended(pid: int) -> bool:
    """True once the process is gone, or only waits to be noticed."""
    ps = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return not ps.stdout.strip() or ps.stdout.startswith("Z")


async def half_is_kept() -> None:
    """The part that came is found again, and its cost is recorded."""
    found = await run("sessions", "search", "more")
    assert "what is a branch" in found.out
    costs = (await run("costs", "--json")).json
    assert "estimated" in json.dumps(costs)


async def test_a_fault_of_its_own_is_told_without_what_it_knew(
    vendors: Vendors, pane: Terminal
) -> None:
    pane.start(in_a_shell(sys.executable, "-c", FAULTY))
    await pane.wait_for("code=1")
    screen = await pane.wait_for("The chat is kept")
    assert "not foreseen" in screen
    # The line of the source may be quoted where it has a file; the value never is.
    assert "0123456789" not in screen
    await left_sane(pane)


async def test_without_a_terminal_it_says_how_to_ask(vendors: Vendors) -> None:
    ran = await run()
    assert ran.code == 2
    assert ran.out == ""
    assert re.fullmatch(r"aircher: The chat needs a terminal\.\n  .*aircher ask.*\n", ran.err)
