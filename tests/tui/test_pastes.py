"""A paste is text: nothing in it is a key."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.tui.driver import Pastes

pytestmark = pytest.mark.security

START, END = "\x1b[200~", "\x1b[201~"


def fed(text: str, cuts: list[int]) -> str:
    pastes = Pastes()
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    return "".join(pastes.harmless(text[a:b]) for a, b in pairwise(edges))


@given(
    st.text(alphabet="a\x07\x1b[]0;2~\r\n\t\x9b", max_size=40),
    st.lists(st.integers(0, 60), max_size=5),
)
def test_controls_in_a_paste_are_gone_however_it_is_cut(text: str, cuts: list[int]) -> None:
    body = text.replace(END, "")
    whole = f"{START}{body}{END}\x07"
    # A mark that is cut into pieces of one or two characters at its start is left to the parser.
    made = fed(whole, [max(cut, len(START)) for cut in cuts])
    assert made.startswith(START)
    assert made.endswith(f"{END}\x07")
    inside = made[len(START) : -len(END) - 1]
    assert not set(inside) & set("\x07\x1b\x9b")
    assert [c for c in body if c in "a\r\n\t"] == [c for c in inside if c in "a\r\n\t"]


@given(st.text(alphabet="a\x07\x1b[OA2;~\r", max_size=30), st.lists(st.integers(0, 60), max_size=4))
def test_keys_pass_as_they_are(keys: str, cuts: list[int]) -> None:
    if START not in keys:
        made = fed(keys, cuts)
        assert keys.startswith(made)
        assert START.startswith(keys[len(made) :])


@pytest.mark.parametrize("key", ["\x1b", "\x1b[", "\x1bOQ", "\x1b[A", "\x1b[21~"])
def test_no_key_waits_for_what_may_follow(key: str) -> None:
    assert Pastes().harmless(key) == key
