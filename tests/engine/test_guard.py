"""What leaves: every text of every request, to every model that is not on this machine."""

from __future__ import annotations

import asyncio
import random
import string
from contextlib import aclosing
from dataclasses import replace

import pytest

from aircher.domain.chat import ChatRequest, ToolSpec
from aircher.domain.errors import NoModel, Overloaded, SecretBlocked
from aircher.domain.events import Asking, Event, Failed, FallingBack, Finished, Guarded, Notice
from aircher.domain.messages import (
    Document,
    Image,
    Message,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    user,
)
from aircher.domain.models import ModelRef
from aircher.domain.routes import Rules, Wish
from aircher.domain.settings import PrivacySettings, Settings
from aircher.domain.turns import TurnRequest
from aircher.policy.guard import GuardPolicy
from tests.engine.conftest import Bench, Build
from tests.support.chat import ScriptedProvider, TableCatalog, answer
from tests.support.guard import guarding

pytestmark = pytest.mark.security
KEY = "ghp_" + "".join(random.Random(3).choices(string.ascii_letters + string.digits, k=36))


def provider(name: str = "a", *scripts: object) -> ScriptedProvider:
    return ScriptedProvider(name, list(scripts) or [answer("Seen.")])  # type: ignore[arg-type] - shorthand


def rules(*names: str, local: str = "") -> Rules:
    here = {local: ""} if local else {}
    return Rules(order=names, models={name: f"{name}-model" for name in names}, local=here)


def strictly(bench_rules: Rules, policy: GuardPolicy) -> object:
    return guarding(Settings(rules=bench_rules), policy)


async def test_a_secret_in_the_message_is_taken_out_told_and_kept_on_disk(build: Build) -> None:
    remote = provider()
    bench = build(remote)
    events = await bench.turn(f"why does {KEY} fail?")
    (sent,) = remote.requests
    assert sent.messages[-1].text == "why does <REDACTED:github-pat> fail?"
    (told,) = [event for event in events if isinstance(event, Guarded)]
    assert [one.where for one in told.findings] == ["your message, line 1"]
    stored = bench.database.sessions.messages(events[-1].result.session_id)  # type: ignore[union-attr] - Finished
    assert KEY in stored[0].message.text


async def test_every_part_of_a_request_is_looked_through(build: Build) -> None:
    """System prompt, history of all roles, files, tools, schema: the key leaves in none."""
    guard = build(provider()).ports.guard
    spec = ToolSpec("find", f"with {KEY}", {"type": "object", "description": [KEY]})
    request = ChatRequest(
        "m",
        messages=(
            user("before", Document("a.py", "text/plain", f"k = '{KEY}'\n".encode())),
            Message(
                "assistant",
                (
                    Thinking(f"hm {KEY}", "sig"),
                    Text(f"your key {KEY}"),
                    ToolCall("1", "find", f'{{"key": "{KEY}"}}'),
                ),
            ),
            Message("tool", (ToolResult("1", f"found {KEY}"),)),
            user(f"now {KEY}", Image("image/png", url=f"https://x.invalid/?t={KEY}")),
        ),
        system=f"You know {KEY}",
        tools=(spec,),
        json_schema={"title": KEY},
    )
    leaving = guard.outgoing(request, ModelRef("a", "m"), session_id="s", local=False, asked=None)
    events = [event async for event in leaving.events()]
    assert KEY not in repr(leaving.request)
    assert KEY.encode() not in b"".join(
        part.data
        for m in leaving.request.messages
        for part in m.parts
        if isinstance(part, Document)
    )
    assert isinstance(events[0], Guarded)
    places = {one.place for one in events[0].findings}
    assert places == {"the system prompt"}, "one value is told once"
    # Repr of nothing else was lost:
    assert len(leaving.request.messages) == 4
    assert leaving.request.tools[0].parameters["type"] == "object"


