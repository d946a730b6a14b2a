"""[tasks.*]: the user's own signs, checked where they are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from aircher.bootstrap.configuring import load_config
from aircher.cli.main import main


def load(tmp_path: Path, text: str) -> tuple[list[str], object]:
    file = tmp_path / "config.toml"
    file.write_text(text)
    config = load_config({"AIRCHER_CONFIG": str(file), "XDG_DATA_HOME": str(tmp_path)})
    return [str(one) for one in config.problems], config


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("message_patterns = ['(a+']", "no regular expression"),
        ("message_patterns = ['(a+)+$']", "repeat within a repeat"),
        ("message_patterns = ['(?:x|(?:a*b)*)c']", "repeat within a repeat"),
        ("message_patterns = ['.*a.*b.*c.*d']", "unbounded repeats"),
        ("message_patterns = ['a{1,9999999999999}']", "no regular expression"),
        ("message_patterns = ['']", "empty pattern"),
        ("git_patterns = ['stagd']", 'not "stagd"'),
        ("keywords = ['']", "words or phrases"),
        ("keywords = 'terraform'", "must be a list"),
    ],
)
def test_a_bad_sign_is_a_problem_of_its_line(tmp_path: Path, line: str, said: str) -> None:
    problems, _ = load(tmp_path, f"[tasks.infra]\n{line}\n")
    assert len(problems) == 1
    assert f"{tmp_path / 'config.toml'}:2:" in problems[0]
    assert said in problems[0]


def test_usual_patterns_are_fine(tmp_path: Path) -> None:
    text = """[tasks.infra]
keywords = ["terraform", "helm chart"]
message_patterns = ['(?:plan|apply) failed', '^deploy\\b.*\\bto\\b', '(?:ab)?c{0,20}']
file_patterns = ["*.tf"]
git_patterns = ["branch:infra/*", "diff:docs"]
"""
    assert load(tmp_path, text)[0] == []


def test_a_name_close_to_a_built_in_task_is_asked_about(tmp_path: Path) -> None:
    _, config = load(tmp_path, "[tasks.debuging]\nkeywords = ['x']\n")
    assert any("debugging" in str(one) for one in config.warnings)  # type: ignore[attr-defined]


def test_a_new_task_is_routed_to_its_model_and_known_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        "[providers.ollama]\nbase_url = 'http://127.0.0.1:9'\nmodel = 'small'\n"
        "[tasks.infra]\nkeywords = ['terraform']\nmodel = 'ollama/infra-model'\n"
    )
    monkeypatch.setenv("AIRCHER_CONFIG", str(file))
    assert main(["route", "terraform wants to destroy everything"]) == 0
    shown = capsys.readouterr().out
    assert "infra" in shown
    assert "infra-model" in shown
    assert main(["route", "--task", "infra", "hello"]) == 0
    assert "infra-model" in capsys.readouterr().out
