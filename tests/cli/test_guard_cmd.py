"""``aircher guard`` and the guard in ``ask``, as a user or a script meets them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import jsonschema
import pytest

from tests.cli.test_ask import HELLO, SCHEMA, config
from tests.support.loopback import Loopback, serving
from tests.support.program import run, write_config
from tests.support.secrets import FORMATS, Maker

pytestmark = pytest.mark.security
KEY = FORMATS["npm token"](Maker(5))


@pytest.fixture
async def server(home: Path) -> AsyncIterator[Loopback]:
    async with serving(HELLO) as made:
        write_config(home, config(made))
        yield made


async def test_a_secret_is_taken_out_and_told_on_stderr(server: Loopback, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(f"\n\nkey = '{KEY}'\n")
    ran = await run("ask", "-f", "app.py", "what is wrong here?", cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert "taken out before sending: npm-access-token in app.py:3" in ran.err
    sent = json.dumps(server.received[0].body)
    assert "<REDACTED:npm-access-token>" in sent
    assert KEY not in sent + ran.err + ran.out


async def test_the_json_names_kind_and_place(server: Loopback) -> None:
    ran = await run("ask", "--output-format", "stream-json", f"use {KEY}")
    events = [json.loads(line) for line in ran.out.splitlines()]
    (event,) = [one for one in events if one.get("event") == "guarded"]
    jsonschema.validate(event, {"$ref": "#/$defs/event", "$defs": SCHEMA["$defs"]})
    (finding,) = event["findings"]
    assert (finding["kind"], finding["where"]) == ("npm-access-token", "your message, line 1")
    assert KEY not in ran.out + ran.err


async def test_strict_ends_with_5_and_allow_lets_it_pass(server: Loopback, home: Path) -> None:
    write_config(home, config(server) + "[guard]\nstrict = true\n")
    ran = await run("ask", f"use {KEY}")
    assert ran.code == 5
    assert server.received == []
    assert "npm-access-token in your message" in ran.err
    assert KEY not in ran.err + ran.out
    fingerprint = ran.err.split("guard allow ")[1][:12]
    allowed = await run("guard", "allow", fingerprint)
    assert allowed.code == 0, allowed.err
    again = await run("ask", f"use {KEY}")
    assert again.code == 0, again.err
    assert KEY in json.dumps(server.received[0].body)


async def test_a_sensitive_file_needs_a_yes(server: Loopback, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"PORT=8080\nTOKEN={KEY}\n")
    ran = await run("ask", "-f", ".env", "why does it not start?", cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert "--yes allows it" in ran.err
    assert "8080" not in json.dumps(server.received[0].body)
    await run("ask", "--yes", "-f", ".env", "why does it not start?", cwd=tmp_path)
    sent = json.dumps(server.received[1].body)
    assert "8080" in sent
    assert KEY not in sent


async def test_check_lists_what_would_be_taken_out(home: Path, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(f"x = 1\nkey = '{KEY}'\n")
    (tmp_path / "b.py").write_text("x = 1\n")
    found = await run("guard", "check", "a.py", "b.py", cwd=tmp_path)
    assert found.code == 5
    assert found.out.startswith("a.py:2: npm-access-token  ")
    assert KEY not in found.out + found.err
    (row,) = (await run("guard", "check", "--json", "a.py", cwd=tmp_path)).json
    assert (row["kind"], row["line"]) == ("npm-access-token", 2)
    clean = await run("guard", "check", "b.py", cwd=tmp_path)
    assert (clean.code, clean.out) == (0, "")
    piped = await run("guard", "check", stdin=f"use {KEY}\n".encode())
    assert (piped.code, piped.out.startswith("stdin:1: npm-access-token")) == (5, True)


async def test_the_list_of_allowed_values_is_kept_in_the_users_file(home: Path) -> None:
    await run("guard", "allow", "0123456789ab")
    await run("guard", "allow", "ba9876543210")
    assert (await run("guard", "list")).out.split() == ["0123456789ab", "ba9876543210"]
    await run("guard", "forget", "0123456789ab")
    assert (await run("guard", "list")).out.split() == ["ba9876543210"]
    wrong = await run("guard", "allow", KEY)
    assert wrong.code == 2
    assert KEY not in wrong.err
    assert len((await run("guard", "kinds")).out.split()) >= 300