async def test_the_names_of_files_are_looked_through(build: Build) -> None:
    guard = build(provider()).ports.guard
    for part in (
        Document(f"{KEY}.py", "text/plain", b"x = 1\n"),
        Document(f"{KEY}/.env", "text/plain", b"A=b\n"),
        Document(f"{KEY}.pdf", "application/pdf", b"%PDF"),
        Document(f"{KEY}.json", "application/json", f'"{KEY}"'.encode()),
    ):
        request = ChatRequest("m", messages=(user("what is this?", part),))
        leaving = guard.outgoing(
            request, ModelRef("a", "m"), session_id=part.name, local=False, asked=None
        )
        events = [event async for event in leaving.events()]
        (sent,) = (one for one in leaving.request.messages[0].parts if isinstance(one, Document))
        assert KEY not in repr(sent)
        assert KEY.encode() not in sent.data
        assert "<REDACTED:github-pat>" in repr(sent)
        told = [
            one.place for event in events if isinstance(event, Guarded) for one in event.findings
        ]
        assert told


async def test_a_model_on_this_machine_gets_the_whole_text(build: Build) -> None:
    here = provider("here")
    bench = build(here, rules=rules("here", local="here"))
    events = await bench.turn(f"why does {KEY} fail?")
    assert KEY in here.requests[0].messages[-1].text
    assert not [event for event in events if isinstance(event, Guarded)]


async def test_strict_sends_nothing_and_names_kind_and_place_only(build: Build) -> None:
    remote = provider()
    wanted = rules("a")
    policy = GuardPolicy(strict=True)
    bench = build(remote, rules=wanted, guard=strictly(wanted, policy))
    events = await bench.turn(f"why does {KEY} fail?")
    assert remote.requests == []
    failed = events[-1]
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, SecretBlocked)
    assert failed.error.exit_code == 5
    assert "github-pat in your message, line 1" in failed.error.message
    assert KEY not in f"{failed.error.message} {failed.error.hint}"


async def _answering(bench: Bench, request: TurnRequest, *, yes: bool) -> list[Event]:
    events: list[Event] = []
    async with aclosing(bench.engine.turn(request)) as turn:
        async for event in turn:
            events.append(event)
            if isinstance(event, Asking):
                bench.engine.answer(event.question.id, yes=yes)
    return events


@pytest.mark.parametrize("yes", [True, False])
async def test_a_sensitive_file_is_asked_about_once(build: Build, yes: bool) -> None:
    remote = provider()
    bench = build(remote)
    attached = (Document("deploy/.env", "text/plain", f"A=1\nTOKEN={KEY}\n".encode()),)
    events = await _answering(bench, TurnRequest("look", attachments=attached), yes=yes)
    (question,) = [event.question for event in events if isinstance(event, Asking)]
    assert question.text == "Send the sensitive file deploy/.env to a/a-model?"
    sent = remote.requests[0].messages[-1].parts[0]
    assert isinstance(sent, Document)
    assert (b"A=1" in sent.data) is yes
    assert KEY.encode() not in sent.data, "a confirmed file still loses its secrets"
    session = events[-1].result.session_id  # type: ignore[union-attr] - Finished
    again = await _answering(bench, TurnRequest("and?", session_id=session), yes=not yes)
    assert not [event for event in again if isinstance(event, Asking)]
    assert (b"A=1" in remote.requests[1].messages[0].parts[0].data) is yes  # type: ignore[union-attr] - Document


async def test_with_nobody_there_a_sensitive_file_is_withheld_and_told(build: Build) -> None:
    remote = provider()
    bench = build(remote)
    events = await bench.turn(
        "look",
        attachments=(Document(".npmrc", "text/plain", b"registry=x\n"),),
        answers={"secret": False},
    )
    (told,) = [event for event in events if isinstance(event, Guarded)]
    assert [one.where for one in told.findings] == [".npmrc"]
    sent = remote.requests[0].messages[-1].parts[0]
    assert isinstance(sent, Document)
    assert sent.data == b"<WITHHELD:.npmrc: a sensitive file>"


async def test_what_was_told_is_not_told_again_and_is_still_taken_out(build: Build) -> None:
    remote = provider()
    bench = build(remote)
    first = await bench.turn(f"my key is {KEY}")
    session = first[-1].result.session_id  # type: ignore[union-attr] - Finished
    second = await bench.turn("and now?", session_id=session)
    assert not [event for event in second if isinstance(event, Guarded)]
    assert KEY not in repr(remote.requests[1])


