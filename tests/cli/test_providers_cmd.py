"""``aircher models``, ``provider`` and ``route``: who is set up, and how each is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aircher.bootstrap.choosing import Findings, choose
from aircher.bootstrap.configuring import load_config
from aircher.cli.main import main
from aircher.cli.table import table
from aircher.domain.models import ModelFacts
from aircher.providers.vendors import vendors
from tests.support.program import write_config


@pytest.fixture
def aircher(capsys: pytest.CaptureFixture[str]):
    """Runs `aircher ...`; returns exit code, stdout, stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        code = main(words)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def claude(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-canary")


def test_with_nothing_set_up_the_list_says_where_to_look(aircher) -> None:
    code, out, err = aircher("models")
    assert (code, out) == (0, "")
    assert "aircher provider list" in err


def test_models_are_listed_with_numbers_that_end_flush(aircher, claude: None) -> None:
    code, out, _ = aircher("models", "anthropic")
    head, *rows = out.splitlines()
    assert code == 0
    assert {row.partition("/")[0] for row in rows} == {"claude"}
    # Columns of numbers end under the end of their heading.
    for title in ("WINDOW", "MAX OUT", "IN $/M", "OUT $/M"):
        end = head.index(title) + len(title)
        assert all(row[end - 1].isdigit() and row[end] == " " for row in rows)
    assert json.loads(aircher("models", "claude", "--json")[1])[0]["provider"] == "claude"


@pytest.mark.parametrize("words", [("models",), ("provider", "switch")])
@pytest.mark.parametrize(
    ("name", "said"), [("nosuch", "nosuch"), ("openai", "no key: set OPENAI_API_KEY")]
)
def test_a_provider_that_cannot_be_used_is_told_why(
    aircher, words: tuple[str, ...], name: str, said: str
) -> None:
    code, out, err = aircher(*words, name)
    assert (code, out) == (2, "")
    assert said in err


def test_status_of_an_unknown_provider_is_misuse(aircher) -> None:
    assert aircher("provider", "status", "nosuch")[0] == 2


def test_switch_takes_a_provider_s_other_name(aircher, claude: None) -> None:
    code, _, err = aircher("provider", "switch", "anthropic")
    assert code == 0
    assert "claude is asked first" in err
    assert aircher("config", "show", "providers.default")[1] == "claude\n"


def test_a_key_without_an_address_is_said_to_lack_it(
    aircher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "canary")
    rows = {row["provider"]: row for row in json.loads(aircher("provider", "list", "--json")[1])}
    assert rows["azure"]["state"] == "unconfigured"
    assert "providers.azure.base_url" in rows["azure"]["note"]
    monkeypatch.setattr("aircher.cli.ask.stdin_text", lambda: "")
    code, _, err = aircher("ask", "hi")
    assert code == 8
    assert "AZURE_OPENAI_API_KEY, but no address: set providers.azure.base_url" in err


def test_an_address_makes_it_usable(aircher, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "canary")
    write_config(home, '[providers.azure]\nbase_url = "https://x.invalid"\nmodel = "gpt"\n')
    rows = {row["provider"]: row for row in json.loads(aircher("provider", "list", "--json")[1])}
    assert rows["azure"]["state"] != "unconfigured"


def test_an_embedding_model_does_not_chat() -> None:
    found = Findings(servers={"ollama": ("nomic-embed-text", "qwen3:8b")}, local_model="no")
    chosen = choose(load_config(), vendors(), found, ModelFacts)
    assert chosen.rules.models["ollama"] == "qwen3:8b"
    only = Findings(servers={"ollama": ("nomic-embed-text",)}, local_model="no")
    assert choose(load_config(), vendors(), only, ModelFacts).rules.models["ollama"]


@pytest.mark.parametrize("command", ["ask", "route"])
def test_a_mistyped_task_is_not_taken_for_a_new_one(
    aircher, claude: None, home: Path, command: str
) -> None:
    code, _, err = aircher(command, "--task", "debuging", "hi")
    assert code == 2
    assert "Did you mean debugging?" in err
    write_config(home, '[models.task.poetry]\npreferred = "claude/claude-haiku-5-5"\n')
    code, out, _ = aircher("route", "--task", "poetry", "hi")
    assert code == 0
    assert "claude/claude-haiku-5-5" in out


def test_route_says_what_was_found_and_what_does_not_count(
    aircher, claude: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".aircher.toml").write_text("[chat]\nmax_output = 1\n")
    code, out, err = aircher("route", "hi")
    assert code == 0
    assert "found: Claude, by the key in ANTHROPIC_API_KEY" in err
    assert "is not trusted" in err
    assert "found" not in out


def test_columns_stay_aligned_whatever_is_written_in_them() -> None:
    shown = table(("A", "B"), [("\u6f22\u5b57", "1"), ("e\u0301", "2"), ("xyz", "3")])
    assert shown.splitlines() == ["A     B", "\u6f22\u5b57  1", "e\u0301     2", "xyz   3"]
