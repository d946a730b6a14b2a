"""Recorded replies, through the real dialects, into the ledger: what each cost, to the nano-dollar.

The other side of the comparison is independent of ours at each step: the tokens are those that
the recordings' own parser found in the raw bytes (1-hour cache writes are read from the bytes
here), and the price is genai-prices' own arithmetic over its own data.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import genai_prices
import pytest

from aircher.bootstrap.compose import open_services
from aircher.catalog.lookup import PRICE_LISTS
from aircher.domain.events import Finished
from aircher.domain.routes import Wish
from aircher.domain.turns import TurnRequest
from aircher.domain.usage import UsageRow, usd_to_nano
from aircher.providers.vendors import canonical, vendors
from aircher.reports.windows import EVER
from tests.support.program import write_config
from tests.support.wire import Case, Replay, all_cases, running

pytestmark = pytest.mark.wire

ROADS = {
    "chat_completions": ("/v1", 'api = "chat"'),
    "responses": ("/v1", 'api = "responses"'),
    "messages": ("", ""),
    "generate_content": ("", ""),
}


@pytest.fixture(scope="module")
def replay(wire_folder: Path) -> Iterator[Replay]:
    with running() as server:
        yield server


def billable() -> list[Case]:
    return [
        case
        for case in all_cases()
        if case.api in ROADS
        and case.expect["error_class"] is None
        and None not in (case.expect["input_total"], case.expect["output_total"])
        and case.expect["model"]
        and canonical(case.provider) in vendors()
        # Claude through OpenAI's protocol is another endpoint; a withheld answer is an error.
        and (case.provider, case.api) != ("anthropic", "chat_completions")
        and case.kind != "content_filter"
        and _reference(case) is not None
    ]


def _one_hour(case: Case) -> int | None:
    found = re.findall(r'ephemeral_1h_input_tokens\\?":\s*(\d+)', json.dumps(case.response))
    return max(map(int, found)) if found else None


def _reference(case: Case) -> int | None:
    """Nano-dollars by genai-prices; None where it has no price or calls the counts impossible."""
    expect = case.expect
    usage = genai_prices.Usage(
        input_tokens=expect["input_total"],
        cache_read_tokens=expect["cached_tokens"],
        cache_write_tokens=expect["cache_write_tokens"],
        cache_write_1h_tokens=_one_hour(case) if expect["cache_write_tokens"] else None,
        output_tokens=expect["output_total"],
        output_reasoning_tokens=expect["reasoning_tokens"],
    )
    own = canonical(case.provider)
    try:
        price = genai_prices.calc_price(
            usage, _model(case), provider_id=PRICE_LISTS.get(own.replace("_", "-"), own)
        )
    except (LookupError, ValueError):
        return None
    return usd_to_nano(price.total_price)


def _model(case: Case) -> str:
    return str(case.expect["model"]).removeprefix("models/")


async def _row(case: Case, name: str) -> UsageRow:
    services = await asyncio.to_thread(open_services)
    wish = Wish(provider=name, model=_model(case), fallback=False)
    try:
        events = [event async for event in services.engine.turn(TurnRequest("hi", wish=wish))]
        assert isinstance(events[-1], Finished), events[-1]
        (row,) = services.usage.rows(EVER)
    finally:
        await services.aclose()
    return row


@pytest.mark.parametrize("case", billable(), ids=lambda case: case.id)
async def test_the_ledger_has_the_bill_to_the_nano_dollar(
    case: Case, replay: Replay, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suffix, settings = ROADS[case.api]
    name = canonical(case.provider)
    monkeypatch.setenv("RECORDED_KEY", "test-key")
    write_config(
        home,
        f'[providers]\nfallback_order = ["{name}"]\n'
        f'[providers.{name}]\nbase_url = "{replay.url(case.id) + suffix}"\n'
        f'api_key_env = "RECORDED_KEY"\n{settings}\n[retry]\nmax_retries = 0\n',
    )
    row = await _row(case, name)
    if row.cost.price_id == "vendor":
        assert row.cost.tag == "exact"  # the vendor's own figure goes before any list
        return
    assert row.cost.nano_usd == _reference(case)
    assert row.cost.tag == "exact"
    assert row.cost.price_id
    assert row.cost.price_id.startswith(f"genai-prices:{genai_prices.__version__} ")


def test_there_are_enough_of_them_and_of_many_vendors(wire_folder: Path) -> None:
    cases = billable()
    assert len(cases) >= 60
    assert len(Counter(case.provider for case in cases)) >= 6
    assert sum(bool(case.expect["cached_tokens"]) for case in cases) >= 3
    assert sum(bool(case.expect["reasoning_tokens"]) for case in cases) >= 5