async def test_a_fallback_gets_the_clean_request_too(build: Build) -> None:
    first = provider("here", [Overloaded("busy", provider="here")])
    second = provider("a")
    bench = build(first, second, rules=rules("here", "a", local="here"))
    events = await bench.turn(f"why does {KEY} fail?")
    assert any(isinstance(event, FallingBack) for event in events)
    assert KEY in repr(first.requests[0])
    assert KEY not in repr(second.requests)


async def test_a_summary_of_the_conversation_leaves_clean(build: Build) -> None:
    remote = provider("a", answer("Short."))
    catalog = TableCatalog({"a-model": 1}, windows={"a-model": 3000})
    bench = build(remote, catalog=catalog)
    first = await bench.turn(f"{KEY} " + "word " * 900)
    session = first[-1].result.session_id  # type: ignore[union-attr] - Finished
    for _ in range(4):
        await bench.turn("word " * 900, session_id=session)
    assert len(remote.requests) > 5, "a summary was made"
    assert KEY not in repr(remote.requests)


# -- what stays on this machine


async def test_local_never_falls_back_elsewhere(build: Build) -> None:
    here = provider("here", [Overloaded("busy", provider="here")])
    remote = provider("a")
    bench = build(remote, here, rules=rules("a", "here", local="here"))
    events = await bench.turn("hello", wish=Wish(local=True))
    assert isinstance(events[-1], Failed)
    assert len(here.requests) > 0
    assert remote.requests == []


async def test_without_a_model_here_local_is_refused_in_one_sentence(build: Build) -> None:
    remote = provider("a")
    bench = build(remote)
    events = await bench.turn("hello", wish=Wish(local=True))
    failed = events[-1]
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, NoModel)
    assert "must stay on this machine" in failed.error.message
    assert remote.requests == []


@pytest.mark.parametrize(
    "part",
    [
        Document("clients/acme/notes.md", "text/plain", b"secret plans"),
        Image("image/png", b"\x89PNG", name="clients/acme/plan.png"),
    ],
)
async def test_a_local_only_file_keeps_its_whole_conversation_here(
    build: Build, part: Document | Image
) -> None:
    here, remote = provider("here"), provider("a")
    bench = build(
        remote,
        here,
        rules=rules("a", "here", local="here"),
        privacy=PrivacySettings(local_only=("clients/**",)),
    )
    events = await bench.turn("sum this up", attachments=(part,))
    assert any(isinstance(e, Notice) and "stays on this machine" in e.text for e in events)
    result = events[-1].result  # type: ignore[union-attr] - Finished
    await bench.turn("go on", session_id=result.session_id)
    async with aclosing(bench.engine.compact(result.session_id)) as compacting:
        async for _ in compacting:
            pass
    assert (len(here.requests) >= 2, remote.requests) == (True, [])
    free = await bench.turn("another chat")
    assert isinstance(free[-1], Finished)
    assert len(remote.requests) == 1, "other chats go where they always went"


async def test_the_last_wall_refuses_what_a_plan_should_never_have_sent(build: Build) -> None:
    guard = build(provider()).ports.guard
    leaving = guard.outgoing(
        ChatRequest("m", (user("x"),)), ModelRef("a", "m"), session_id="", local=True, asked=None
    )
    with pytest.raises(NoModel, match="must not leave"):
        [event async for event in leaving.events()]


async def test_a_long_text_is_looked_through_off_the_loop(build: Build) -> None:
    """10 MB with a key in its middle: found, and the loop stays alive meanwhile."""
    remote = provider()
    bench = build(remote)
    filler = "".join(f"value_{n} = compute(item, {n})\n" for n in range(150_000))
    text = filler[: len(filler) // 2] + f"\nkey = '{KEY}'\n" + filler[len(filler) // 2 :]
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    beating = asyncio.ensure_future(beat())
    request = ChatRequest("m", (user(text),))
    leaving = bench.ports.guard.outgoing(
        request, ModelRef("a", "m"), session_id="", local=False, asked=None
    )
    [event async for event in leaving.events()]
    beating.cancel()
    assert KEY not in leaving.request.messages[0].text
    assert beats >= 3


def test_the_policy_of_a_kind_is_its_own() -> None:
    policy = replace(GuardPolicy(default="redact"), actions={"jwt": "block"})
    assert policy.action("jwt", "f") == "block"
    assert policy.action("github-pat", "f") == "redact"
    assert policy.action("sensitive-file", "") == "ask"
