"""[chat] compact_at: older messages are summarised before a window is full, openly and billed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aircher.domain.errors import InvalidRequest
from aircher.domain.events import Compacted, Event, Finished, Notice, Routed, Usage
from aircher.domain.models import ModelRef
from aircher.domain.routes import Rules, Wish
from tests.engine.conftest import Bench, Build
from tests.support.chat import ScriptedProvider, TableCatalog, answer

LONG = " ".join(["word"] * 300)
RULES = Rules(("a",), {"a": "main"}, task_models={"a": {"summaries": "little"}})
PRICES, WINDOWS = {"main": 5, "little": 1}, {"main": 4000, "little": 4000}


async def talk(
    build: Build, *scripts: list[object], turns: int = 3, **settings: object
) -> tuple[Bench, str, list[Event], ScriptedProvider]:
    """So many turns of 300 words each, and the events of the last."""
    provider = ScriptedProvider("a", [*[answer(LONG)] * (turns - 1), *scripts])
    given = {"rules": RULES, "catalog": TableCatalog(PRICES, WINDOWS), **settings}
    bench = build(provider, **given)
    session, events = "", []
    for number in range(turns):
        events = await bench.turn(f"question {number}", session_id=session)
        assert isinstance(events[-1], Finished), events[-1]
        session = events[-1].result.session_id
    return bench, session, events, provider


async def test_a_conversation_above_the_share_is_summarised_before_the_next_request(
    build: Build,
) -> None:
    bench, session, events, provider = await talk(
        build, answer("They counted."), answer("Go on."), compact_at=0.14
    )
    compacted = next(event for event in events if isinstance(event, Compacted))
    kinds = [type(event) for event in events]
    assert kinds.index(Compacted) < kinds.index(Routed)
    assert compacted.messages > 0
    assert compacted.after < compacted.before
    assert compacted.before >= 2 * 300  # with what stays as it is
    assert compacted.cost is not None
    assert compacted.cost.nano_usd
    [own] = [event.cost.nano_usd for event in events if isinstance(event, Usage)][1:]
    assert own is not None
    assert isinstance(events[-1], Finished)
    assert events[-1].result.cost.nano_usd == compacted.cost.nano_usd + own
    assert provider.requests[-2].model == "little"  # summaries have a model of their own
    assert "They counted." in provider.requests[-1].messages[0].text
    assert LONG not in provider.requests[-1].messages[0].text
    stored = bench.ports.sessions.messages(session)
    assert [one.message.text for one in stored].count(LONG) == 2  # nothing is deleted
    spent = bench.database.ledger.spend(bench.clock.now() - timedelta(days=1))
    last = events[-1]
    assert isinstance(last, Finished)
    assert len(last.result.attempts) == 2  # the summary's call is on the turn's bill
    assert (last.result.cost.nano_usd or 0) <= spent.nano_usd
    assert spent.calls == 4


@pytest.mark.parametrize("share", [0.85, 1.0])
async def test_below_the_share_all_is_sent(build: Build, share: float) -> None:
    _, _, events, provider = await talk(build, answer("Go on."), compact_at=share)
    assert not any(isinstance(event, Compacted) for event in events)
    assert len(provider.requests) == 3
    assert LONG in provider.requests[-1].messages[1].text


async def test_a_summary_that_fails_does_not_hold_up_a_conversation_that_fits(
    build: Build,
) -> None:
    _, _, events, provider = await talk(
        build, [InvalidRequest("no")], answer("Go on."), compact_at=0.14
    )
    note = next(event for event in events if isinstance(event, Notice))
    assert "sent whole" in note.text
    assert LONG in provider.requests[-1].messages[1].text


async def test_a_long_first_message_has_nothing_to_be_summarised(build: Build) -> None:
    provider = ScriptedProvider("a", [answer("ok"), answer("ok")])
    bench = build(provider, rules=RULES, catalog=TableCatalog(PRICES, WINDOWS), compact_at=0.1)
    first = (await bench.turn("x " * 2000))[-1]
    assert isinstance(first, Finished)
    assert len(provider.requests) == 1


async def test_a_model_asked_for_by_name_sums_up_itself(build: Build) -> None:
    provider = ScriptedProvider(
        "a", [answer(LONG), answer(LONG), answer("They counted."), answer("Go on.")]
    )
    bench = build(provider, rules=RULES, catalog=TableCatalog(PRICES, WINDOWS), compact_at=0.14)
    session = ""
    for number in range(3):
        wish = Wish(provider="a", model="main")
        last = (await bench.turn(f"question {number}", session_id=session, wish=wish))[-1]
        assert isinstance(last, Finished)
        session = last.result.session_id
    assert [request.model for request in provider.requests] == ["main"] * 4
    assert last.result.ref == ModelRef("a", "main")
