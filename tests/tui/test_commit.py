"""/commit in the running app: every choice by its key; a real repository at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, Static, TextArea

from aircher.bootstrap import committing as boot
from aircher.bootstrap.desk import open_desk
from aircher.domain.errors import GitRefused
from aircher.domain.events import Asking
from aircher.domain.questions import Question
from aircher.domain.routes import Wish
from aircher.tui.screens import commit
from aircher.tui.screens.commit import CommitScreen
from tests.support import engine as fake
from tests.support.desk import MESSAGES, FakeDesk
from tests.support.repository import new_repo
from tests.tui.app_fixture import chat, say, shown, type_text, until


@asynccontextmanager
async def opened(
    desk: FakeDesk, monkeypatch: pytest.MonkeyPatch, command: str = "/commit", *, ready: bool = True
) -> AsyncIterator[tuple[Any, Any]]:
    monkeypatch.setattr("aircher.bootstrap.desk.open_desk", lambda services: desk)
    monkeypatch.setattr(commit, "GRACE_S", 0.0)
    async with chat() as (app, pilot, services):
        asked = "why does the parser loop?"
        services.sessions.put("s-new", "The loop", timedelta(), asked, "Take it off first.")
        services.engine.scripts.append(fake.answer("Take it off first."))
        await say(app, pilot, asked)
        await until(lambda: not app.chat.busy)
        await say(app, pilot, command)
        await until(lambda: isinstance(app.screen, CommitScreen))
        if ready:
            await until(lambda: app.screen.ready)
        yield app, pilot


def words(app: Any, part: str = "#message") -> str:
    return str(app.screen.query_one(part, Static).render())


async def test_enter_commits_and_the_chat_says_so(monkeypatch):
    desk = FakeDesk()
    async with opened(desk, monkeypatch, "/commit for ABC-12") as (app, pilot):
        assert "Take each token off" in words(app)
        assert "openai/gpt-5-mini · $0.00031" in words(app, "#facts")
        assert "yield head(tokens)" in words(app, "#diff")
        await pilot.press("enter")
        await until(lambda: not isinstance(app.screen, CommitScreen))
        assert desk.committed == [MESSAGES[0]]
        assert "Committed 1f2e3d4c5b" in shown(app)
    why = "for ABC-12\n(in a chat about it) why does the parser loop?"
    assert desk.asks[0].hint == why
    assert not desk.asks[0].wish.local


async def test_an_enter_too_many_commits_nothing(monkeypatch):
    desk = FakeDesk()
    async with opened(desk, monkeypatch) as (app, pilot):
        monkeypatch.setattr(commit, "GRACE_S", 3600.0)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, CommitScreen)
        assert desk.committed == []
        monkeypatch.setattr(commit, "GRACE_S", 0.0)
        await pilot.press("enter")
        await until(lambda: desk.committed)


async def test_another_one_and_one_of_several(monkeypatch):
    desk = FakeDesk()
    async with opened(desk, monkeypatch) as (app, pilot):
        await pilot.press("r")
        await until(lambda: "End the parser's loop" in words(app))
        assert desk.asks[1].earlier == (MESSAGES[0],)
        await pilot.press("n")
        await until(lambda: app.screen.ready)
        assert desk.asks[2].count == 3
        await pilot.press("right", "right", "left", "3")
        await pilot.press("enter")
        await until(lambda: desk.committed)
    assert desk.committed == [MESSAGES[2]]


async def test_a_change_in_words_and_an_edit(monkeypatch):
    desk = FakeDesk()
    async with opened(desk, monkeypatch) as (app, pilot):
        await pilot.press("c")
        await type_text(pilot, "quite short enq")
        assert app.screen.query_one("#wish", Input).value == "quite short enq"
        await pilot.press("enter")
        await until(lambda: len(desk.asks) == 2 and app.screen.ready)
        assert desk.asks[1].change == "quite short enq"
        await pilot.press("e")
        editor = app.screen.query_one("#editor", TextArea)
        editor.text = "Mine\n\nAnd why."
        await pilot.press("escape", "enter")
        await until(lambda: desk.committed)
    assert str(desk.committed[0]) == "Mine\n\nAnd why.\n"


async def test_stopping_keeps_the_message(monkeypatch):
    desk = FakeDesk()
    async with opened(desk, monkeypatch) as (app, pilot):
        await pilot.press("escape")
        await until(lambda: not isinstance(app.screen, CommitScreen))
        assert "aircher commit --retry" in shown(app)
    assert desk.kept == [MESSAGES[0]]
    assert not desk.committed


async def test_a_refused_commit_says_why_and_can_be_tried_again(monkeypatch):
    desk = FakeDesk(refusal=GitRefused("git did not make the commit.", hint="lint: line 3"))
    async with opened(desk, monkeypatch) as (app, pilot):
        await pilot.press("enter")
        await until(lambda: "lint: line 3" in words(app, "#facts"))
        desk.refusal = None
        await pilot.press("enter")
        await until(lambda: desk.committed)


async def test_a_failed_answer_can_be_asked_again(monkeypatch):
    desk = FakeDesk(fails=1)
    async with opened(desk, monkeypatch, ready=False) as (app, pilot):
        await until(lambda: "holds no message" in words(app, "#facts"))
        await pilot.press("enter")
        assert not desk.committed
        await pilot.press("r")
        await until(lambda: app.screen.ready)


@pytest.mark.parametrize(("key", "said"), [("y", True), ("escape", False)])
async def test_a_question_is_answered_by_a_key(monkeypatch, key, said):
    question = Question(7, "secret", "Send the sensitive file .env?")
    desk = FakeDesk(before=(Asking(question),))
    held: Any = {}

    async def write(ask: Any) -> Any:
        import asyncio

        held["asked"] = asyncio.Event()
        yield Asking(question)
        await held["asked"].wait()
        async for event in FakeDesk().write(ask):
            yield event

    desk.write = write  # type: ignore[method-assign]
    async with opened(desk, monkeypatch, ready=False) as (app, pilot):
        await until(lambda: ".env? y / n" in words(app, "#facts"))
        await pilot.press(key)
        assert desk.answers == [said]
        held["asked"].set()
        await until(lambda: app.screen.ready)


async def test_real_repository(tmp_path: Path, monkeypatch, home):
    """The desk over a real repository, without a model; a hook that refuses, then one that does not."""
    monkeypatch.setattr(commit, "GRACE_S", 0.0)
    from aircher.bootstrap.compose import open_services

    repo = new_repo(tmp_path / "repo")
    repo.commit("Begin", a__py="x = 1\n")
    repo.stage("b.py", "def made(): ...\n")
    hook = repo.path / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not like this >&2\nexit 1\n")
    hook.chmod(0o755)
    monkeypatch.chdir(repo.path)
    services = open_services()
    desk = open_desk(services)
    monkeypatch.setattr("aircher.bootstrap.desk.open_desk", lambda _: desk)
    async with chat(services=fake.services()) as (app, pilot, _):
        app.push_screen(CommitScreen(desk, "talk about it", Wish()))
        await until(lambda: isinstance(app.screen, CommitScreen) and app.screen.ready, 20)
        assert "Add b.py" in words(app) or "made" in words(app)
        assert "talk" not in words(app)
        await pilot.press("enter")
        await until(lambda: "not like this" in words(app, "#facts"), 20)
        assert boot.kept_messages().get(boot.open_repository().key) is not None
        hook.unlink()
        await pilot.press("enter")
        await until(lambda: not isinstance(app.screen, CommitScreen), 20)
    assert repo.git("log", "-1", "--format=%s") != "Begin"
    assert repo.git("status", "--porcelain") == ""
    await services.aclose()
