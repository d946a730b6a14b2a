"""The day of somebody who has never seen the program: the screen says what to do."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aircher.domain.messages import assistant, user
from aircher.storage.database import Database
from tests.stories.conftest import Vendors
from tests.stories.vendor import answer, said
from tests.support.clock import FakeClock
from tests.support.program import run
from tests.support.terminal import Terminal, terminal

QUESTION = "how do I list all branches"


async def ask(pane: Terminal, text: str) -> None:
    """Types a message, waits until its price stands on the screen, and sends it."""
    pane.type(text)
    await pane.wait_for(re.compile(r"→ \S+ .*\$"))
    pane.key("Enter")


async def test_i_type_and_see_task_model_and_price_before_i_send(
    vendors: Vendors, pane: Terminal
) -> None:
    vendors.answers(answer("Use `git branch", " --all`."))
    pane.start()
    welcome = await pane.wait_for("Answers now  alpha/swift")
    assert "earlier chats" in welcome

    pane.type(QUESTION)
    before = await pane.wait_for(
        re.compile(r"quick questions \d+% → alpha/swift  costs ~\$0\.0\d+")
    )
    assert "at most $" in before
    assert not [one for one in vendors.alpha.received if one.method == "POST"]

    pane.key("Enter")
    after = await pane.wait_for(re.compile(r"Last reply +\$0\.0020 "))
    assert "Use git branch --all." in after
    assert re.search(r"This chat +\$0\.0020 ", after)
    assert re.search(r"Tokens +1\.0k in · 500 out", after)

    pane.key("C-d")
    assert await pane.wait_ended() == 0
    listed = await run("sessions", "list")
    assert QUESTION in listed.out


async def test_on_a_fresh_machine_the_screen_says_what_was_found(
    home: Path, tmp_path: Path
) -> None:
    with terminal(tmp_path) as fresh:
        fresh.start()
        empty = await fresh.wait_for("no model yet")
        assert "set a key such as OPENAI_API_KEY" in empty
        assert "aircher local pull" in empty
        fresh.key("C-d")
        assert await fresh.wait_ended() == 0
    with terminal(tmp_path, env={"OPENAI_API_KEY": "sk-0123456789abcdefghij"}) as fresh:
        fresh.start()
        found = await fresh.wait_for(re.compile(r"Answers now  openai/\S+"))
        assert "OpenAI, by the key in OPENAI_API_KEY" in found
        assert "0123456789" not in found


async def test_i_watch_an_answer_being_written_and_its_cost_growing(
    vendors: Vendors, pane: Terminal
) -> None:
    rest, end = asyncio.Event(), asyncio.Event()
    vendors.answers(answer("The first words ", rest, "and the rest.", end))
    pane.start()
    await pane.wait_for("Answers now")
    await ask(pane, QUESTION)
    writing = await pane.wait_for("The first words")
    assert "and the rest." not in writing
    await pane.wait_for("alpha/swift is writing · Esc stops it")
    rest.set()
    shown = await pane.wait_for("The first words and the rest.")
    assert re.search(r"This reply +~\$0\.0", shown)
    end.set()
    await pane.wait_for(re.compile(r"Last reply +\$0\.0020 "))


async def test_i_switch_the_provider_in_mid_chat_and_back(vendors: Vendors, pane: Terminal) -> None:
    pane.start()
    await pane.wait_for("Answers now")
    await ask(pane, "what is a branch")
    await pane.wait_for("I am alpha.")
    await pane.wait_for("next: alpha/swift")

    pane.key("F2")
    chosen = await pane.wait_for("beta/deep (your choice)")
    assert "F6 automatic" in chosen
    await ask(pane, "what is a tag")
    await pane.wait_for("I am beta.")
    assert said(vendors.beta) == [
        ("user", "what is a branch"),
        ("assistant", "I am alpha."),
        ("user", "what is a tag"),
    ]

    await pane.wait_for("next: beta/deep (your choice)")
    pane.key("S-F2")
    await pane.wait_for("next: alpha/swift (your choice)")
    pane.key("F6")
    await pane.wait_gone("(your choice)")
    assert "next: alpha/swift" in pane.screen()
    await ask(pane, "what is a commit")
    await pane.wait_for(lambda screen: screen.count("I am alpha.") == 2)
    assert said(vendors.alpha)[2:4] == [("user", "what is a tag"), ("assistant", "I am beta.")]


async def test_i_stop_an_answer_and_keep_what_came(vendors: Vendors, pane: Terminal) -> None:
    never = asyncio.Event()
    vendors.answers(answer("Half of it ", never, "never said"), answer("The whole of it."))
    pane.start()
    await pane.wait_for("Answers now")
    await ask(pane, QUESTION)
    await pane.wait_for("Half of it")
    pane.key("Escape")
    stopped = await pane.wait_for("stopped by you; what came is kept")
    assert "Half of it" in stopped
    await pane.wait_for(re.compile(r"This chat +~\$0\.0"))
    await asyncio.wait_for(vendors.alpha.left.wait(), 5)

    await ask(pane, "go on, what is a tag")
    await pane.wait_for("The whole of it.")
    assert said(vendors.alpha) == [
        ("user", QUESTION),
        ("assistant", "Half of it "),
        ("user", "go on, what is a tag"),
    ]


async def test_i_find_yesterdays_chat_and_go_on_in_it(
    vendors: Vendors, pane: Terminal, home: Path
) -> None:
    data = home / ".local" / "share" / "aircher" / "aircher.db"
    clock = FakeClock(datetime.now(UTC) - timedelta(days=1))
    database = Database.open(data, clock)
    for question, reply in (
        ("How tall is the Eiffel tower?", "It is 330 metres tall."),
        ("How do I bake bread?", "With flour, water, salt and patience."),
    ):
        session = database.sessions.create()
        database.sessions.add(session.id, user(question))
        database.sessions.add(session.id, assistant(reply))
        clock.advance(1)
    database.close()

    pane.start()
    await pane.wait_for("Answers now")
    pane.key("C-r")
    await pane.wait_for("Earlier chats · ")
    listed = await pane.wait_for(re.compile(r"How tall is the Eiffel tower\? +yesterday"))
    assert "How do I bake bread?" in listed
    assert "yesterday" in listed
    pane.type("patience")
    await pane.wait_gone("How tall is the Eiffel tower?")
    pane.key("Enter")
    await pane.wait_gone("Earlier chats · ")  # whose rows tell the same words
    await pane.wait_for("With flour, water, salt and patience.")

    await ask(pane, "and how long")
    await pane.wait_for("I am alpha.")
    assert [text for _, text in said(vendors.alpha)] == [
        "How do I bake bread?",
        "With flour, water, salt and patience.",
        "and how long",
    ]
