"""A newer price list: fetched from a real server, checked, used, taken back."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import genai_prices
import pytest
from genai_prices.data import providers as installed

from aircher.bootstrap.price_updates import prices_path
from aircher.catalog import updates
from aircher.catalog.catalog import ModelCatalog
from aircher.catalog.compact import lists
from aircher.cli.main import main
from aircher.domain.models import ModelRef
from aircher.domain.usage import Tokens

M = 1_000_000
NANO = ModelRef("openai", "gpt-5-nano")


def published(mtok: Any = "0.07") -> list[dict[str, Any]]:
    """A list in the published format, with the installed providers' models in short form."""
    models = [
        {
            "id": provider.id,
            "name": provider.name,
            "api_pattern": "x",
            "models": [
                {
                    "id": model.id,
                    "match": {"equals": model.id},
                    "prices": {"input_mtok": 1, "output_mtok": 2},
                }
                for model in provider.models
            ],
        }
        for provider in installed
    ]
    for provider in models:
        if provider["id"] == "openai":
            for model in provider["models"]:
                if model["id"] == "gpt-5-nano":
                    model["prices"] = {"input_mtok": mtok, "output_mtok": 2}
    return models


@contextmanager
def serving(body: bytes, status: int = 200) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/data.json"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def run(*words: str) -> int:
    return main(["prices", *words])


@pytest.fixture(autouse=True)
def _key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")


def test_an_update_is_used_for_bills_named_in_them_and_taken_back(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    tokens = Tokens(input=M, output=0)

    def cost() -> Any:
        # A new program each time, with a cache that outlives it.
        return ModelCatalog(cache_folder=tmp_path, update=prices_path()).cost(NANO, tokens, at)

    before = cost()
    assert before.price_id == f"genai-prices:{genai_prices.__version__} openai/gpt-5-nano"
    with serving(json.dumps(published()).encode()) as url:
        assert run("update", "--url", url, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["list"]["source"] == url
    assert {
        "model": "openai/gpt-5-nano",
        "what": "input_mtok",
        "before_usd": "0.05",
        "after_usd": "0.07",
    } in said["changes"]
    after = cost()
    assert (after.usd, after.tag) == (Decimal("0.07"), "exact")
    assert f"genai-prices:{genai_prices.__version__}+20" in after.price_id
    assert prices_path().stat().st_mode & 0o077 == 0
    assert run("show", "openai/gpt-5-nano") == 0
    assert "$0.07 per million tokens" in capsys.readouterr().out
    assert run("reset") == 0
    assert "removed" in capsys.readouterr().err
    assert cost() == before
    assert run("reset") == 0
    assert "No fetched list" in capsys.readouterr().err


BAD = {
    "not JSON": b"<html>",
    "no list": b'{"a": 1}',
    "empty": b"[]",
    "of other things": b'[{"a": 1}, 3]',
    "a negative price": json.dumps(published(-1)).encode(),
    "a mad price": json.dumps(published("1e9")).encode(),
    "a few models": json.dumps(published()[:1]).encode(),
    "deep nonsense": b"[" * 100_000,
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_price_list_changes_nothing(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(json.dumps(published()).encode()) as url:
        run("update", "--url", url)
    kept = prices_path().read_bytes()
    capsys.readouterr()
    with serving(BAD[name]) as url:
        assert run("update", "--url", url) == 1
    assert "no price list that can be used" in capsys.readouterr().err
    assert prices_path().read_bytes() == kept


@pytest.mark.parametrize("status", [404, 500, 302])
def test_a_server_that_refuses_is_said(status: int, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(b"", status) as url:
        assert run("update", "--url", url) == 1
    said = capsys.readouterr().err
    assert f"could not be fetched: the server answered with HTTP status {status}." in said
    assert not prices_path().exists()


def test_a_connection_that_is_refused_is_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(b"") as url:
        pass
    assert run("update", "--url", url) == 1
    said = capsys.readouterr().err
    assert f"The price list at {url} could not be fetched: nothing answers at that address." in said
    assert "The prices in use stay as they are. Check the network and the address" in said
    assert "Errno" not in said


def test_prices_are_not_fetched_in_the_clear_from_elsewhere(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("update", "--url", "http://prices.invalid/data.json") == 2
    assert "not encrypted" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"format":1}', b'{"format":99,"providers":{}}']
)
def test_a_damaged_file_is_not_used_and_said(
    content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    prices_path().parent.mkdir(parents=True, exist_ok=True)
    prices_path().write_bytes(content)
    assert run("list") == 0
    assert "not used" in capsys.readouterr().out
    at = datetime(2026, 11, 21, tzinfo=UTC)
    cost = ModelCatalog(update=prices_path()).cost(NANO, Tokens(input=M, output=0), at)
    assert cost.usd == Decimal("0.05")


def test_a_newer_package_ends_an_update() -> None:
    fetched = updates.Fetched(lists(installed), "2026-11-21T00:00:00+00:00", "x", "0.0.1")
    prices_path().parent.mkdir(parents=True, exist_ok=True)
    prices_path().write_bytes(updates.encode(fetched))
    found = updates.read(prices_path(), genai_prices.__version__)
    assert found is not None
    assert "is newer" in found.problem


def test_the_installed_list_passes_its_own_check() -> None:
    stated = lists(installed)
    assert updates.unsound(stated, stated) == ""
    assert updates.changes(stated, stated) == []


def test_list_and_show_name_where_each_price_comes_from(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("list", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["list"]["version"] == f"genai-prices {genai_prices.__version__}"
    assert all(model["price_id"] for model in said["models"])
    assert run("show", "gemini/gemini-2.5-pro", "--json") == 0
    sheet = json.loads(capsys.readouterr().out)
    tiers = [
        (row["usd"], row["above_prompt_tokens"])
        for row in sheet["prices"]
        if row["what"] == "input"
    ]
    assert tiers == [("1.25", None), ("2.5", 200_000)]
    assert run("show", "nobody/nothing-known") == 0
    assert "price unknown" in capsys.readouterr().out
