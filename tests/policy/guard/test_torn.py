"""Secrets that are torn apart: by diff marks, line ends, joints of strings, and block limits."""

from __future__ import annotations

import pytest

from aircher.policy.guard import Piece, clean
from aircher.policy.guard.scan import scan
from tests.support.guard import guard_rules
from tests.support.secrets import ALNUM, BASE64, FORMATS, Maker

pytestmark = pytest.mark.security
R = Maker(11)
TOKEN = FORMATS["github token"](R)
HALF, REST = TOKEN[:18], TOKEN[18:]
ROWS = FORMATS["rsa private key"](R).splitlines()


def left(text: str) -> str:
    return clean([Piece("a diff", text)], guard_rules()).texts[0]


@pytest.mark.parametrize(
    "text",
    [
        f'token = "{HALF}"\n        "{REST}"\n',
        f'token = "{HALF}" + "{REST}"\n',
        f'token = "{HALF}" +\n    "{REST}"\n',
        f'token = "{HALF}" \\\n    "{REST}"\n',
        f"export TOKEN={HALF}\\\n{REST}\n",
        f'@@ -1 +1,2 @@\n+token = ("{HALF}"\n+         "{REST}")\n',
        f"@@ -1 +1,2 @@\n-TOKEN={HALF}\\\n-{REST}\n",
        f"{TOKEN[:30]}\n{TOKEN[30:]}\n",
    ],
)
def test_a_token_in_two_halves_is_found(text: str) -> None:
    assert scan(text, guard_rules()), text
    assert REST not in left(text)
    assert HALF not in left(text)


@pytest.mark.parametrize("mark", ["", "+", "-", " ", "    "])
@pytest.mark.parametrize(
    ("cut", "kept"), [("whole", ROWS), ("no end", ROWS[:9]), ("no beginning", ROWS[3:])]
)
def test_a_private_key_goes_whole_even_where_the_diff_shows_a_part(
    mark: str, cut: str, kept: list[str]
) -> None:
    text = "before\n" + "".join(f"{mark}{row}\n" for row in kept) + "after\n"
    cleaned = left(text)
    for row in kept:
        assert len(row) < 60 or row not in cleaned, cut
    assert cleaned.startswith("before\n")
    assert cleaned.rstrip().endswith("after")


def test_a_private_key_with_escaped_line_ends_goes_whole() -> None:
    text = '{"private_key": "' + "\\n".join(ROWS) + '\\n", "id": 4}'
    cleaned = left(text)
    assert ROWS[5] not in cleaned
    assert '"id": 4' in cleaned


def test_a_key_that_was_changed_in_a_diff_goes_on_both_sides() -> None:
    old, new = R.of(BASE64, 64), R.of(BASE64, 64)
    text = f"@@ -1,4 +1,4 @@\n {ROWS[0]}\n-{old}\n+{new}\n {ROWS[2]}\n {ROWS[-1]}\n"
    cleaned = left(text)
    assert old not in cleaned
    assert new not in cleaned


def test_netrc_lines_in_a_diff_are_found() -> None:
    password = R.of(ALNUM, 14)
    text = f"@@ -0,0 +1,3 @@\n+machine git.internal\n+  login me\n+  password {password}\n"
    assert password not in left(text)


@pytest.mark.parametrize("at", [0, 399_980, 400_000, 431_990, 432_010, 464_000, 800_000, 900_000])
def test_a_secret_at_a_block_limit_is_found_once(at: int) -> None:
    line = "plain = words(of_code, here)\n"
    filler = (line * 40_000)[:1_000_000]
    text = f"{filler[:at]}\ntoken = '{TOKEN}'\n{filler[at:]}"
    (span,) = scan(text, guard_rules())
    assert text[span.start : span.end] == TOKEN
