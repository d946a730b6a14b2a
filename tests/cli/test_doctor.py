"""aircher doctor: everything looked at, nothing revealed, exit code by what failed."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from aircher.bootstrap import checkup
from aircher.bootstrap.opening import database_path, open_database
from aircher.cli.doctor import terminal
from aircher.cli.main import main
from aircher.providers.local.discover import Server
from aircher.providers.vendors import Vendor


def doctor(capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, dict[str, Any], str]:
    code = main(["doctor", "--json", *flags])
    out = capsys.readouterr().out
    return code, {check["name"]: check for check in json.loads(out)["checks"]}, out


def test_a_fresh_machine_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    code, checks, _ = doctor(capsys)
    assert code == 0
    assert checks["built-in model"]["hint"] == "aircher local pull"
    assert checks["database"]["state"] == "ok"
    assert not database_path().exists(), "looking must not make a database"
    assert checks["key openai"]["state"] == "warn"
    assert "OPENAI_API_KEY" in checks["key openai"]["hint"]


def test_keys_are_named_and_never_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789abcdef")
    _, checks, out = doctor(capsys)
    assert checks["key openai"]["text"].endswith("key in OPENAI_API_KEY")
    assert "canary" not in out


def test_the_variable_the_user_named_is_looked_at(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = home / ".config/aircher/config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[providers.openai]\napi_key_env = 'WORK_KEY'\n")
    monkeypatch.setenv("WORK_KEY", "sk-canary-0123456789abcdef")
    _, checks, out = doctor(capsys)
    assert checks["key openai"]["text"].endswith("key in WORK_KEY")
    assert "canary" not in out


def test_a_provider_of_the_user_s_own_is_looked_at(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = home / ".config/aircher/config.toml"
    file.parent.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        file.write_text(
            f"[providers.mine]\nbase_url = '{url}'\napi_key_env = 'MINE_KEY'\n"
            f"[providers.open]\nbase_url = '{url}'\n"
        )
        _, checks, _ = doctor(capsys, "--online")
        assert "MINE_KEY" in checks["key mine"]["hint"]
        assert "endpoint mine" not in checks
        assert "key open" not in checks
        assert checks["endpoint open"]["state"] == "ok"
        monkeypatch.setenv("MINE_KEY", "sk-canary-0123456789abcdef")
        _, checks, out = doctor(capsys, "--online")
        assert checks["key mine"]["text"] == "mine: key in MINE_KEY"
        assert checks["endpoint mine"]["state"] == "ok"
        assert "canary" not in out


def test_a_model_server_on_this_machine_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def found() -> list[Server]:
        return [Server("ollama", "Ollama", "http://127.0.0.1:11434", ("qwen3:8b",))]

    monkeypatch.setattr(checkup, "detect_servers", found)
    assert "server ollama" not in doctor(capsys)[1], "the search is turned off in tests"
    monkeypatch.delenv("AIRCHER_DISCOVER")
    assert "127.0.0.1:11434" in doctor(capsys)[1]["server ollama"]["text"]


def test_a_healthy_and_a_damaged_database(capsys: pytest.CaptureFixture[str]) -> None:
    open_database().close()
    assert doctor(capsys)[1]["database"]["text"].endswith("is healthy")
    garbage = b"not a database, though long enough to look like one" * 100
    database_path().write_bytes(garbage)
    code, checks, _ = doctor(capsys)
    assert code == 1
    assert checks["database"]["state"] == "fail"
    assert database_path().read_bytes() == garbage, "looking must not repair"


def test_a_problem_in_the_configuration(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    file = home / ".config/aircher/config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[providers]\ndefalt = 'openai'\n")
    code, checks, _ = doctor(capsys)
    assert code == 1
    assert "config.toml:2" in checks["config"]["text"]


def test_endpoints_are_tried_only_when_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        row = Vendor("near", "Near", "openai", f"http://127.0.0.1:{port}/v1", ("NEAR_KEY",))
        monkeypatch.setattr(checkup, "vendors", lambda: {"near": row})
        monkeypatch.setenv("NEAR_KEY", "k-0123456789abcdef")
        assert "endpoint near" not in doctor(capsys)[1]
        code, checks, _ = doctor(capsys, "--online")
        assert (code, checks["endpoint near"]["state"]) == (0, "ok")
    code, checks, _ = doctor(capsys, "--online")
    assert (code, checks["endpoint near"]["state"]) == (1, "fail")


def test_lines_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor"])
    out, err = capsys.readouterr()
    assert err.startswith("All that is needed works")
    lines = out.splitlines()
    assert all(line[:4].strip() in {"ok", "warn", "fail"} for line in lines)
    assert any(line.endswith("-> aircher local pull") for line in lines)


@pytest.mark.parametrize(
    ("environ", "columns", "encoding", "states", "colours"),
    [
        ({"TERM": "xterm-256color"}, 120, "utf-8", "ok ok ok ok", "256"),
        ({"TERM": "dumb"}, 120, "UTF-8", "warn ok ok ok", "16"),
        ({}, 40, "ascii", "warn ok warn warn", "16"),
        ({"TERM": "x", "COLORTERM": "truecolor"}, 80, "utf8", "ok ok ok ok", "16 million"),
        ({"TERM": "x", "COLORTERM": "24bit", "NO_COLOR": "1"}, 80, "utf8", "ok ok ok ok", "off"),
    ],
)
def test_terminal(
    environ: dict[str, str], columns: int, encoding: str, states: str, colours: str
) -> None:
    checks = terminal(environ, columns, encoding)
    assert [check.state for check in checks] == states.split()
    assert checks[1].text.startswith(colours)
