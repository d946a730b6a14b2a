"""The promises with numbers, on secrets made from their vendors' formats."""

from __future__ import annotations

import time
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.policy.guard import Piece, clean
from aircher.policy.guard.scan import scan
from benchmarks.guard import false_alarms, missed, over_code
from tests.support.guard import guard_rules
from tests.support.secrets import FORMATS, lookalikes, planted

pytestmark = pytest.mark.security


def test_planted_secrets_of_40_kinds_are_found() -> None:
    total = len(list(planted()))
    assert total >= 120
    assert len(FORMATS) >= 40
    gone = missed(guard_rules(), 3, 2026)
    assert len(gone) <= 0.05 * total, gone


def test_look_alikes_are_left_alone() -> None:
    assert len(list(lookalikes())) >= 200
    assert len(false_alarms(guard_rules(), 4, 2026)) <= 2


def test_real_code_gives_hardly_an_alarm() -> None:
    lines, kinds, places = over_code(guard_rules(), 80)
    assert lines > 25_000
    assert sum(kinds.values()) <= lines / 1000, places


def test_the_shipped_kinds_are_many_and_each_has_a_name_of_its_own() -> None:
    rules = guard_rules()
    assert len(rules.kinds) >= 300
    assert all(kind == kind.lower() and " " not in kind for kind in rules.kinds)
    for rule in rules.rules:
        assert rule.pattern.pattern
        assert all(word == word.lower() for word in rule.keywords), rule.kind


NASTY = (
    "a" * 200_000,
    "=" * 200_000,
    "-----BEGIN RSA PRIVATE KEY-----\n" * 3_000,
    "-----END PRIVATE KEY-----\n" * 3_000,
    "password=" * 20_000,
    "secret: '" * 20_000,
    "curl " * 40_000,
    "://" * 60_000,
    "a://b:" * 30_000,
    "eyJ" * 60_000,
    "eyJhbGciOi" * 20_000,
    "kind: Secret\ndata:\n" * 8_000,
    "machine a login b password " * 6_000,
    "key" * 60_000,
    'token = "' + "a1B2" * 50_000,
    "\n+".join(["A" * 64] * 3_000) + "-----END PRIVATE KEY-----",
    '"' * 200_000,
    '" + "' * 40_000,
    "adafruit" + " " * 100_000 + "=",
    "mysql " * 30_000,
    "sk-" * 60_000,
    "bearer " * 30_000,
    "xoxb-" + "1" * 200_000,
    "authorization: " * 14_000,
    "\\\n" * 100_000,
)


@pytest.mark.parametrize("text", NASTY, ids=lambda text: text[:16])
def test_no_text_takes_long(text: str) -> None:
    """Texts of 200 kB made to send a regular expression the long way."""
    started = time.process_time()
    scan(text, guard_rules())
    assert time.process_time() - started < 6.0  # quadratic ones take minutes


@given(
    st.lists(
        st.sampled_from(
            ["key", "=", '"', "'", "\n", "+", "-", " ", "sk-", "A1b2C3d4", "://", ":", "@", "eyJ", ".",
             "password", "-----BEGIN PRIVATE KEY-----", "\\", "{", "}", "İ", "\ud800", "é", "🔑"]
        ),
        max_size=120,
    ).map("".join)
)  # fmt: skip
def test_any_text_comes_back_whole_but_for_what_was_found(text: str) -> None:
    result = clean([Piece("a text", text)], guard_rules())
    if not result.findings:
        assert result.texts == (text,)
    for part in result.texts[0].split("<REDACTED:"):
        assert part.split(">", 1)[-1] in text


def test_lower_case_keeps_every_character_in_its_place() -> None:
    from aircher.policy.guard.scan import _lower

    for point in range(0x11_0000):
        assert len(_lower(chr(point))) == 1


@pytest.mark.parametrize("before", ["İİİ é 🔑 ", "\ud800 ", "日本語 "])
def test_places_hold_behind_any_character(before: str) -> None:
    (one,) = (p for p in islice(planted(1), 2, 3))
    text = before + one.text
    cleaned = clean([Piece("a text", text)], guard_rules()).texts[0]
    assert one.core not in cleaned
    assert cleaned.startswith(before)
