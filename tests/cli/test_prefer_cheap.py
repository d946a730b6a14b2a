"""costs.prefer_cost_efficient: where no rule names a model, the cheapest provider goes first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aircher.cli.main import main
from tests.support.program import write_config


@pytest.mark.parametrize(("wanted", "first"), [("false", "dear"), ("true", "cheap")])
def test_the_cheapest_of_equals_goes_first(
    wanted: str,
    first: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SOME_KEY", "test-key")
    rows = "".join(
        f'[providers.{name}]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n'
        f'api_key_env = "SOME_KEY"\nmodel = "m"\n'
        f'[models.custom."{name}/m"]\ninput_price = {price}\noutput_price = {price}\n'
        for name, price in (("dear", 9), ("cheap", 1))
    )
    write_config(
        home,
        '[providers]\nfallback_order = ["dear", "cheap"]\n'
        f"{rows}[costs]\nprefer_cost_efficient = {wanted}\n",
    )
    assert main(["route", "--json", "hello there"]) == 0
    plan = json.loads(capsys.readouterr().out)["plan"]
    assert plan["candidates"][0]["provider"] == first
