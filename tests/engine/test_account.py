"""Why a request got its task and its model is kept with it: figures and names, bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.domain.models import ModelRef
from aircher.domain.routes import Rules, Wish
from aircher.domain.tasks import GitState
from aircher.policy.account import MOST_KEPT, TASK, Part, packed, unpacked
from tests.engine.conftest import Build
from tests.support.chat import PlainWorkspace, ScriptedProvider, TableCatalog, answer

RULES = Rules(("a", "b"), {"a": "a-model", "b": "b-model"}, unusable={"c": "no key: set C_API_KEY"})
TREE = PlainWorkspace(
    GitState(branch="feature/x", staged=2, operation="merge"), open=("src/app.py",)
)


async def kept(build: Build, text: str, **more: object) -> dict[str, tuple[tuple[str, ...], ...]]:
    made = build(
        ScriptedProvider("a", [answer("ok")]),
        ScriptedProvider("b", [answer("ok")]),
        rules=RULES,
        catalog=TableCatalog({"a-model": 1, "b-model": 3}),
        state=TREE,
    )
    await made.turn(text, **more)
    session = made.ports.sessions.list()[0]
    asked, answered = made.ports.sessions.messages(session.id)
    assert answered.account == ""
    return {part.heading.split(" ")[0]: part.rows for part in unpacked(asked.account)}


async def test_what_was_seen_and_chosen_is_kept_with_the_request(build: Build) -> None:
    found = await kept(build, "traceback: the parser fails, fix it", files=("notes.md",))
    assert found[TASK][0][1].endswith("% sure")
    seen = dict(found["Seen"])
    assert seen["git"] == "on feature/x, 2 staged, merge in progress"
    assert seen["files"] == "notes.md"
    assert seen["open, just saved"] == "src/app.py"
    models = found["Models"]
    assert [row[:2] for row in models[:2]] == [("first", "a/a-model"), ("then", "b/b-model")]
    assert models[0][2].startswith("~$")
    assert "costs about $" in models[-1][1]
    assert "3 times as much" in models[-1][1]
    assert any(key == "providers.default" for key, _ in found["To"])


async def test_what_was_left_out_keeps_its_reason(build: Build) -> None:
    wish = Wish(barred={ModelRef("a", "a-model"): "too small for this"})
    found = await kept(build, "hello", wish=wish)
    assert found["Left"] == (("a/a-model", "too small for this"),)


async def test_a_task_of_the_user_s_needs_no_reason(build: Build) -> None:
    found = await kept(build, "hello", wish=Wish(task="debugging"))
    assert found[TASK] == (("debugging", "your choice"),)
    assert "Because" not in found


async def test_the_text_itself_is_not_kept_a_second_time(build: Build) -> None:
    text = "please refactor the invoice module; the password of the test account is hunter2"
    found = await kept(build, text)
    assert "hunter2" not in str(found)
    assert "invoice module" not in str(found)


cells = st.lists(st.text(max_size=400), max_size=4).map(tuple)
parts = st.lists(
    st.builds(Part, st.text(max_size=50), st.lists(cells, max_size=40).map(tuple)), max_size=9
)


@given(parts)
def test_an_account_is_bounded_and_comes_back(made: list[Part]) -> None:
    text = packed(made)
    assert len(text) <= MOST_KEPT
    back = unpacked(text)
    assert [part.heading for part in back] == [part.heading for part in made][: len(back)]
    assert unpacked(packed(back)) == back


@pytest.mark.parametrize("text", ["", "no json", "{}", "[1]", '[["a"]]', '[["a", 1]]', "null"])
def test_what_is_no_account_is_none(text: str) -> None:
    assert unpacked(text) == ()
