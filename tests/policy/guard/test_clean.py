"""Texts in, texts without secrets out."""

from __future__ import annotations

import random
import string

from aircher.policy.guard import Cleaned, GuardPolicy, Piece, clean
from tests.support.guard import guard_rules

LETTERS = string.ascii_letters + string.digits


def made(prefix: str, size: int, seed: int = 7, alphabet: str = LETTERS) -> str:
    """A secret that stands in no file."""
    return prefix + "".join(random.Random(seed).choices(alphabet, k=size))


def cleaned(text: str, place: str = "your message", path: str = "", **policy: object) -> Cleaned:
    chosen = GuardPolicy(**policy)  # type: ignore[arg-type] - test shorthand
    return clean([Piece(place, text, path)], guard_rules(), chosen)


def test_a_secret_is_replaced_by_its_kind_and_told_by_place_and_line() -> None:
    key = made("ghp_", 36)
    result = cleaned(f"one\ntwo\nuse {key} please\n", "src/app.py")
    assert result.texts == ("one\ntwo\nuse <REDACTED:github-pat> please\n",)
    (finding,) = result.findings
    assert (finding.kind, finding.where, finding.action) == (
        "github-pat",
        "src/app.py:3",
        "redact",
    )
    assert key not in repr(result)


def test_what_holds_no_secret_is_the_very_same_text() -> None:
    text = "def total(path):\n    return sum(map(int, open(path)))\n"
    assert cleaned(text) == Cleaned((text,))


def test_strict_blocks_and_an_allowed_fingerprint_leaves() -> None:
    text = f"token = '{made('glpat-', 20)}'"
    (finding,) = cleaned(text, strict=True).blocked
    assert finding.kind == "gitlab-pat"
    assert cleaned(text, allowed=frozenset({finding.fingerprint}), strict=True).texts == (text,)


def test_an_action_is_chosen_by_kind() -> None:
    text = f"{made('ghp_', 36)} {made('npm_', 36, alphabet=string.ascii_lowercase + '0123456789')}"
    result = cleaned(text, actions={"github-pat": "ask", "npm-access-token": "allow"})
    assert [one.kind for one in result.asked] == ["github-pat"]
    assert result.findings == result.asked


def test_a_sensitive_file_is_withheld_whole_unless_confirmed() -> None:
    result = cleaned("A=1\n", "deploy/.env", path="deploy/.env")
    assert result.texts == ("<WITHHELD:deploy/.env: a sensitive file>",)
    assert [(one.kind, one.where) for one in result.findings] == [("sensitive-file", "deploy/.env")]
    confirmed = cleaned("A=1\n", path="deploy/.env", send=frozenset({"deploy/.env"}))
    assert confirmed.texts == ("A=1\n",)
    assert cleaned("A=\n", path=".env.example").findings == ()


def test_cleaning_twice_changes_nothing() -> None:
    once = cleaned(f"PASSWORD={made('x9!', 12)}\nkey: {made('AIza', 35)}\n").texts[0]
    assert cleaned(once) == Cleaned((once,))
