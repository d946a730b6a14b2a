"""Prices equal genai-prices' own arithmetic, to the nano-dollar."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import genai_prices
import pytest
from genai_prices.data import providers as price_data
from hypothesis import given, settings
from hypothesis import strategies as st

from aircher.catalog import index
from aircher.catalog.catalog import ModelCatalog
from aircher.catalog.facts import CustomModel
from aircher.catalog.lookup import PRICE_LISTS, PriceLists
from aircher.catalog.prices import bill
from aircher.catalog.tariffs import Tariff
from aircher.domain.models import ModelRef
from aircher.domain.usage import FREE, UNKNOWN_COST, Tokens, usd_to_nano

CATALOG = ModelCatalog()
LISTS = PriceLists(index.load(None, None))
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ROWS = [(provider.id, model.id) for provider in price_data for model in provider.models]


def reference(provider: str, model: str, tokens: Tokens, at: datetime) -> int:
    """Nano-dollars by genai-prices itself; raises ``LookupError`` or ``ValueError`` as it does."""
    usage = genai_prices.Usage(
        input_tokens=tokens.input,
        cache_read_tokens=tokens.cached,
        cache_write_tokens=tokens.cache_write,
        cache_write_1h_tokens=tokens.cache_write_1h,
        output_tokens=tokens.output,
        output_reasoning_tokens=tokens.reasoning,
        input_audio_tokens=tokens.input_audio,
        output_audio_tokens=tokens.output_audio,
    )
    price = genai_prices.calc_price(usage, model, provider_id=provider, genai_request_timestamp=at)
    return usd_to_nano(price.total_price)


@st.composite
def usages(draw: st.DrawFn) -> Tokens:
    """Counts that make sense together, each part perhaps not reported."""
    whole = st.one_of(st.integers(0, 2_000_000), st.sampled_from([0, 1, 200_000, 200_001, 272_001]))
    size, written = draw(whole), draw(whole)
    cached = draw(st.integers(0, size))
    cache_write = draw(st.integers(0, size - cached))
    parts = {
        "cached": cached,
        "cache_write": cache_write,
        "cache_write_1h": draw(st.integers(0, cache_write)),
        "reasoning": draw(st.integers(0, written)),
        "output_audio": 0,
    }
    kept = {name: n for name, n in parts.items() if draw(st.booleans())}
    if "cache_write" not in kept:
        kept.pop("cache_write_1h", None)
    return Tokens(input=size, output=written, **kept)


MOMENTS = st.datetimes(
    datetime.fromisoformat("2023-01-01"),
    datetime.fromisoformat("2027-06-01"),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=9)), timezone(timedelta(hours=-8))]),
)


@settings(max_examples=600, deadline=None)
@given(row=st.sampled_from(ROWS), tokens=usages(), at=MOMENTS)
def test_equals_genai_prices_for_any_model_and_usage(
    row: tuple[str, str], tokens: Tokens, at: datetime
) -> None:
    cost = CATALOG.cost(ModelRef(*row), tokens, at)
    try:
        expected = reference(*row, tokens, at)
    except (LookupError, ValueError):
        assert cost.tag != "exact"
        return
    if cost == UNKNOWN_COST:
        assert expected == 0, "only what has no price for text may be unknown"
    else:
        assert cost.nano_usd == expected


PLAIN = st.one_of(st.integers(0, 2_000_000), st.sampled_from([0, 1, 200_000, 200_001, 272_001]))


@settings(max_examples=800, deadline=None)
@given(row=st.sampled_from(ROWS), prompt=PLAIN, written=PLAIN, kept=st.booleans(), at=MOMENTS)
def test_a_plain_bill_in_whole_numbers_is_the_bill_in_decimals(
    row: tuple[str, str], prompt: int, written: int, kept: bool, at: datetime
) -> None:
    tokens = Tokens(input=prompt, cache_write=prompt if kept else None, output=written)
    found = LISTS.find(*row)
    for price in found.prices if found else ():
        assert Tariff(price, "n").bill(tokens) == bill(price, tokens, "n")


def test_nearly_every_price_is_billed_in_whole_numbers() -> None:
    prices = [price for row in ROWS if (found := LISTS.find(*row)) for price in found.prices]
    priced = [price for price in prices if "output_tokens" in price.units]
    straight = [price for price in priced if Tariff(price, "").lines]
    assert len(straight) >= 0.98 * len(priced) > 1_000


def test_every_model_finds_the_same_row_as_genai_prices() -> None:
    tokens = Tokens(input=1_000_000, output=1_000_000)
    wrong = []
    for row in ROWS:
        cost = CATALOG.cost(ModelRef(*row), tokens, NOW)
        try:
            expected = reference(*row, tokens, NOW)
        except LookupError:
            expected = 0
        if (cost.nano_usd or 0) != expected:
            wrong.append((row, cost, expected))
    assert not wrong


def recorded(folder: Path) -> list[dict[str, Any]]:
    """All recorded replies that report both input and output tokens."""
    cases = [json.loads(path.read_text()) for path in sorted((folder / "dev").glob("*.json"))]
    return [
        case
        for case in cases
        if None not in (case["expect"]["input_total"], case["expect"]["output_total"])
    ]


@pytest.mark.wire
def test_recorded_usage_costs_what_genai_prices_says(wire_folder: Path) -> None:
    priced = 0
    for case in recorded(wire_folder):
        expect = case["expect"]
        tokens = Tokens(
            input=expect["input_total"],
            cached=expect["cached_tokens"],
            cache_write=expect["cache_write_tokens"],
            output=expect["output_total"],
            reasoning=expect["reasoning_tokens"],
        )
        provider = case["provider"]
        model = expect["model"] or "unknown"
        cost = CATALOG.cost(ModelRef(provider, model), tokens, NOW)
        name = model.removeprefix("models/")
        try:
            listed = PRICE_LISTS.get(provider.replace("_", "-"), provider)
            expected = reference(listed, name, tokens, NOW)
        except LookupError:
            assert cost == UNKNOWN_COST, case["id"]
        except ValueError:  # a vendor that counts more cached tokens than prompt tokens
            assert cost.tag == "estimated", case["id"]
        else:
            assert (cost.nano_usd, cost.tag) == (expected, "exact"), case["id"]
            priced += 1
    assert priced >= 60


M = 1_000_000
HAND = [
    # claude-opus-4-5: $5 in, $25 out, $0.50 cached, $6.25 5-minute and $10 1-hour writes
    ("anthropic", "claude-opus-4-5", Tokens(input=M, output=0), "5"),
    ("claude", "claude-opus-4-5-20251101", Tokens(input=M, output=M), "30"),
    ("claude", "claude-opus-4-5", Tokens(input=M, cached=M, output=0), "0.5"),
    ("claude", "claude-opus-4-5", Tokens(input=M, cache_write=M, output=0), "6.25"),
    ("claude", "claude-opus-4-5", Tokens(input=M, cache_write=M, cache_write_1h=M, output=0), "10"),
    ("claude", "claude-opus-4-5", Tokens(input=M, cache_write_1h=M, output=0), "10"),
    ("openai", "gpt-5-nano", Tokens(input=1000, cached=200, output=300), "0.000161"),
    # gpt-5-nano: $0.05 in, $0.005 cached, $0.40 out; reasoning is part of output and costs the same
    ("openai", "gpt-5-nano", Tokens(input=0, output=300, reasoning=300), "0.00012"),
    # gemini-2.5-pro: $1.25/$10 up to 200,000 tokens of prompt, $2.50/$15 above, for all of it
    ("gemini", "gemini-2.5-pro", Tokens(input=199_999, output=0), "0.24999875"),
    ("gemini", "gemini-2.5-pro", Tokens(input=200_000, output=1), "0.25001"),
    ("gemini", "models/gemini-2.5-pro", Tokens(input=200_001, output=1), "0.5000175"),
    (
        "vertex",
        "publishers/google/models/gemini-2.5-pro",
        Tokens(input=200_001, output=0),
        "0.5000025",
    ),
]


@pytest.mark.parametrize(("provider", "model", "tokens", "usd"), HAND)
def test_prices_worked_out_by_hand(provider: str, model: str, tokens: Tokens, usd: str) -> None:
    cost = CATALOG.cost(ModelRef(provider, model), tokens, NOW)
    assert (cost.usd, cost.tag) == (Decimal(usd), "exact")


def test_the_price_used_is_named() -> None:
    cost = CATALOG.cost(ModelRef("openai", "gpt-5-nano"), Tokens(input=1, output=1), NOW)
    assert cost.price_id == f"genai-prices:{genai_prices.__version__} openai/gpt-5-nano"


@pytest.mark.parametrize(
    ("at", "usd", "condition"),
    [
        (datetime(2025, 6, 1, 16, 29, tzinfo=UTC), "0.27", " 00:30-16:30 UTC"),
        (datetime(2025, 6, 1, 16, 30, tzinfo=UTC), "0.135", ""),
        (datetime(2025, 6, 2, 0, 29, 59, tzinfo=UTC), "0.135", ""),
        (datetime(2025, 6, 2, 0, 30, tzinfo=UTC), "0.27", " 00:30-16:30 UTC"),
    ],
)
def test_off_peak_hours(at: datetime, usd: str, condition: str) -> None:
    ref = ModelRef("deepseek", "deepseek-chat")
    cost = CATALOG.cost(ref, Tokens(input=M, output=0), at)
    assert cost.usd == Decimal(usd)
    assert str(cost.price_id).endswith(f"deepseek/deepseek-chat{condition}")


@pytest.mark.parametrize(
    "tokens", [Tokens(), Tokens(input=5), Tokens(output=5), Tokens(cached=5, reasoning=5)]
)
def test_unreported_tokens_cost_an_unknown_amount(tokens: Tokens) -> None:
    assert CATALOG.cost(ModelRef("openai", "gpt-5-nano"), tokens, NOW) == UNKNOWN_COST


@pytest.mark.parametrize(
    "ref",
    [
        ModelRef("openai", "gpt-99-of-tomorrow-made-up"),
        ModelRef("nobody", "gpt-5-nano"),
        ModelRef("", ""),
        ModelRef("openai", "whisper-1"),
    ],
)
def test_no_price_is_unknown_and_never_nothing(ref: ModelRef) -> None:
    assert CATALOG.cost(ref, Tokens(input=10, output=10), NOW) == UNKNOWN_COST


def test_what_runs_here_is_free_even_without_counts() -> None:
    catalog = ModelCatalog(local_providers=("ollama",))
    assert catalog.cost(ModelRef("ollama", "llama3.2"), Tokens(), NOW) == FREE
    assert CATALOG.cost(ModelRef("ollama", "llama3.2"), Tokens(), NOW) == UNKNOWN_COST


@pytest.mark.parametrize(
    ("said", "nano", "price_id"),
    [
        ("0.000123", 123_000, "vendor"),
        ("1.2E-7", 120, "vendor"),
        ("0", 0, "vendor"),
        ("", 7_200_000, None),
        ("NaN", 7_200_000, None),
        ("-1", 7_200_000, None),
        ("$3", 7_200_000, None),
    ],
)
def test_a_vendors_own_cost_wins_if_it_is_a_number(
    said: str, nano: int, price_id: str | None
) -> None:
    ref = ModelRef("openrouter", "anthropic/claude-sonnet-4.5")
    cost = CATALOG.cost(ref, Tokens(input=900, output=300), NOW, said)
    assert cost.nano_usd == nano
    assert price_id is None or cost.price_id == price_id


def test_the_users_prices_replace_the_lists() -> None:
    ref = ModelRef("openai", "gpt-5-nano")
    mine = CustomModel(input_price=Decimal(2), output_price=Decimal(4), cached_price=Decimal(1))
    catalog = ModelCatalog(custom={ref: mine})
    cost = catalog.cost(ref, Tokens(input=M, cached=M // 2, output=M), NOW)
    assert (cost.usd, cost.tag, cost.price_id) == (Decimal("5.5"), "exact", "your configuration")


@pytest.mark.parametrize(
    "tokens",
    [
        Tokens(input=10, cached=1000, output=1),  # more cached than read
        Tokens(input=1000, output=10, output_audio=20, input_audio=2000),
    ],
)
def test_contradictory_counts_are_an_estimate_that_is_not_too_low(tokens: Tokens) -> None:
    cost = CATALOG.cost(ModelRef("openai", "gpt-audio"), tokens, NOW)
    plain = CATALOG.cost(ModelRef("openai", "gpt-audio"), Tokens(input=0, output=0), NOW)
    assert cost.tag in {"estimated", "exact"}
    assert cost.nano_usd is not None
    assert plain.nano_usd is not None
    assert cost.nano_usd > plain.nano_usd
