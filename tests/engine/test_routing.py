"""What routing is given of a request: images, size, branch, time, measured speeds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aircher.domain.events import Failed, Finished, Routed
from aircher.domain.messages import Document, Image
from aircher.domain.models import ModelRef
from aircher.domain.preferences import Condition, Hours, Preferences, SpecialRule, Tiers
from aircher.domain.routes import Plan, Rules, Wish
from aircher.domain.tasks import GitState
from aircher.engine.speeds import Speeds
from tests.engine.conftest import Bench, Build
from tests.support.chat import PlainWorkspace, ScriptedProvider, TableCatalog, answer

SPECIAL = ModelRef("a", "special")
BASE = Rules(("a",), {"a": "plain"}, tiers=Tiers(cheap_up_to=-1, powerful_from=11))
PRICES = TableCatalog({"plain": 2, "special": 1, "other": 3})


def bench(build: Build, rules: Rules, **more: object) -> Bench:
    return build(ScriptedProvider("a", [answer("ok")]), rules=rules, catalog=PRICES, **more)


async def plan_of(made: Bench, text: str = "hello", **more: object) -> Plan:
    events = await made.turn(text, **more)
    return next(event.plan for event in events if isinstance(event, Routed))


@pytest.mark.parametrize(
    ("when", "request_", "applies"),
    [
        (
            Condition(needs=frozenset({"vision"})),
            {"attachments": (Image("image/png", b"x"),)},
            True,
        ),
        (Condition(needs=frozenset({"vision"})), {}, False),
        (
            Condition(needs=frozenset({"documents"})),
            {"attachments": (Document("a.pdf", "application/pdf", b"%PDF"),)},
            True,
        ),
        (Condition(needs=frozenset({"json"})), {"json_schema": {"type": "object"}}, True),
        (Condition(min_tokens=50), {"text": "word " * 60}, True),
        (Condition(min_tokens=50), {"text": "word " * 20}, False),
        (Condition(branches=("release/*",)), {}, True),
        (Condition(branches=("release/*",)), {"wish": Wish(task="debugging")}, True),
        (Condition(branches=("main",)), {}, False),
        (Condition(files=("*.sql",)), {"files": ("x.sql",)}, True),
        (Condition(min_complexity=3), {"text": "design a migration; prove its security"}, True),
        (Condition(min_complexity=3), {}, False),
    ],
)
async def test_a_rule_sees_the_request_and_the_work_tree(
    build: Build, when: Condition, request_: dict[str, object], applies: bool
) -> None:
    rules = replace(BASE, special=(SpecialRule("mine", when, SPECIAL),))
    made = bench(build, rules, state=PlainWorkspace(GitState(branch="release/2")))
    text = str(request_.pop("text", "hello"))
    assert ((await plan_of(made, text, **request_)).first.ref == SPECIAL) is applies


async def test_a_rule_goes_by_the_clock_of_the_user(build: Build) -> None:
    made = bench(build, BASE)
    now = made.clock.now()
    minute = now.hour * 60 + now.minute
    for hours, applies in (
        (Hours(minute, minute + 1), True),
        (Hours((minute + 5) % 1440, (minute + 9) % 1440), False),
    ):
        rule = SpecialRule("now", Condition(hours=hours), SPECIAL)
        again = bench(build, replace(BASE, special=(rule,)))
        assert ((await plan_of(again)).first.ref == SPECIAL) is applies


async def test_speeds_come_from_the_ledger_and_order_the_next_request(build: Build) -> None:
    rules = replace(
        BASE,
        strategy="performance",
        more=(SPECIAL,),
        preferences=Preferences(max_response_s=1_000.0),
    )
    made = bench(build, rules)
    object.__setattr__(made.ports, "speeds", Speeds(made.database.ledger, made.clock).all)
    assert (await plan_of(made, wish=Wish(model="a/special"))).first.ref == SPECIAL
    made.clock.advance(120)
    second = await plan_of(made)
    assert second.first.ref == SPECIAL
    assert second.first.reason == "fastest as measured here"
    assert "over 1 call" in second.first.figure


async def test_with_local_nothing_is_sent_elsewhere_whatever_fails(build: Build) -> None:
    far = ScriptedProvider("far", [answer("never")])
    near = ScriptedProvider("near", [answer("here")])
    rules = Rules(("far", "near"), {"far": "big", "near": "small"}, local={"near": ""})
    made = build(far, near, rules=rules)
    done = (await made.turn("hello", wish=Wish(local=True)))[-1]
    assert isinstance(done, Finished)
    assert done.result.ref == ModelRef("near", "small")
    failed = (await made.turn("hello", wish=Wish(model="far/big", local=True)))[-1]
    assert isinstance(failed, Failed)
    assert failed.error.kind == "no_model"
    alone = build(far, rules=replace(rules, order=("far",), local={}))
    refused = (await alone.turn("hello", wish=Wish(local=True)))[-1]
    assert isinstance(refused, Failed)
    assert "stay on this machine" in refused.error.message
    assert far.requests == []
