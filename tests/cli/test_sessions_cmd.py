from __future__ import annotations

import io
import json
import stat
import subprocess
from pathlib import Path

import pytest

from aircher.bootstrap.opening import database_path, records, session_to_open
from aircher.cli.main import main
from aircher.domain.errors import UsageError
from aircher.domain.messages import Document, Image, Text, Thinking, ToolCall, user
from aircher.domain.models import ModelRef
from aircher.domain.usage import Cost, Tokens

HOSTILE = "\x1b]0;pwned\x07\x9b31m\u202e"
REF = ModelRef("openai", "gpt" + HOSTILE)


@pytest.fixture
def session(tmp_path: Path) -> str:
    """A conversation with something of everything, hostile signs everywhere."""
    with records() as opened:
        store = opened.sessions
        made = store.create(project=str(tmp_path) + HOSTILE)
        store.add(
            made.id,
            user(
                f"Why is the sky{HOSTILE} blue?",
                Document("a.py" + HOSTILE, "text/plain", b"x" * 1234),
            ),
        )
        reply = store.begin(made.id, REF, task="quick_questions")
        store.end(
            reply,
            [
                Thinking("hm" + HOSTILE),
                Text("Because **Rayleigh**." + HOSTILE),
                ToolCall("1", "look", "{}"),
            ],
            "stopped",
            tokens=Tokens(10, output=5),
            cost=Cost(1_500_000, "estimated"),
            duration_s=2.0,
            error="network" + HOSTILE,
        )
        store.add(made.id, user("", Image("image/png", b"\x89PNG")))
        store.compact(made.id, reply, "the sky")
        return made.id


def out(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(["sessions", *argv]) == 0
    printed = capsys.readouterr().out
    assert not set(printed) & set("\x1b\x07\x9b\u202e\r")
    return printed


def test_without_any_there_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sessions"]) == 0
    assert capsys.readouterr() == ("", "There are no conversations yet.\n")
    assert json.loads(out(capsys, "list", "--json")) == []


def test_the_list_is_a_table(session: str, capsys: pytest.CaptureFixture[str]) -> None:
    head, row = out(capsys).splitlines()
    assert head.split() == ["ID", "CHANGED", "MESSAGES", "COST", "TITLE"]
    assert row.startswith(session)
    assert row.endswith("3  $0.00  Why is the sky]0;pwned31m blue?")
    (found,) = json.loads(out(capsys, "list", "--json"))
    assert (found["id"], found["messages"]) == (session, 3)
    assert found["cost"] == {"usd": "0", "tag": "exact"}


def test_the_list_can_be_narrowed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    subprocess.run(["git", "init", "-q"], cwd=tree, check=True)
    with records() as opened:
        here = opened.sessions.create(project=str(tree), title="here").id
        opened.sessions.create(project="/elsewhere", title="elsewhere")
    monkeypatch.chdir(tree / "sub")
    assert [one["id"] for one in json.loads(out(capsys, "list", "--project", "--json"))] == [here]
    assert len(json.loads(out(capsys, "list", "--json", "--limit", "1"))) == 1
    assert len(json.loads(out(capsys, "list", "--json"))) == 2


def test_show_prints_the_conversation(session: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = out(capsys, "show", session[:6].upper())
    assert text.startswith("# Why is the sky]0;pwned31m blue?\n")
    for piece in (
        "## You\n\n[file a.py]0;pwned31m, text/plain, 1,234 bytes]",
        "## openai/gpt]0;pwned31m\n\n> hm]0;pwned31m\n\nBecause **Rayleigh**.",
        "[calls look: {}]",
        "*quick_questions, ~$0.0015, 2.0 s, stopped, network]0;pwned31m*",
        "## Summary of the 2 messages above\n\nthe sky",
        "[image image/png, 4 bytes]",
    ):
        assert piece in text


def test_json_holds_everything(session: str, capsys: pytest.CaptureFixture[str]) -> None:
    whole = json.loads(out(capsys, "show", session, "--json"))
    assert whole == json.loads(out(capsys, "export", session, "--format", "json"))
    asked, reply, summary, image = whole["messages"]
    assert asked["parts"][0]["data"] == "eHh4" * 411 + "eA=="
    assert reply["usage"]["output_tokens"] == 5
    assert reply["cost"] == {"usd": "0.0015", "tag": "estimated"}
    assert [part["type"] for part in reply["parts"]] == ["thinking", "text", "tool_call"]
    assert (reply["state"], reply["duration_ms"]) == ("stopped", 2000)
    assert (summary["summary_of"], image["parts"][0]["type"]) == (2, "image")


def test_search_says_where(session: str, capsys: pytest.CaptureFixture[str]) -> None:
    hit, excerpt = out(capsys, "search", "rayl").splitlines()
    assert hit.startswith(session)
    assert "Because **Rayleigh**." in excerpt
    (found,) = json.loads(out(capsys, "search", "--json", "rayleigh", "because"))
    assert found["session"]["id"] == session
    assert main(["sessions", "search", "nowhere"]) == 0
    assert capsys.readouterr() == ("", "Nothing was found.\n")


def test_an_export_is_private_and_never_overwrites(
    session: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "talk.md"
    assert out(capsys, "export", session, "-o", str(file)) == ""
    assert file.read_text(encoding="utf-8") == out(capsys, "show", session)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert main(["sessions", "export", session, "-o", str(file)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["sessions", "export", session, "-o", str(tmp_path / "no" / "x")]) == 2


def test_removing_asks_first(
    session: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert main(["sessions", "rm", session]) == 2
    assert "--yes" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert main(["sessions", "rm", session]) == 130
    assert "3 messages)? [y/N]" in capsys.readouterr().err
    assert out(capsys, "show", session)
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert main(["sessions", "rm", session[:7]]) == 0
    capsys.readouterr()
    assert main(["sessions", "show", session]) == 2
    assert "There is no conversation" in capsys.readouterr().err


def test_rm_yes_does_not_ask(session: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert out(capsys, "rm", session, "--yes") == ""
    assert json.loads(out(capsys, "list", "--json")) == []


def test_rename(session: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert out(capsys, "rename", session, "The", "sky" + HOSTILE) == ""
    (found,) = json.loads(out(capsys, "list", "--json"))
    assert found["title"] == "The sky]0;pwned31m"


def test_a_damaged_file_is_said_and_does_not_stop_the_command(
    session: str, capsys: pytest.CaptureFixture[str]
) -> None:
    database_path().write_bytes(b"garbage" * 100)
    assert main(["sessions", "list"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "was damaged; it was moved to" in printed.err


def test_a_file_that_cannot_be_used_has_its_own_exit_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    database_path().mkdir(parents=True)
    assert main(["sessions", "list"]) == 9
    assert "not a plain file" in capsys.readouterr().err


def test_the_session_to_open() -> None:
    assert session_to_open() == ""
    with pytest.raises(UsageError, match="no conversation to go on with"):
        session_to_open(newest=True)
    with records() as opened:
        made = opened.sessions.create().id
    assert session_to_open(newest=True) == made
    assert session_to_open(made[:5]) == made
    with pytest.raises(UsageError):
        session_to_open("nothere")
