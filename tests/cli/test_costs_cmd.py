from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest

from aircher.bootstrap.opening import local_now, records
from aircher.cli.costs import amount
from aircher.cli.main import main
from aircher.domain.budget import Claim
from aircher.domain.models import ModelRef
from aircher.domain.usage import Cost, CostTag, Spend, Tokens, UsageRow

GPT = ModelRef("openai", "gpt\x1b[31m")
LOCAL = ModelRef("local", "tiny")


@pytest.fixture
def spent() -> None:
    now = local_now()

    def row(ref: ModelRef, nano: int | None, tag: CostTag, days: int = 0) -> UsageRow:
        at = now - timedelta(days=days)
        return UsageRow(at, ref, "debugging", Tokens(1000, output=50), Cost(nano, tag))

    with records() as opened:
        for made in (
            row(GPT, 1_250_000_000, "exact"),
            row(GPT, 250_000_000, "estimated"),
            row(GPT, None, "unknown"),
            row(LOCAL, 0, "exact"),
            row(LOCAL, 7_000_000_000, "exact", days=400),
        ):
            opened.ledger.settle(None, made)


@pytest.fixture
def limits(home: Path) -> None:
    file = home / ".config" / "aircher" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[costs]\ndaily_limit = 10.0\nmonthly_budget = 100.0\n")


def out(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(["costs", *argv]) == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    return printed


def test_the_table_says_what_is_not_known(
    spent: None, limits: None, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = out(capsys).splitlines()
    assert lines[0].split() == ["MODEL", "CALLS", "TOKENS", "IN", "TOKENS", "OUT", "COST"]
    assert lines[1].split() == ["openai/gpt[31m", "3", "3,000", "150", "~$1.50", "+", "?", "(1)"]
    assert lines[2].split() == ["local/tiny", "1", "1,000", "50", "$0.00"]
    assert lines[3].split() == ["total", "4", "4,000", "200", "~$1.50", "+", "?", "(1)"]
    assert len({len(line) for line in lines[:4]}) == 1
    facts = {line.rsplit("  ", 1)[0].strip(): line.rsplit("  ", 1)[1] for line in lines[5:]}
    assert facts["today"] == facts["this month"] == "~$1.50 + ? (1)"
    assert facts["by the month's end"].startswith("~$")
    assert facts["costs.daily_limit"] == "$1.50 of $10.00, $8.50 left"
    assert facts["costs.monthly_budget"] == "$1.50 of $100.00, $98.50 left"


def test_a_limit_that_is_near_or_only_warns_is_told_in_words(
    spent: None, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / ".config" / "aircher" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(
        "[costs]\ndaily_limit = 1.6\nmonthly_budget = 1.0\nalert_threshold = [0.9, 0.95]\n"
        '[costs.limit_actions]\nmonthly_budget = "warn"\n'
    )
    printed = out(capsys)
    assert "$1.50 of $1.60, $0.1000 left (near)" in printed
    assert "$1.50 of $1.00, $0.00 left (reached, only warns)" in printed
    first, second = json.loads(out(capsys, "--json"))["limits"]
    assert (first["soft"], first["alert"]) == (False, True)
    assert (second["soft"], second["alert"]) == (True, True)


def test_nothing_spent_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert out(capsys) == "No calls in this time.\n\ntoday       $0.00\nthis month  $0.00\n"


def test_what_is_held_is_said(limits: None, capsys: pytest.CaptureFixture[str]) -> None:
    with records() as opened:
        opened.ledger.reserve(Claim(GPT, "x", 2_000_000_000, local_now()), [])
        assert "$0.00 of $10.00, $2.00 held, $8.00 left" in out(capsys)


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        ("provider", ["openai", "local"]),
        ("model", ["openai/gpt[31m", "local/tiny"]),
        ("task", ["debugging"]),
    ],
)
def test_json_groups_by_a_key(
    spent: None, limits: None, capsys: pytest.CaptureFixture[str], key: str, keys: list[str]
) -> None:
    found = json.loads(out(capsys, "--json", "--by", key))
    assert [group["key"] for group in found["groups"]] == keys
    assert found["total"] == {
        "calls": 4,
        "input_tokens": 4000,
        "output_tokens": 200,
        "usd": "1.5",
        "unknown": 1,
        "estimated": 1,
    }
    assert found["by"] == key
    assert found["limits"][0] | {"name": ""} == {
        "name": "",
        "limit_usd": found["limits"][0]["limit_usd"],
        "spent_usd": "1.5",
        "held_usd": "0",
        "left_usd": found["limits"][0]["left_usd"],
        "soft": False,
        "share": found["limits"][0]["share"],
        "alert": False,
    }


def test_days_and_windows(spent: None, capsys: pytest.CaptureFixture[str]) -> None:
    today = local_now().date()
    old = today - timedelta(days=400)
    everything = json.loads(out(capsys, "--json", "--by", "day", "--since", "all"))
    assert [group["key"] for group in everything["groups"]] == [old.isoformat(), today.isoformat()]
    assert everything["total"]["usd"] == "8.5"
    assert json.loads(out(capsys, "--json", "--since", "today"))["total"]["usd"] == "1.5"
    since = json.loads(out(capsys, "--json", "--since", old.isoformat()))
    assert since["total"]["usd"] == "8.5"


def test_csv_is_csv(spent: None, capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(out(capsys, "--csv", "--by", "provider"))))
    assert rows[0] == {
        "provider": "openai",
        "calls": "3",
        "input_tokens": "3000",
        "output_tokens": "150",
        "usd": "1.5",
        "unknown": "1",
        "estimated": "1",
    }


def test_a_bad_date_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["costs", "--since", "yesteryear"]) == 2
    assert "not a time to count from" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spend", "text"),
    [
        (Spend(), "$0.00"),
        (Spend(1_234_567_890_123, 2), "$1,234.57"),
        (Spend(4_200_000, 2), "$0.0042"),
        (Spend(10, 1), "<$0.0001"),
        (Spend(4_200_000, 2, estimated=1), "~$0.0042"),
        (Spend(0, 3, unknown=3), "? (3)"),
        (Spend(0, 4, unknown=3), "$0.00 + ? (3)"),
    ],
)
def test_amounts(spend: Spend, text: str) -> None:
    assert amount(spend) == text
