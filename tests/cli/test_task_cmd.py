"""``aircher task``: corrections by command."""

from __future__ import annotations

import json

import pytest

from aircher.bootstrap.opening import records
from aircher.cli.main import main
from aircher.domain.messages import user


def test_a_text_is_corrected_listed_and_forgotten(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["task", "correct", "refactoring", "tidy", "the\x1b[31m", "parser"]) == 0
    assert "is refactoring" in capsys.readouterr().err
    assert main(["task", "history", "--json"]) == 0
    (made,) = json.loads(capsys.readouterr().out)
    assert made["task"] == "refactoring"
    assert made["text"].startswith("tidy the")
    assert "\x1b" not in made["text"]
    assert main(["task", "history"]) == 0
    assert "tidy the" in capsys.readouterr().out
    assert main(["task", "forget", str(made["id"])]) == 0
    assert main(["task", "history"]) == 0
    assert "Nothing was corrected" in capsys.readouterr().err


def test_without_a_text_the_latest_request_is_meant(capsys: pytest.CaptureFixture[str]) -> None:
    with records() as opened:
        made = opened.sessions.create()
        opened.sessions.add(made.id, user("hm, the parser"), task="default")
    assert main(["task", "correct", "debugging"]) == 0
    assert "is debugging, not default" in capsys.readouterr().err
    with records() as opened:
        assert [one.task for one in opened.sessions.messages(made.id)] == ["debugging"]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["correct", "debuging", "x"], "no task"),
        (["correct", "debugging"], "no request to correct"),
        (["forget", "7"], "no correction 7"),
    ],
)
def test_what_is_not_there_is_said(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["task", *argv]) == 2
    assert said in capsys.readouterr().err


def test_what_is_missing_is_named_by_its_place_in_the_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["task", "correct"]) == 2
    assert "required: TASK." in capsys.readouterr().err
    assert main(["task", "forget"]) == 2
    assert "ID --all" in capsys.readouterr().err
