"""When something goes wrong: it is said in one sentence, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path

from aircher.tui.widgets.question import GRACE_S
from tests.stories.conftest import Vendors
from tests.stories.test_chatting import ask
from tests.stories.vendor import answer, broken, said
from tests.support.loopback import plain
from tests.support.program import run
from tests.support.terminal import Terminal

KEY = "sk-alpha-0123456789abcdef"


async def test_a_provider_fails_and_the_other_answers_under_a_seam(
    vendors: Vendors, pane: Terminal
) -> None:
    vendors.answers(plain({"error": {"message": "at capacity", "type": "overloaded"}}, status=503))
    pane.start()
    await pane.wait_for("Answers now")
    await ask(pane, "what is a branch")
    await pane.wait_for("I am beta.")
    seam = pane.conversation()
    assert re.search(r"alpha/swift: \S.*at capacity.*Now asking beta/deep\.", seam)
    await pane.wait_for(re.compile(r"alpha .*failing|alpha .*paused|alpha .*slow"))
    assert said(vendors.beta) == [("user", "what is a branch")]


async def test_a_provider_breaks_off_and_the_other_goes_on_under_a_seam(
    vendors: Vendors, pane: Terminal, home: Path
) -> None:
    vendors.answers(broken("Half of an answer", 0.2))
    pane.start()
    await pane.wait_for("Answers now")
    await ask(pane, "what is a branch")
    await pane.wait_for("I am beta.")
    assert re.search(
        r"Half of an answer .*alpha/swift: .*beta/deep goes on from here.*I am beta\.",
        pane.conversation(),
    )
    asked, begun, _ = said(vendors.beta)
    assert (asked, begun) == (("user", "what is a branch"), ("assistant", "Half of an answer"))
    await pane.wait_for("next: alpha/swift")
    kept = await run("sessions", "search", "half")
    assert "what is a branch" in kept.out


async def test_i_am_asked_before_another_provider_gets_my_text(
    vendors: Vendors, pane: Terminal
) -> None:
    vendors.configure('[fallback]\nconsent = "ask"\n')
    vendors.answers(plain({"error": {"message": "no", "code": "invalid_api_key"}}, status=401))
    pane.start()
    await pane.wait_for("Answers now")
    await ask(pane, "what is a branch")
    screen = await pane.wait_for("Ask beta/deep instead?")
    assert "alpha did not accept the key" in screen
    assert vendors.beta.received == []
    await pane.wait_for("y Ask beta/deep   n or Esc Stop here")
    await asyncio.sleep(GRACE_S)  # a key that comes at once was meant for the prompt
    pane.key("y")
    await pane.wait_for("I am beta.")
    assert "Ask beta/deep instead? Ask beta/deep." in pane.conversation()


async def test_the_machine_dies_in_mid_answer_and_the_part_is_still_there(
    vendors: Vendors, pane: Terminal
) -> None:
    never = asyncio.Event()
    vendors.answers(answer("Everything up to here ", 1.2, "and this too ", never))
    pane.start()
    await pane.wait_for("Answers now")
    await ask(pane, "what is a branch")
    await pane.wait_for("and this too")
    os.kill(pane.pid, signal.SIGKILL)
    assert await pane.wait_ended() == -signal.SIGKILL

    pane.again()
    await pane.wait_for("Answers now")
    pane.key("C-r")
    await pane.wait_for("Earlier chats · ")
    pane.type("branch")
    await pane.wait_for(re.compile(r"what is a branch +today"))
    pane.key("Enter")
    await pane.wait_gone("Earlier chats · ")
    await pane.wait_for(re.compile(r"Everything up to here[\s\S]*stopped · "))


async def test_over_the_daily_limit_i_am_told_and_get_my_text_back(
    vendors: Vendors, pane: Terminal
) -> None:
    vendors.configure("[costs]\ndaily_limit = 0.001\n")
    pane.start()
    await pane.wait_for("Answers now")
    await ask(pane, "what is a branch")
    screen = await pane.wait_for(
        lambda shown: "│ what is a branch" in shown and "▌ what is a branch" in shown
    )
    assert "costs.daily_limit" in screen
    assert not [one for one in vendors.alpha.received if one.method == "POST"]
    assert not [one for one in vendors.beta.received if one.method == "POST"]


async def test_a_wrong_key_is_told_in_a_sentence_and_shown_nowhere(
    vendors: Vendors, pane: Terminal, home: Path
) -> None:
    wrong = {"error": {"message": f"Incorrect API key provided: {KEY}", "code": "invalid_api_key"}}
    vendors.answers(plain(wrong, status=401), beta=plain(wrong, status=401))
    pane.start()
    await pane.wait_for("Answers now")
    await ask(pane, "what is a branch")
    await pane.wait_for("Check the key in")
    screen = await pane.wait_for("│ what is a branch")
    assert re.search(
        r"✗ alpha did not accept the key: .*2 models were tried.*Check the key in",
        pane.conversation(),
    )
    assert vendors.alpha.received[-1].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in screen
    pane.key("C-c")
    pane.key("C-d")
    await pane.wait_ended()
    for path in home.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
