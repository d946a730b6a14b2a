"""``aircher route``: the explanation, and many requests in one process."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from aircher.cli.main import main
from tests.support.program import write_config

CONFIG = """
discover = false
[providers]
fallback_order = ["openai", "claude"]
[providers.openai]
custom_models = ["tomorrow-1"]
[routing.rule.nights]
tier = "cheap"
tasks = ["debugging"]
[models.custom."openai/tomorrow-1"]
quality = 0.99
"""


@pytest.fixture
def keys(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test-key-1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key-2")
    write_config(home, CONFIG)


def route(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    assert main(["route", *words]) == code
    said = capsys.readouterr()
    return said.out, said.err


@pytest.mark.usefixtures("keys")
def test_a_choice_is_explained_from_signals_to_the_keys_that_change_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, _ = route(capsys, "why does test_parser fail with a KeyError? fix it")
    for words in (
        "task        debugging",
        "seen      text:",
        "complexity  ",
        "rule        nights (config.toml:8)",
        "strategy    task",
        "at most $",
        "price gap   the next,",
        "models.tasks.debugging",
        "routing.rule.nights",
    ):
        assert words in out


@pytest.mark.usefixtures("keys")
def test_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(route(capsys, "hello", "--json", "--strategy", "quality")[0])
    first = found["plan"]["candidates"][0]
    assert (first["provider"], first["model"]) == ("openai", "tomorrow-1")
    assert first["figure"] == "0.99 (your configuration)"
    assert first["estimate"]["likely"]["usd"] is None  # released tomorrow: its price is not known
    assert found["plan"]["complexity"]["score"] == 0
    assert {
        "key": "routing.strategy",
        "what": "it is 'quality'; 'task' takes the model named in models.tasks",
    } in (found["change"])


@pytest.mark.usefixtures("keys")
def test_a_strategy_that_does_not_exist_is_refused_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, err = route(capsys, "hello", "--strategy", "qualty", code=7)
    assert 'no routing strategy "qualty"' in err
    assert 'did you mean "quality"?' in err


@pytest.mark.usefixtures("keys")
def test_nothing_leaves_the_machine_with_local(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = route(capsys, "hello", "--local", code=8)
    assert out == ""
    assert "stay on this machine" in err


@pytest.mark.usefixtures("keys")
def test_a_model_elsewhere_asked_for_by_name_with_a_private_file_is_named(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "private.txt").write_text("mine")
    here = '[providers.ollama]\nmodel = "m"\n[privacy]\nlocal_only = ["private.txt"]\n'
    write_config(home, CONFIG.replace('"claude"]', '"claude", "ollama"]') + here)
    _, err = route(capsys, "-m", "openai/gpt-5", "-f", "private.txt", "fix it", code=8)
    assert "openai/gpt-5 was asked for by name: does not run on this machine" in err
    assert "local pull" not in err


def batch(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *lines: Any,
    code: int = 0,
) -> tuple[list[dict[str, Any]], str]:
    text = "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines)
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    out, err = route(capsys, "--batch", "-", code=code)
    return [json.loads(line) for line in out.splitlines()], err


@pytest.mark.usefixtures("keys")
def test_a_batch_answers_line_by_line_and_goes_on_after_a_bad_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, err = batch(
        capsys,
        monkeypatch,
        {"id": 1, "text": "write a commit message for the staged changes"},
        "not json",
        {"id": 2},
        "[]",
        {"id": 3, "text": "x", "git": {"staged": "many"}},
        "",
        {
            "id": "four",
            "text": "go on",
            "previous": "debugging",
            "files": ["a.py"],
            "git": {"staged": True},
        },
        code=2,
    )
    assert [answer["id"] for answer in answers] == [1, "four"]
    assert answers[0]["task"] == "commit_messages"
    assert answers[0]["provider"] == "openai"
    assert set(answers[0]) == {"id", "task", "confidence", "provider", "model", "reasons"}
    *lines, shape = err.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["line 2", "line 3", "line 4", "line 5"]
    assert "Each line is an object" in shape


def test_a_batch_needs_no_provider(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_config(home, "discover = false\n[providers]\nfallback_order = []\n")
    [answer], err = batch(capsys, monkeypatch, {"id": 1, "text": "fix this bug: KeyError"})
    assert answer["task"] == "debugging"
    assert answer["confidence"] > 0
    assert answer["model"] is None
    assert "No model is configured" in answer["reasons"][-1]
    assert err == ""


@pytest.mark.usefixtures("keys")
def test_a_batch_file_that_is_not_there_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    _, err = route(capsys, "--batch", "/nowhere.jsonl", code=2)
    assert "cannot be read" in err


@pytest.mark.usefixtures("keys")
def test_providers_are_compared_side_by_side_and_the_unknown_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["provider", "compare"]) == 0
    out = capsys.readouterr().out
    head, *rows = out.splitlines()
    assert head.split()[:3] == ["MODEL", "$/M", "IN/OUT"]
    tomorrow = next(line for line in rows if line.startswith("openai/tomorrow-1"))
    assert tomorrow.split()[1:4] == ["?/?", "?", "?"]
    assert "0.99" in tomorrow
    assert max(map(len, out.splitlines())) <= 120


@pytest.mark.usefixtures("keys")
def test_a_comparison_says_where_its_figures_are_from_and_how_old_they_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["provider", "compare"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert re.search(r"AS OF .*claude/claude-opus-5-5 \? \? 0 20\d\d-\d\d-\d\d", out)
    assert "openai/tomorrow-1 ? ? 0 ?*" in out  # nobody knows it, but your configuration
    for words in ("Prices: genai-prices:", "whatmodel.sh 2026-10", "your configuration", "14 days"):
        assert words in out


@pytest.mark.usefixtures("keys")
def test_a_comparison_fits_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["provider", "compare", "--task", "debugging"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 60
    for words in ("$/M IN/OUT", "TOK/S", "THINK", "1. the default provider", "genai-prices"):
        assert words in out


@pytest.mark.usefixtures("keys")
def test_a_comparison_for_a_task_stands_in_its_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["provider", "compare", "--task", "quick_questions", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[0]["for_task"] == "1. the default provider; its cheap model"
    assert rows[1]["provider"] == "claude"
    quality = next(row["quality"] for row in rows if row["model"] == "claude-opus-5-5")
    assert quality == {"score": 0.847, "source": "whatmodel.sh", "date": "2026-10"}
    assert all(row["first_token_ms"] is None and row["calls_measured"] == 0 for row in rows)


@pytest.mark.usefixtures("keys")
def test_a_comparison_for_no_task_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["provider", "compare", "--task", "poetry"]) == 2


@pytest.mark.usefixtures("keys")
def test_a_batch_loses_one_line_to_a_byte_that_is_no_utf_8_and_none_to_a_byte_order_mark(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "asked.jsonl"
    lines = (
        b'\xef\xbb\xbf{"id": 1, "text": "fix it"}',
        b'{"id": 2, "text": "\xff"}',
        b'{"id": 3, "text": "ok"}',
    )
    file.write_bytes(b"\n".join(lines))
    out, err = route(capsys, "--batch", str(file), code=2)
    assert [json.loads(line)["id"] for line in out.splitlines()] == [1, 3]
    assert err.splitlines()[0] == "line 2: this is not UTF-8."


@pytest.mark.usefixtures("keys")
def test_no_model_is_left_out_without_a_reason(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = ", ".join(f'"m{number}"' for number in range(9))
    write_config(home, f"discover = false\n[providers.openai]\ncustom_models = [{listed}]\n")
    plan = json.loads(route(capsys, "hello", "--json", "-s", "cost")[0])["plan"]
    assert len(plan["candidates"]) == 6
    seen = {one["model"] for one in (*plan["candidates"], *plan["rejected"])}
    assert {f"m{number}" for number in range(9)} <= seen
    assert {one["reason"] for one in plan["rejected"]} == {"6 others come before it"}


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    ("flags", "offered", "not_offered"),
    [
        (["-m", "openai/gpt-5"], "-m MODEL", "models.tasks."),
        (["-s", "cost"], "routing.strategy", "  models.tasks."),
        ([], "models.tasks.debugging", "routing.strategy"),
        ([], "providers.default", "routing.prioritise"),
        (["prioritised"], "routing.prioritise", "providers.default"),
        (["-f", "private.txt"], "privacy.local_only", "providers.default"),
    ],
)
def test_only_what_would_change_the_choice_is_offered(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    offered: str,
    not_offered: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "private.txt").write_text("mine")
    extra = '[providers.ollama]\nmodel = "m"\n[privacy]\nlocal_only = ["private.txt"]\n'
    if flags == ["prioritised"]:
        flags, extra = [], '[routing]\nprioritise = "cost"\n'
    order = CONFIG.replace('"claude"]', '"claude", "ollama"]')
    write_config(home, order + extra)
    out, _ = route(capsys, "fix this bug: KeyError", *flags)
    ways = out.partition("to change it\n")[2]
    assert offered in ways
    assert not_offered not in ways
